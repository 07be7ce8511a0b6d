import { basename, dirname, join, normalize } from 'node:path'
import { z } from 'zod'
import type { CellEdit } from '../../edit/cell-edit.ts'
import { applyEdits, checkLeniency } from '../../edit/edits.ts'
import { decodeText } from '../../edit/text.ts'
import type { TextEdit } from '../../entry/entry.ts'
import { JournalError } from '../../errors.ts'
import type { EditOptions } from '../../transaction/operation-options.ts'
import type { Revision } from '../../transaction/revision.ts'
import { expandHome } from './allowed-folders.ts'
import { DIRECTORY, workspaceOf } from './history-tools.ts'
import type { OpenTransaction } from './open-transaction.ts'
import { CHANGED, changedOf, changedText } from './receipts.ts'
import type { Call, Session } from './session.ts'
import { type AnyTool, tool, writes } from './tool.ts'
import type { Workspace } from './workspaces.ts'

const MESSAGE = z.string().optional().describe('Why; part of the history')
const DRY = z.boolean().default(false).describe('Only say what would be changed, or why it does not fit')
const REVISED = {
  revisions: z.array(z.object({ path: z.string(), changes: z.number(), lines: z.array(z.array(z.number())) })),
  ...CHANGED,
}

interface FileEdits {
  readonly workspace: Workspace
  readonly path: string
  readonly edits: TextEdit[]
}

function linesOf(revision: Revision): [number, number][] {
  const matches = revision.edits ?? []
  return matches.flatMap(({ lines }) => lines.map(([from, to]): [number, number] => [from, to]))
}

function revised(revisions: readonly Revision[]) {
  return revisions.map((revision) => ({ path: revision.path, changes: revision.changes, lines: linesOf(revision) }))
}

function revisedText(revisions: readonly Revision[]): string {
  return revisions
    .map((revision) => {
      const lines = linesOf(revision).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
      const where = lines.length === 0 ? '' : `, lines ${lines.slice(0, 20).join(', ')}`
      return `${revision.path}: ${revision.changes} ${revision.changes === 1 ? 'change' : 'changes'}${where}`
    })
    .join('\n')
}

/** Runs what revises files, for real or to see whether it would. */
async function revise(
  session: Session,
  call: Call,
  { dryRun, message }: { readonly dryRun: boolean; readonly message: string | undefined },
  work: (transaction: OpenTransaction) => Promise<readonly Revision[]>,
) {
  if (dryRun) {
    const rehearsal = session.rehearsal()
    try {
      const revisions = await work(rehearsal)
      const structured = { revisions: revised(revisions), pending: false, receipts: [] }
      return { text: `would change:\n${revisedText(revisions)}`, structured }
    } finally {
      await rehearsal.abort()
    }
  }
  const changed = await session.change(call, message, work)
  return {
    text: `${revisedText(changed.value)}\n${changedText(changed)}`,
    structured: { revisions: revised(changed.value), ...changedOf(changed) },
  }
}

/** Tries all edits before the first is made, so that a refusal leaves an open transaction as it was, and names every file that does not fit. */
async function tryEdits(transaction: OpenTransaction, files: readonly FileEdits[], how: EditOptions): Promise<void> {
  const failures: JournalError[] = []
  for (const { workspace, path, edits } of files) {
    try {
      const bytes = await (await transaction.part(workspace)).read(path)
      applyEdits(decodeText(bytes, path).text, edits, path, { lenient: checkLeniency(how.lenient) })
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first === undefined) return
  if (failures.length === 1) throw first
  throw new JournalError('INVALID', failures.map(({ message }) => message).join('\n'), {
    hint: first.hint,
    path: first.path,
    details: { failures: failures.map((failure) => failure.toJSON()) },
  })
}

/** Where a path stands, with the links on the way followed, and not the last one. */
async function entryAt(session: Session, path: string): Promise<string> {
  const plain = normalize(expandHome(path)).replace(/(?<=.)\/+$/, '')
  return join(await session.folders.resolve(dirname(plain)), basename(plain))
}

const edits = z
  .array(
    z.object({
      oldText: z.string().describe('Must stand exactly once, unless all is set'),
      newText: z.string(),
      all: z.boolean().optional().describe('Replace every place'),
    }),
  )
  .min(1)

/** Changes of files beyond those of the reference server. */
export const EDITING_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'edit_files',
    title: 'Edit Files',
    description:
      'Replace texts in any number of files as one transaction: all edits, or none, and then every file that does not fit is named. Each text must stand exactly once in its file (the error says at which lines it stands, or what is nearest). Line ends, encoding and everything else is kept. Better than several calls of edit_file.',
    input: {
      files: z.array(z.object({ path: z.string(), edits })).min(1),
      lenient: z
        .enum(['trailing-blanks', 'indentation'])
        .optional()
        .describe('Find whole lines also where blanks at their ends, or their indentation as a whole, are others'),
      dryRun: DRY,
      message: MESSAGE,
    },
    output: REVISED,
    hints: writes(true, false),
    async run(session, { files, lenient, dryRun, message }, call) {
      const wanted = new Map<string, FileEdits>()
      for (const { path, edits: asked } of files) {
        const real = await session.folders.resolve(path)
        const workspace = session.workspaces.of(real)
        const plain = asked.map(({ oldText, newText, all }) => ({
          oldText,
          newText,
          ...(all === undefined ? {} : { all }),
        }))
        const known = wanted.get(real)
        if (known === undefined) wanted.set(real, { workspace, path: workspace.path(real), edits: plain })
        else known.edits.push(...plain)
      }
      const how: EditOptions = lenient === undefined ? {} : { lenient }
      return revise(session, call, { dryRun, message }, async (transaction) => {
        await tryEdits(transaction, [...wanted.values()], how)
        const revisions: Revision[] = []
        for (const { workspace, path, edits: each } of wanted.values()) {
          await call.progress(revisions.length + 1, path)
          revisions.push(await (await transaction.part(workspace)).edit(path, each, how))
        }
        return revisions
      })
    },
  }),
  tool({
    name: 'apply_patch',
    title: 'Apply Patch',
    description:
      "Apply a patch of any number of files as one transaction: a unified diff (as git writes them), or the apply_patch format ('*** Begin Patch' …). All of it or nothing; the error names every hunk that does not fit.",
    input: {
      patch: z.string(),
      directory: DIRECTORY,
      strip: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe('How many names to leave out at the beginning of each path; default: a/ and b/'),
      dryRun: DRY,
      message: MESSAGE,
    },
    output: REVISED,
    hints: writes(true, false),
    async run(session, { patch, directory, strip, dryRun, message }, call) {
      const workspace = await workspaceOf(session, directory)
      return revise(session, call, { dryRun, message }, async (transaction) => {
        const tx = await transaction.part(workspace)
        return tx.applyPatch(patch, strip === undefined ? {} : { strip })
      })
    },
  }),
  tool({
    name: 'edit_notebook',
    title: 'Edit Notebook',
    description:
      'Replace, insert and delete cells of a Jupyter notebook, as one change. Other cells stay byte for byte. A code cell that gets another source loses its outputs.',
    input: {
      path: z.string(),
      cells: z
        .array(
          z.object({
            edit: z.enum(['replace', 'insert', 'delete']).optional().describe('default: replace'),
            cell: z
              .union([z.string(), z.number()])
              .optional()
              .describe('id, or number from 0 as before this call: what to replace or delete'),
            after: z
              .union([z.string(), z.number()])
              .optional()
              .describe('insert after this cell; left out: at the start'),
            source: z.string().optional(),
            type: z.enum(['code', 'markdown', 'raw']).optional().describe('needed to insert'),
            id: z.string().optional().describe('of a new cell; made when left out'),
          }),
        )
        .min(1),
      dryRun: DRY,
      message: MESSAGE,
    },
    output: REVISED,
    hints: writes(true, false),
    async run(session, { path, cells, dryRun, message }, call) {
      const real = await session.folders.resolve(path)
      const workspace = session.workspaces.of(real)
      return revise(session, call, { dryRun, message }, async (transaction) => {
        const tx = await transaction.part(workspace)
        return [await tx.notebook(workspace.path(real), cells as unknown as CellEdit[])]
      })
    },
  }),
  tool({
    name: 'write_binary_file',
    title: 'Write Binary File',
    description: 'Create a file, or replace all that it has, with bytes given as base64. Missing directories are made.',
    input: {
      path: z.string(),
      base64: z.string(),
      mode: z
        .string()
        .regex(/^[0-7]{3,4}$/)
        .optional()
        .describe('Permissions in octal: 755'),
      message: MESSAGE,
    },
    output: CHANGED,
    hints: writes(true, true),
    async run(session, { path, base64, mode, message }, call) {
      const bytes = Buffer.from(base64, 'base64')
      const expected = Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
      if (base64.length % 4 !== 0 || bytes.byteLength !== expected) {
        throw new JournalError('INVALID', 'the content is not base64', {
          hint: 'Give it with padding, in the alphabet of RFC 4648, without line breaks.',
          path,
        })
      }
      const real = await session.folders.resolve(path)
      const workspace = session.workspaces.of(real)
      const changed = await session.change(call, message, async (transaction) => {
        const tx = await transaction.part(workspace)
        const options = mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }
        await tx.write(workspace.path(real), bytes, options)
      })
      return { text: changedText(changed), structured: changedOf(changed) }
    },
  }),
  tool({
    name: 'remove',
    title: 'Remove',
    description:
      'Remove a file or a symbolic link, or with recursive a directory and everything in it. What was there is kept in the history, and undo brings it back.',
    input: { path: z.string(), recursive: z.boolean().default(false), message: MESSAGE },
    output: CHANGED,
    hints: writes(true, false),
    async run(session, { path, recursive, message }, call) {
      const entry = await entryAt(session, path)
      const workspace = session.workspaces.of(entry)
      const changed = await session.change(call, message, async (transaction) => {
        await (await transaction.part(workspace)).remove(workspace.path(entry), { recursive })
      })
      return { text: changedText(changed), structured: changedOf(changed) }
    },
  }),
]

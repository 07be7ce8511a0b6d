import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { moveBetween } from './move-between.ts'
import { SAID, said } from './reading-tools.ts'
import { receiptMeta } from './receipts.ts'
import { editAsReference } from './reference-edit.ts'
import type { Session } from './session.ts'
import { systemError } from './system-error.ts'
import { type AnyTool, tool, writes } from './tool.ts'

const KEPT = 'What was there before is kept in the history, and undo brings it back.'
const INSIDE = 'Only works within allowed directories.'

/** @throws Error unless a file can be made at `path`, as the operating system says it */
async function checkParent(session: Session, path: string, call: string, to?: string): Promise<void> {
  const parent = dirname(to ?? path)
  const kind = await (await session.view()).kind(parent)
  if (kind === 'dir') return
  throw systemError(kind === null ? 'ENOENT' : 'ENOTDIR', call, path, to)
}

/** A file that is replaced leaves its other names behind. */
async function linkNotes(real: string): Promise<string[]> {
  const found = await stat(real).catch(() => null)
  if (found === null || !found.isFile() || found.nlink < 2) return []
  return [`Note: ${real} had ${found.nlink - 1} more hard-linked name(s); they keep the content that was there before.`]
}

const edit = z.object({
  oldText: z.string().describe('Text to search for - must match exactly'),
  newText: z.string().describe('Text to replace with'),
})

/** The tools of the reference server that change files. */
export const WRITING_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'write_file',
    title: 'Write File',
    description: `Create a file, or replace all that a file has, with text. ${KEPT} ${INSIDE}`,
    input: { path: z.string(), content: z.string() },
    output: SAID,
    hints: writes(true, true),
    async run(session, { path, content }, call) {
      const real = await session.folders.resolve(path)
      const kind = await (await session.view()).kind(real)
      if (kind === null) await checkParent(session, real, 'open')
      if (kind === 'dir') throw systemError('EISDIR', 'open', real)
      const workspace = session.workspaces.of(real)
      const notes = await linkNotes(real)
      const changed = await session.change(call, undefined, async (transaction) => {
        await (await transaction.part(workspace)).write(workspace.path(real), content)
      })
      return { ...said(`Successfully wrote to ${path}`, notes), meta: receiptMeta(changed) }
    },
  }),
  tool({
    name: 'edit_file',
    title: 'Edit File',
    description: `Replace texts in a file, in order, each at the first place where it stands; where it stands nowhere, whole lines are compared without the blanks around them. Line ends are kept. Returns a diff. ${KEPT} ${INSIDE}`,
    input: {
      path: z.string(),
      edits: z.array(edit),
      dryRun: z.boolean().default(false).describe('Preview changes using git-style diff format'),
    },
    output: SAID,
    hints: writes(true, false),
    async run(session, { path, edits, dryRun }, call) {
      const real = await session.folders.resolve(path)
      const view = await session.view()
      if (dryRun) return said(editAsReference(await view.read(real), real, edits).diff)
      const kind = await view.kind(real)
      if (kind === null) throw systemError('ENOENT', 'open', real)
      if (kind === 'dir') throw systemError('EISDIR', 'read')
      const workspace = session.workspaces.of(real)
      const notes = await linkNotes(real)
      const changed = await session.change(call, undefined, async (transaction) => {
        const tx = await transaction.part(workspace)
        const name = workspace.path(real)
        const edited = editAsReference(await tx.read(name), real, edits)
        if (edited.changed && edited.edits !== null) await tx.edit(name, edited.edits)
        else if (edited.changed) await tx.write(name, edited.bytes)
        return edited
      })
      const { value } = changed
      return { ...said(value.diff, value.changed ? notes : []), meta: receiptMeta(changed) }
    },
  }),
  tool({
    name: 'create_directory',
    title: 'Create Directory',
    description: `Make a directory, with those above it that are missing. One that is there already is left as it is. ${INSIDE}`,
    input: { path: z.string() },
    output: SAID,
    hints: writes(false, true),
    async run(session, { path }, call) {
      const real = await session.folders.resolve(path)
      const kind = await (await session.view()).kind(real)
      if (kind === 'dir') return said(`Successfully created directory ${path}`)
      if (kind !== null) throw systemError('EEXIST', 'mkdir', real)
      const workspace = session.workspaces.of(real)
      const changed = await session.change(call, undefined, async (transaction) => {
        await (await transaction.part(workspace)).mkdir(workspace.path(real))
      })
      return { ...said(`Successfully created directory ${path}`), meta: receiptMeta(changed) }
    },
  }),
  tool({
    name: 'move_file',
    title: 'Move File',
    description: `Move or rename a file or a directory with everything in it. Fails when there is something at the destination already. ${KEPT} Both paths must be within allowed directories.`,
    input: { source: z.string(), destination: z.string() },
    output: SAID,
    hints: writes(true, false),
    async run(session, { source, destination }, call) {
      const from = await session.folders.resolve(source)
      const to = await session.folders.resolve(destination)
      const view = await session.view()
      if ((await view.kind(to)) !== null) throw new Error(`Destination already exists: ${to}`)
      if ((await view.kind(from)) === null) throw systemError('ENOENT', 'rename', from, to)
      await checkParent(session, from, 'rename', to)
      const [old, fresh] = [session.workspaces.of(from), session.workspaces.of(to)]
      const changed = await session.change(call, undefined, async (transaction) => {
        if (old !== fresh) return moveBetween(session, transaction, from, to)
        return (await transaction.part(old)).rename(old.path(from), old.path(to))
      })
      return { ...said(`Successfully moved ${source} to ${destination}`), meta: receiptMeta(changed) }
    },
  }),
]

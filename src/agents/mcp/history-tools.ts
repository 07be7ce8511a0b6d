import { resolve } from 'node:path'
import { z } from 'zod'
import { JournalError } from '../../errors.ts'
import type { DiffQuery } from '../../history/diff.ts'
import type { HistoryQuery } from '../../history/query.ts'
import {
  DIFFERENCE,
  differencesOf,
  differencesText,
  TRANSACTION,
  transactionLine,
  transactionOf,
  transactionRef,
} from './history-form.ts'
import type { Call, Session } from './session.ts'
import { type AnyTool, READS, tool } from './tool.ts'
import type { Workspace } from './workspaces.ts'

export const DIRECTORY = z
  .string()
  .optional()
  .describe('Whose journal; may be left out when there is only one allowed directory')
export const WHICH = z
  .union([z.string(), z.number()])
  .describe("A transaction: its id, the beginning of it, its number, or 'head'")
export const POINT = z
  .union([z.string(), z.number()])
  .describe(
    "A point in the history: a transaction, its number, 'head', a time (ISO 8601), or an age such as 10m, 2h, 3d",
  )
const PATHS = z.array(z.string()).optional().describe('Only these files, and what is in these directories')
const CHANGES = z.array(z.object({ path: z.string(), change: z.string() }))

const STANDING = z.object({
  directory: z.string(),
  journal: z.string().nullable(),
  seq: z.number(),
  tracked: z.number().describe('paths that the journal knows to be there'),
  changed: CHANGES.describe('changed behind the journal'),
  needsRecovery: z.boolean(),
  error: z.string().optional(),
})

/** The workspace that a caller means. */
export async function workspaceOf(session: Session, directory: string | undefined): Promise<Workspace> {
  return session.workspaces.named(directory === undefined ? undefined : await session.folders.resolve(directory))
}

/** The workspace whose history has a transaction, when the caller does not say. */
export async function workspaceWith(
  session: Session,
  directory: string | undefined,
  transaction: string | number,
): Promise<Workspace> {
  const { all } = session.workspaces
  if (directory !== undefined || all.length <= 1 || !/^t[0-9a-z]{3,}$/.test(String(transaction)))
    return workspaceOf(session, directory)
  const holders: Workspace[] = []
  for (const workspace of all.filter(({ hasJournal }) => hasJournal)) {
    const found = await workspace.look((journal) => journal.show(transaction)).catch(() => null)
    if (found !== null) holders.push(workspace)
  }
  const [only] = holders
  if (only !== undefined && holders.length === 1) return only
  throw new JournalError(
    only === undefined ? 'NOT_FOUND' : 'INVALID',
    `${holders.length} directories have a transaction ${transaction}`,
    {
      hint: 'Look at the history of each directory, and name one.',
    },
  )
}

/** Paths of a call as the history of a workspace names them. */
export async function pathsIn(
  session: Session,
  workspace: Workspace,
  paths: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  if (paths === undefined) return undefined
  const found: string[] = []
  for (const path of paths) {
    const real = await session.folders.resolve(resolve(workspace.root, path))
    if (session.workspaces.of(real) !== workspace) {
      throw new JournalError('INVALID', `${path} belongs to another directory than ${workspace.root}`, {
        hint: 'Name paths of one directory in a call.',
        path,
      })
    }
    const name = workspace.path(real)
    if (name === '') return undefined
    found.push(name)
  }
  return found
}

function verifying(call: Call): (progress: { phase: string; done: number }) => void {
  let before = 0
  let phase = ''
  let sum = 0
  return (progress) => {
    if (progress.phase !== phase) {
      sum += before
      phase = progress.phase
    }
    before = progress.done
    // The engine goes on when this returns, and stops when it throws.
    if (call.signal.aborted) {
      throw new JournalError('ABORTED', 'the client cancelled the call', { hint: 'Nothing was changed.' })
    }
    call.progress(sum + before, progress.phase).catch(() => {})
  }
}

/** Looking back. */
export const HISTORY_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'history',
    title: 'History',
    description:
      'List transactions, newest first: who changed which files, when and why. Use it to find what to undo, or what happened to a file.',
    input: {
      path: z.string().optional().describe('Only those that changed this file, or anything in this directory'),
      actor: z.string().optional(),
      tag: z.string().optional(),
      parent: z.string().optional(),
      since: POINT.optional(),
      until: POINT.optional(),
      limit: z.number().int().min(1).max(1000).default(20),
      oldestFirst: z.boolean().default(false),
      directory: DIRECTORY,
    },
    output: { directory: z.string(), transactions: z.array(TRANSACTION) },
    hints: READS,
    async run(session, { path, directory, oldestFirst, ...asked }, call) {
      const real = path === undefined ? undefined : await session.folders.resolve(path)
      const workspace = real === undefined ? await workspaceOf(session, directory) : session.workspaces.of(real)
      const within = real === undefined ? '' : workspace.path(real)
      const given = Object.entries(asked).filter(([, value]) => value !== undefined)
      const query: HistoryQuery = {
        ...Object.fromEntries(given),
        ...(within === '' ? {} : { path: within }),
        order: oldestFirst ? 'oldest' : 'newest',
      }
      const transactions = await workspace.look(async (journal) => {
        const found: z.output<typeof TRANSACTION>[] = []
        for await (const commit of journal.history(query)) {
          await call.progress(found.length + 1)
          found.push(transactionOf(commit))
        }
        return found
      })
      const lines = transactions.map(transactionLine)
      return { text: lines.join('\n') || 'no transactions', structured: { directory: workspace.root, transactions } }
    },
  }),
  tool({
    name: 'show',
    title: 'Show Transaction',
    description: 'One transaction: who, when, why, and what it changed, as a diff.',
    input: { transaction: WHICH, directory: DIRECTORY },
    output: { directory: z.string(), transaction: TRANSACTION, files: z.array(DIFFERENCE), truncated: z.boolean() },
    hints: READS,
    async run(session, { transaction, directory }, call) {
      const workspace = await workspaceWith(session, directory, transaction)
      return workspace.look(async (journal) => {
        const commit = await journal.show(await transactionRef(journal, transaction))
        const differences = await differencesOf(journal.diff({ tx: commit.tx }), call.progress)
        const told = transactionOf(commit, Number.POSITIVE_INFINITY)
        return {
          text: `${transactionLine(told)}\n${differencesText(differences)}`,
          structured: { directory: workspace.root, transaction: told, ...differences },
        }
      })
    },
  }),
  tool({
    name: 'diff',
    title: 'Diff',
    description:
      'What differs: in one transaction; between two points of the history; or, without them, between the newest point and the files as they are now, which shows what was changed behind the journal.',
    input: {
      transaction: WHICH.optional(),
      from: POINT.optional(),
      to: POINT.optional(),
      paths: PATHS,
      directory: DIRECTORY,
    },
    output: { directory: z.string(), files: z.array(DIFFERENCE), truncated: z.boolean() },
    hints: READS,
    async run(session, { transaction, from, to, paths, directory }, call) {
      if (transaction !== undefined && (from ?? to) !== undefined) {
        throw new JournalError('INVALID', 'a transaction, or two points: not both', { hint: 'Leave one out.' })
      }
      const workspace =
        transaction === undefined
          ? await workspaceOf(session, directory)
          : await workspaceWith(session, directory, transaction)
      const within = await pathsIn(session, workspace, paths)
      return workspace.look(async (journal) => {
        const scope = within === undefined ? {} : { paths: within }
        const query: DiffQuery =
          transaction !== undefined
            ? { tx: await transactionRef(journal, transaction), ...scope }
            : to === undefined
              ? { ...(from === undefined ? {} : { from }), ...scope }
              : { from: from ?? 'head', to, ...scope }
        const differences = await differencesOf(journal.diff(query), call.progress)
        return { text: differencesText(differences), structured: { directory: workspace.root, ...differences } }
      })
    },
  }),
  tool({
    name: 'read_at',
    title: 'Read File at a Point',
    description: 'The content of a file as it was at a point in the history, a deleted one too.',
    input: { path: z.string(), at: POINT, base64: z.boolean().default(false).describe('For a file that is no text') },
    output: { content: z.string(), encoding: z.enum(['utf-8', 'base64']) },
    hints: READS,
    async run(session, { path, at, base64 }) {
      const real = await session.folders.resolve(path)
      const workspace = session.workspaces.of(real)
      const bytes = await workspace.look((journal) => journal.readAt(workspace.path(real), at))
      const encoding = base64 ? ('base64' as const) : ('utf-8' as const)
      const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding)
      return { text: content, structured: { content, encoding } }
    },
  }),
  tool({
    name: 'status',
    title: 'Status',
    description:
      'For each allowed directory: how many transactions there are, which files somebody changed behind the journal, and whether a transaction is open here.',
    input: {},
    output: {
      transactionOpen: z.boolean(),
      directories: z.array(STANDING),
    },
    hints: READS,
    async run(session, _input, call) {
      const directories: z.output<typeof STANDING>[] = []
      for (const workspace of session.workspaces.all) {
        await call.progress(directories.length + 1, workspace.root)
        const none = { directory: workspace.root, journal: null, seq: 0, tracked: 0, changed: [], needsRecovery: false }
        if (!workspace.hasJournal) {
          directories.push(none)
          continue
        }
        try {
          const { journal, seq, tracked, changed, needsRecovery } = await workspace.look((each) => each.status())
          const external = changed.map(({ path, change }) => ({ path, change: change as string }))
          directories.push({ ...none, journal, seq, tracked, changed: external, needsRecovery })
        } catch (error) {
          directories.push({ ...none, error: error instanceof Error ? error.message : String(error) })
        }
      }
      const lines = directories.flatMap(({ directory, journal, seq, changed, error }) => [
        error !== undefined
          ? `${directory}: ${error}`
          : journal === null
            ? `${directory}: no journal yet; the first write makes it`
            : `${directory}: ${seq} transactions, ${changed.length} paths changed behind the journal`,
        ...changed.slice(0, 50).map(({ path, change }) => `  ${change}  ${path}`),
      ])
      const open = session.transaction !== null
      const text = [...lines, open ? 'A transaction is open.' : 'No transaction is open.'].join('\n')
      return { text, structured: { transactionOpen: open, directories } }
    },
  }),
  tool({
    name: 'verify',
    role: 'beside',
    title: 'Verify',
    description:
      'Check the whole journal: every record, the hash chain, every kept content. Says whether anything that was acknowledged does not read back right, or was tampered with. May take long; tells its progress.',
    input: {
      directory: DIRECTORY,
      workspace: z.boolean().default(false).describe('Compare the files as they are now too'),
      head: z.string().optional().describe('A chain value noted earlier that must still be part of the history'),
    },
    output: {
      directory: z.string(),
      ok: z.boolean(),
      transactions: z.number(),
      frames: z.number(),
      blobs: z.number(),
      problems: z.array(z.object({ kind: z.string(), message: z.string() })),
      changed: CHANGES.optional(),
    },
    hints: READS,
    async run(session, { directory, workspace: compare, head }, call) {
      const workspace = await workspaceOf(session, directory)
      const report = await workspace.lookBeside(
        (journal) => journal.verify({ workspace: compare, ...(head === undefined ? {} : { head }) }),
        { onProgress: verifying(call) },
      )
      const { ok, transactions, frames, blobs } = report
      const problems = report.problems.map(({ kind, message }) => ({ kind: kind as string, message }))
      const changed = report.changed?.map(({ path, change }) => ({ path, change: change as string }))
      const lines = problems.map(({ kind, message }) => `${kind}: ${message}`)
      return {
        text: [`${ok ? 'ok' : 'DAMAGED'}: ${transactions} transactions, ${blobs} blobs`, ...lines].join('\n'),
        structured: {
          ...{ directory: workspace.root, ok, transactions, frames, blobs, problems },
          ...(changed === undefined ? {} : { changed }),
        },
      }
    },
  }),
]

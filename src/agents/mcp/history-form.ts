/** What the history looks like to a client: plain values, in sizes that a model can take in. */
import { z } from 'zod'
import type { ChainedCommit } from '../../entry/commit.ts'
import type { FileDiff } from '../../history/diff.ts'
import type { Journal } from '../../journal.ts'
import { receiptFiles } from '../../transaction/receipt.ts'

/** Characters of patches in one answer. */
const MOST_PATCH = 200_000
/** Paths that a list of transactions names of each. */
const MOST_PATHS = 20

export const TRANSACTION = z.object({
  transaction: z.string(),
  seq: z.number(),
  time: z.string().describe('ISO 8601'),
  kind: z.string().describe('write, undo, redo, restore, adopt, revert, recovery or purge'),
  actor: z.string().nullable(),
  message: z.string().nullable(),
  of: z.string().optional().describe('the transaction that an undo or redo is about'),
  tags: z.array(z.string()).optional(),
  parent: z.string().optional(),
  chain: z.string(),
  fileCount: z.number(),
  files: z.array(z.object({ path: z.string(), change: z.enum(['added', 'modified', 'deleted', 'other']) })),
})

export const DIFFERENCE = z.object({
  path: z.string(),
  patch: z.string().describe('unified format; empty when only permissions differ'),
  binary: z.boolean(),
  note: z.string().optional(),
})

export function transactionOf(commit: ChainedCommit, most = MOST_PATHS): z.output<typeof TRANSACTION> {
  const { tx, seq, time, kind, actor = null, message = null, of, tags, parent, chain, entries } = commit
  const files = receiptFiles(entries)
  return {
    transaction: tx,
    seq,
    time: new Date(time).toISOString(),
    kind,
    actor,
    message,
    ...(of === undefined ? {} : { of }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(parent === undefined ? {} : { parent }),
    chain,
    fileCount: files.length,
    files: files.slice(0, most).map(({ path, before, after }) => ({
      path,
      change: before === after ? 'other' : before === null ? 'added' : after === null ? 'deleted' : 'modified',
    })),
  }
}

export function transactionLine(told: z.output<typeof TRANSACTION>): string {
  const { transaction, seq, time, actor, message, kind, of, fileCount, files } = told
  const why =
    message ??
    (kind === 'write'
      ? files
          .map(({ path }) => path)
          .slice(0, 3)
          .join(', ')
      : `${kind} ${of ?? ''}`.trim())
  return `${seq}  ${transaction}  ${time}  ${actor ?? '-'}  ${why}  (${fileCount === 1 ? '1 file' : `${fileCount} files`})`
}

/** Differences, as many as fit. */
export async function differencesOf(
  differences: AsyncIterable<FileDiff>,
  each: (done: number, path: string) => Promise<void>,
): Promise<{ readonly files: z.output<typeof DIFFERENCE>[]; readonly truncated: boolean }> {
  const files: z.output<typeof DIFFERENCE>[] = []
  let left = MOST_PATCH
  let truncated = false
  for await (const { path, patch, binary, note } of differences) {
    await each(files.length, path)
    const fits = patch.length <= left
    if (fits) left -= patch.length
    else truncated = true
    files.push({ path, patch: fits ? patch : '', binary, ...(note === undefined ? {} : { note }) })
  }
  return { files, truncated }
}

export function differencesText({ files, truncated }: Awaited<ReturnType<typeof differencesOf>>): string {
  const parts = files.map(({ path, patch, note }) => `${note === undefined ? '' : `# ${path}: ${note}\n`}${patch}`)
  const cut = truncated ? ['Some patches are left out because there is too much: ask for fewer paths.'] : []
  return [...parts, ...cut].join('') || 'no difference'
}

/** `head` names the newest transaction here too. */
export async function transactionRef(journal: Journal, given: string | number): Promise<string | number> {
  return given === 'head' ? journal.resolve('head') : given
}

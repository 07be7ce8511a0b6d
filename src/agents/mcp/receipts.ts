import { z } from 'zod'
import type { Receipt } from '../../transaction/receipt.ts'
import type { WorkspaceCommit } from './open-transaction.ts'
import type { Changed } from './session.ts'

const hash = z.string().nullable()

export const RECEIPT = z.object({
  directory: z.string(),
  transaction: z.string().describe('its id: undo takes it back'),
  seq: z.number(),
  chain: z.string(),
  files: z.array(z.object({ path: z.string(), before: hash, after: hash })),
})

/** What tools that change files say of it. */
export const CHANGED = {
  pending: z.boolean().describe('true: part of the open transaction, and nothing has changed on disk yet'),
  receipts: z
    .array(RECEIPT)
    .describe('one a directory that changed; none while pending, or when nothing was to be changed'),
}

export function receiptOf({ workspace, receipt }: WorkspaceCommit): z.output<typeof RECEIPT> {
  const { tx, seq, chain, files } = receipt
  return { directory: workspace.root, transaction: tx, seq, chain, files: files.map((file) => ({ ...file })) }
}

export function changedOf({ pending, commits }: Pick<Changed<unknown>, 'pending' | 'commits'>) {
  return { pending, receipts: commits.map(receiptOf) }
}

/** For programs that use a tool whose answer is that of the reference server. */
export function receiptMeta(changed: Pick<Changed<unknown>, 'pending' | 'commits'>): Record<string, unknown> {
  return { 'write-journal/changed': changedOf(changed) }
}

/** The same for a person or a model. */
export function receiptText({ tx, seq, files }: Receipt): string {
  const lines = files.slice(0, 50).map(({ path, before, after }) => {
    return `  ${before === null && after !== null ? 'A' : after === null && before !== null ? 'D' : before === after ? '·' : 'M'} ${path}`
  })
  const more = files.length > lines.length ? [`  and ${files.length - lines.length} more`] : []
  return [
    `committed ${tx} (${seq}), ${files.length} ${files.length === 1 ? 'path' : 'paths'}:`,
    ...lines,
    ...more,
  ].join('\n')
}

export function changedText({ pending, commits }: Pick<Changed<unknown>, 'pending' | 'commits'>): string {
  if (pending) return 'part of the open transaction: commit_transaction puts it into place'
  return commits.length === 0 ? 'nothing to change' : commits.map(({ receipt }) => receiptText(receipt)).join('\n')
}

import type { CompactOptions } from '../../journal-types.ts'
import { byteAmount, declare, positive, whole } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'
import { present } from '../present.ts'

interface Options {
  readonly keepTransactions?: number
  readonly keepDays?: number
  readonly maxBytes?: number
  readonly dryRun?: boolean
}

export default declare<[], Options>({
  description:
    'Drops transactions that are beyond the limits given, the oldest first, by whole segments of the log; and frees the space of contents that nothing in the history names any more. What is kept answers as before, and the chain of it can still be verified. Files in the workspace are left alone.',
  options: [
    ['--keep-transactions <count>', 'keep the newest so many transactions, and no more than segments force', whole],
    ['--keep-days <days>', 'keep the transactions of the last so many days', positive],
    ['--max-bytes <bytes>', 'drop until log and blobs take no more: 500000, 200M, 2G', byteAmount],
    ['--dry-run', 'only say what would be dropped'],
  ],
  examples: [
    ['journal compact', 'after a purge, or a crash while large files were written'],
    ['journal compact --keep-days 90', 'history of three months'],
    ['journal compact --keep-transactions 1000 --dry-run', 'what that would drop'],
  ],
  async run(session, _args, { keepTransactions, keepDays, maxBytes, dryRun }) {
    const { output } = session
    const limits = present<CompactOptions>({ keepTransactions, keepDays, maxBytes, dryRun })
    await session[dryRun ? 'read' : 'write'](async (journal) => {
      const result = await journal.compact(limits)
      const { transactionsDropped, blobsRemoved, filesRemoved, bytesFreed, horizon } = result
      const dropped = counted(transactionsDropped, 'transaction')
      await output.result(result, () => [
        ...(transactionsDropped === 0
          ? []
          : [`${dryRun ? 'would drop' : 'dropped'} ${dropped}, up to number ${horizon}`]),
        `${dryRun ? 'would remove' : 'removed'} ${counted(blobsRemoved, 'blob')} and ${counted(filesRemoved, 'file')}, ${dryRun ? 'and free' : 'freed'} ${byteCount(bytesFreed)}`,
      ])
    })
  },
})

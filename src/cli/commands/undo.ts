import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { transactionName } from '../transaction-name.ts'

export default declare<[tx: string], MetaOptions & { force?: boolean }>({
  description:
    'Takes a transaction back, however old, by a new transaction. Where a file was changed since, nothing happens and the files are listed (exit code 3).',
  arguments: [['<tx>', 'its id, the beginning of one, its number, or `head`']],
  options: [['--force', 'set the files back even where they were changed since; the history keeps what was there']],
  commits: true,
  examples: [
    ['journal undo head', 'take the last transaction back'],
    ['journal undo t3k9', 'take an older one back, by the beginning of its id'],
  ],
  async run(session, [name], options) {
    await session.write(async (journal) => {
      const receipt = await journal.undo(await transactionName(name, journal), {
        ...session.meta(options),
        ...(options.force ? { force: true } : {}),
      })
      await printReceipt(receipt, session.output, 'undone by')
    })
  },
})

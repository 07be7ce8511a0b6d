import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { transactionName } from '../transaction-name.ts'

export default declare<[tx: string], MetaOptions & { force?: boolean }>({
  description: 'Does a transaction again that was undone, by a new transaction. Name the transaction, or its undo.',
  arguments: [['<tx>', 'id, beginning of one, or number; `head` right after an undo']],
  options: [['--force', 'set the files even where they were changed since; the history keeps what was there']],
  commits: true,
  examples: [['journal redo head', 'take back the undo just made']],
  async run(session, [name], options) {
    await session.write(async (journal) => {
      const receipt = await journal.redo(await transactionName(name, journal), {
        ...session.meta(options),
        ...(options.force ? { force: true } : {}),
      })
      await printReceipt(receipt, session.output, 'redone by')
    })
  },
})

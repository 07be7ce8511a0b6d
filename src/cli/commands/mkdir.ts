import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[paths: string[]], MetaOptions>({
  description: 'Makes folders, with the missing ones above them, all in one transaction.',
  arguments: [['<path...>', 'the folders to make']],
  commits: true,
  examples: [['journal mkdir src/parts docs', 'make two folders']],
  async run(session, [paths], options) {
    await session.write(async (journal) => {
      const receipt = await journal.transact(session.meta(options), async (tx) => {
        for (const path of paths) await tx.mkdir(session.folder(path))
      })
      await printReceipt(receipt, session.output)
    })
  },
})

import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[paths: string[]], MetaOptions>({
  description:
    'Removes empty folders, all in one transaction. For folders with something in them there is `journal rm -r`.',
  arguments: [['<path...>', 'the folders to remove']],
  commits: true,
  examples: [['journal rmdir src/parts', 'remove an empty folder']],
  async run(session, [paths], options) {
    await session.write(async (journal) => {
      const receipt = await journal.transact(session.meta(options), async (tx) => {
        for (const path of paths) await tx.rmdir(session.folder(path))
      })
      await printReceipt(receipt, session.output)
    })
  },
})

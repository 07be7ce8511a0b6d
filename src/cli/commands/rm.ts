import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[paths: string[]], MetaOptions & { recursive?: boolean }>({
  description: 'Removes files and symbolic links, all in one transaction. The journal keeps what was in them.',
  arguments: [['<path...>', 'what to remove']],
  options: [['-r, --recursive', 'remove folders with everything in them']],
  commits: true,
  examples: [
    ['journal rm old.txt', 'remove a file'],
    ['journal rm -r build -m "clean up"', 'remove a folder'],
  ],
  async run(session, [paths], options) {
    await session.write(async (journal) => {
      const receipt = await journal.transact(session.meta(options), async (tx) => {
        for (const path of paths) {
          await tx.remove(session.folder(path), options.recursive ? { recursive: true } : undefined)
        }
      })
      await printReceipt(receipt, session.output)
    })
  },
})

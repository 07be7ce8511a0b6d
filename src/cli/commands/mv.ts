import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[from: string, to: string], MetaOptions>({
  description: 'Moves or renames a file or a folder as one transaction; missing folders are made.',
  arguments: [
    ['<from>', 'what to move'],
    ['<to>', 'its new path (not the folder to put it in)'],
  ],
  commits: true,
  examples: [['journal mv old.md docs/new.md', 'rename a file into a folder']],
  async run(session, [from, to], options) {
    await session.write(async (journal) => {
      const receipt = await journal.rename(session.folder(from), session.folder(to), session.meta(options))
      await printReceipt(receipt, session.output)
    })
  },
})

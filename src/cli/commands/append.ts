import { conditionOf, declare, expectation } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { standardInput } from '../standard-input.ts'

export default declare<[path: string], MetaOptions & { expect?: string }>({
  description: 'Appends standard input to a file as one transaction; the file is made if there is none.',
  arguments: [['<path>', 'the file to append to']],
  options: [
    ['--expect <hash>', 'append only if the content there now has this SHA-256 (`none`: no file)', expectation],
  ],
  commits: true,
  examples: [['date | journal append log.txt', 'add a line to a file']],
  async run(session, [path], options) {
    const content = await standardInput(session)
    await session.write(async (journal) => {
      const receipt = await journal.append(session.path(path), content, {
        ...session.meta(options),
        ...conditionOf(options),
      })
      await printReceipt(receipt, session.output)
    })
  },
})

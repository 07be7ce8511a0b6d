import { text } from 'node:stream/consumers'
import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { standardInput } from '../standard-input.ts'

export default declare<[path: string], MetaOptions>({
  description: 'Applies a unified diff from standard input to one file, as one transaction.',
  arguments: [['<path>', 'the file to change']],
  commits: true,
  examples: [['journal patch src/a.ts < fix.diff', 'apply a fix']],
  async run(session, [path], options) {
    const diff = await text(await standardInput(session))
    await session.write(async (journal) => {
      await printReceipt(await journal.patch(session.path(path), diff, session.meta(options)), session.output)
    })
  },
})

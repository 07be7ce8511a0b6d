import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[target: string, path: string], MetaOptions>({
  description:
    'Makes a symbolic link as one transaction. The target is kept as given, so it is relative to the folder of the link.',
  arguments: [
    ['<target>', 'what the link points to'],
    ['<path>', 'the link'],
  ],
  commits: true,
  examples: [['journal ln v2.json config/current.json', 'make current.json point to v2.json beside it']],
  async run(session, [target, path], options) {
    await session.write(async (journal) => {
      await printReceipt(await journal.symlink(session.path(path), target, session.meta(options)), session.output)
    })
  },
})

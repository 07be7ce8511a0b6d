import { conditionOf, declare, expectation, octal } from '../declaration.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { standardInput } from '../standard-input.ts'

interface Options extends MetaOptions {
  readonly mode?: number
  readonly expect?: string
  readonly merge?: boolean
}

export default declare<[path: string], Options>({
  description:
    'Writes a file from standard input as one transaction; missing folders are made. The content is streamed, so its size does not matter.',
  arguments: [['<path>', 'the file to write']],
  options: [
    ['--mode <octal>', 'permissions of the file; default: those it has, or the usual ones', octal],
    ['--expect <hash>', 'write only if the content there now has this SHA-256 (`none`: no file)', expectation],
    ['--merge', 'with --expect: when the content is another by now, merge the text with what changed'],
  ],
  commits: true,
  examples: [
    ['echo hello | journal write notes/hello.txt -m "first note"', 'write a small file'],
    ['journal write data.bin < /tmp/large.bin', 'write a large one'],
  ],
  async run(session, [path], options) {
    const content = await standardInput(session)
    await session.write(async (journal) => {
      const receipt = await journal.write(session.path(path), content, {
        ...session.meta(options),
        ...conditionOf(options),
        ...present<{ mode?: number; merge?: boolean }>({ mode: options.mode, merge: options.merge }),
      })
      await printReceipt(receipt, session.output)
    })
  },
})

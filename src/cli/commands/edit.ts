import type { TextEdit } from '../../entry/entry.ts'
import { collect, conditionOf, declare, expectation } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions {
  readonly old: readonly string[]
  readonly new: readonly string[]
  readonly all?: boolean
  readonly expect?: string
}

export default declare<[path: string], Options>({
  description:
    'Replaces text in a file as one transaction. The old text must stand there exactly once, unless --all is given. Line endings, encoding and permissions stay.',
  arguments: [['<path>', 'the file to edit']],
  required: [
    ['--old <text>', 'the text to replace; repeat it, with --new, for several edits', collect],
    ['--new <text>', 'what stands there afterwards; may be empty', collect],
  ],
  options: [
    ['--all', 'replace every occurrence'],
    ['--expect <hash>', 'edit only if the content there now has this SHA-256', expectation],
  ],
  commits: true,
  examples: [
    ['journal edit src/a.ts --old "let x" --new "const x"', 'one place'],
    ['journal edit src/a.ts --all --old oldName --new newName', 'every place'],
  ],
  async run(session, [path], options) {
    if (options.old.length !== options.new.length) {
      throw new UsageError(
        `${options.old.length} × --old, but ${options.new.length} × --new`,
        'Give every --old a --new, in the same order.',
      )
    }
    const edits = options.old.map((oldText, index): TextEdit => {
      return { oldText, newText: options.new[index] ?? '', ...(options.all ? { all: true } : {}) }
    })
    await session.write(async (journal) => {
      const receipt = await journal.edit(session.path(path), edits, {
        ...session.meta(options),
        ...conditionOf(options),
      })
      await printReceipt(receipt, session.output)
    })
  },
})

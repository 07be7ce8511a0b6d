import type { Leniency } from '../../edit/lenient.ts'
import type { Encoding } from '../../edit/text.ts'
import type { TextEdit } from '../../entry/entry.ts'
import type { EditOptions } from '../../transaction/operation-options.ts'
import { collect, conditionOf, declare, encodingName, expectation, leniency } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import { printRehearsal } from '../revision-text.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions {
  readonly old: readonly string[]
  readonly new: readonly string[]
  readonly all?: boolean
  readonly expect?: string
  readonly lenient?: boolean | Leniency
  readonly encoding?: Encoding
  readonly merge?: boolean
  readonly dryRun?: boolean
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
    [
      '--lenient [level]',
      'find whole lines also where blanks at their ends (`trailing-blanks`), or also their indentation (`indentation`, the default), are others',
      leniency,
    ],
    [
      '--encoding <name>',
      'of a file that is not UTF-8 and does not say so itself: utf-16le, utf-16be, latin1',
      encodingName,
    ],
    ['--expect <hash>', 'edit only if the content there now has this SHA-256', expectation],
    ['--merge', 'with --expect: when the content is another by now, merge the edit with what changed'],
    ['--dry-run', 'only say what would be changed, and where'],
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
    const { lenient, encoding, merge } = options
    const how = { ...conditionOf(options), ...present<EditOptions>({ lenient, encoding, merge }) }
    await session.write(async (journal) => {
      if (options.dryRun) {
        const rehearsal = journal.begin(session.meta(options))
        await printRehearsal([await rehearsal.edit(session.path(path), edits, how)], session.output)
        return rehearsal.abort()
      }
      const receipt = await journal.edit(session.path(path), edits, { ...session.meta(options), ...how })
      await printReceipt(receipt, session.output)
    })
  },
})

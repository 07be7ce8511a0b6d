import type { ImportChange } from '../../edit/imports/import-change.ts'
import type { ImportsOptions, Language } from '../../edit/imports/imports.ts'
import type { Encoding } from '../../edit/text.ts'
import type { TextOptions } from '../../transaction/operation-options.ts'
import { collect, conditionOf, declare, encodingName, expectation, oneOf } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import { printRehearsal } from '../revision-text.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly language?: Language
  readonly encoding?: Encoding
  readonly expect?: string
  readonly dryRun?: boolean
}

export default declare<[path: string], Options>({
  description:
    'Adds imports to a JavaScript, TypeScript or Python file, and removes them, as one transaction. What is imported already is not imported twice; the statements are written as the file writes its own.',
  arguments: [['<path>', 'the source file']],
  options: [
    ['--add <statement>', 'an import statement; repeat it for several', collect],
    ['--remove <statement>', 'an import statement, or the name of a module; repeat it for several', collect],
    [
      '--language <name>',
      'javascript or python, where the name of the file does not tell',
      oneOf('javascript', 'python'),
    ],
    ['--encoding <name>', 'of a file that is not UTF-8: utf-16le, utf-16be, latin1', encodingName],
    ['--expect <hash>', 'only if the content there now has this SHA-256', expectation],
    ['--dry-run', 'only say what would be changed'],
  ],
  commits: true,
  examples: [
    ['journal imports src/a.ts --add "import { join } from \'node:path\'"', 'one more name'],
    ['journal imports tool.py --add "from typing import Any" --remove os', 'one in, one out'],
  ],
  async run(session, [path], options) {
    const { add = [], remove = [], encoding } = options
    const changes: ImportChange[] = [...remove.map((said) => ({ remove: said })), ...add.map((said) => ({ add: said }))]
    if (changes.length === 0) throw new UsageError('nothing to change', 'Give --add or --remove.')
    const how = {
      ...conditionOf(options),
      ...present<TextOptions & ImportsOptions>({ encoding, language: options.language }),
    }
    await session.write(async (journal) => {
      if (options.dryRun) {
        const rehearsal = journal.begin(session.meta(options))
        await printRehearsal([await rehearsal.imports(session.path(path), changes, how)], session.output)
        return rehearsal.abort()
      }
      const receipt = await journal.imports(session.path(path), changes, { ...session.meta(options), ...how })
      await printReceipt(receipt, session.output)
    })
  },
})

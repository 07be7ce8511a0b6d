import type { PlainTable, PlainValue } from '../../edit/plain-value.ts'
import type { SettingChange } from '../../edit/settings/setting-change.ts'
import type { SettingsOptions } from '../../edit/settings/settings.ts'
import type { FormatName } from '../../edit/settings/settings-format.ts'
import type { Encoding } from '../../edit/text.ts'
import type { TextOptions } from '../../transaction/operation-options.ts'
import { collect, conditionOf, declare, encodingName, expectation, oneOf, whole } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import { printRehearsal } from '../revision-text.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions {
  readonly merge?: readonly string[]
  readonly delete?: readonly string[]
  readonly text?: boolean
  readonly format?: FormatName
  readonly document?: number
  readonly encoding?: Encoding
  readonly expect?: string
  readonly dryRun?: boolean
}

export default declare<[path: string, assignments: readonly string[]], Options>({
  description:
    'Sets, merges and deletes values in a JSON, YAML, TOML or INI file, as one transaction. All else in the file stays byte for byte. A key is written scripts.test, servers[0].host or "a.b".c.',
  arguments: [
    ['<path>', 'the configuration file'],
    ['[assignments...]', 'KEY=VALUE; a value that is JSON is taken as that, any other as a text'],
  ],
  options: [
    ['--merge <assignment>', 'KEY=OBJECT in JSON: set what it names, leave the rest of that table', collect],
    ['--delete <key>', 'take a value out; repeat it for several', collect],
    ['--text', 'take every value as a text'],
    [
      '--format <name>',
      'json, yaml, toml or ini, where the name of the file does not tell',
      oneOf('json', 'yaml', 'toml', 'ini'),
    ],
    ['--document <number>', 'which document of a YAML file that has several, from 0', whole],
    ['--encoding <name>', 'of a file that is not UTF-8: utf-16le, utf-16be, latin1', encodingName],
    ['--expect <hash>', 'only if the content there now has this SHA-256', expectation],
    ['--dry-run', 'only say what would be changed'],
  ],
  commits: true,
  examples: [
    ['journal set package.json scripts.test=vitest private=true', 'two values'],
    ['journal set config.yaml --delete server.debug', 'one less'],
  ],
  async run(session, [path, assignments], options) {
    const { merge = [], delete: gone = [], encoding, document } = options
    const changes: SettingChange[] = [
      ...gone.map((key) => ({ key, delete: true }) as const),
      ...merge.map((said) => {
        const [key, value] = split(said)
        return { key, merge: plainValue(value, false) as PlainTable }
      }),
      ...assignments.map((said) => {
        const [key, value] = split(said)
        return { key, value: plainValue(value, options.text === true) }
      }),
    ]
    if (changes.length === 0) throw new UsageError('nothing to change', 'Give KEY=VALUE, --merge or --delete.')
    const how = {
      ...conditionOf(options),
      ...present<TextOptions & SettingsOptions>({ encoding, document, format: options.format }),
    }
    await session.write(async (journal) => {
      if (options.dryRun) {
        const rehearsal = journal.begin(session.meta(options))
        await printRehearsal([await rehearsal.set(session.path(path), changes, how)], session.output)
        return rehearsal.abort()
      }
      const receipt = await journal.set(session.path(path), changes, { ...session.meta(options), ...how })
      await printReceipt(receipt, session.output)
    })
  },
})

/** At the first `=` that is in no quotes. */
function split(said: string): [key: string, value: string] {
  const key = /^(?:"(?:[^"\\]|\\.)*"|[^="])*/.exec(said)?.[0] ?? ''
  if (key === '' || said[key.length] !== '=')
    throw new UsageError(`${said} has no KEY=VALUE`, 'Write scripts.test=vitest.')
  return [key, said.slice(key.length + 1)]
}

function plainValue(said: string, text: boolean): PlainValue {
  if (text) return said
  try {
    return JSON.parse(said) as PlainValue
  } catch {
    return said
  }
}

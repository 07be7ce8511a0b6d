import fc from 'fast-check'
import { type ParseError, parse as parseJson } from 'jsonc-parser'
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser'
import { describe, expect, it } from 'vitest'
import * as yaml from 'yaml'
import type { PlainTable, PlainValue } from '../../../src/edit/plain-value.ts'
import { changedSettings } from '../../../src/edit/settings/changed-settings.ts'
import { iniSettings } from '../../../src/edit/settings/ini-settings.ts'
import { jsonSettings } from '../../../src/edit/settings/json-settings.ts'
import { checkedSettings, type SettingChange } from '../../../src/edit/settings/setting-change.ts'
import type { SettingsFormat } from '../../../src/edit/settings/settings-format.ts'
import { tomlSettings } from '../../../src/edit/settings/toml-settings.ts'
import { yamlSettings } from '../../../src/edit/settings/yaml-settings.ts'
import { JournalError } from '../../../src/errors.ts'

type Table = { [key: string]: PlainValue }

/** How files of a format are made and read here, by other means than those under test. */
interface Maker {
  readonly format: SettingsFormat
  /** The text of a top-level key on whole lines; `at`: which one it is, for forms that must come in an order. */
  chunk(key: string, value: PlainValue, dice: Dice): string
  join(chunks: readonly string[]): string
  read(text: string): PlainValue
  /** What of a line is compared: a comma at its end may come or go. */
  bare(line: string): string
  readonly values: fc.Arbitrary<PlainValue>
}

/** Choices of a writer, one after another. */
class Dice {
  #at = 0
  readonly #numbers: readonly number[]

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  pick<T>(...choices: readonly T[]): T {
    this.#at += 1
    return choices[(this.#numbers[this.#at % this.#numbers.length] ?? 0) % choices.length] as T
  }
}

const key = fc.constantFrom('a', 'b', 'name', 'long-key', 'x_1', 'with space', 'é', 'on')
const word = fc.constantFrom(
  '',
  'v',
  'two words',
  'yes',
  '12',
  '# no',
  "it's",
  '"q"',
  'a: b',
  'é😀',
  '- x',
  'null',
  '{',
  'back\\slash',
  '\ttab',
)
const scalar = fc.oneof(fc.integer({ min: -99, max: 99 }), fc.boolean(), word, fc.constant(1.5))
const tree = (inner: fc.Arbitrary<PlainValue>): fc.Arbitrary<PlainValue> =>
  fc.oneof(inner, fc.array(inner, { maxLength: 3 }), fc.dictionary(key, inner, { maxKeys: 3, noNullPrototype: true }))
const deep = tree(tree(scalar))
const nullable = fc.oneof({ weight: 8, arbitrary: deep }, { weight: 1, arbitrary: fc.constant(null) })
const lines = fc.constantFrom('one\ntwo', 'one\n\ntwo\n')

const isTable = (value: unknown): value is PlainTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const noted = (dice: Dice, mark: string): string => dice.pick('', '', ` ${mark} note`)

const json: Maker = {
  format: jsonSettings,
  values: nullable,
  chunk: (name, value, dice) => {
    const text = JSON.stringify(value, null, dice.pick(0, 2)).replaceAll('\n', '\n  ')
    return `${dice.pick('', '  // above\n', '\n')}  ${JSON.stringify(name)}: ${text},${noted(dice, '//')}`
  },
  join: (chunks) => {
    const text = chunks.join('\n')
    const last = chunks.at(-1) ?? ''
    const comma = text.length - last.length + last.lastIndexOf(',')
    return chunks.length === 0 ? '{\n}\n' : `{\n${text.slice(0, comma)}${text.slice(comma + 1)}\n}\n`
  },
  read: (text) => {
    const errors: ParseError[] = []
    const value = parseJson(text, errors, { allowTrailingComma: false }) as PlainValue
    expect(errors).toEqual([])
    return value
  },
  bare: (line) => (/^[{}]+$/.test(line) ? '' : line.replace(/,( \/\/ note)?$/, '$1')),
}

const yamlMaker: Maker = {
  format: yamlSettings,
  values: fc.oneof({ weight: 6, arbitrary: nullable }, { weight: 1, arbitrary: lines }),
  chunk: (name, value, dice) => {
    const text = yaml
      .stringify(
        { [name]: value },
        { indent: 4, indentSeq: false, lineWidth: 0, collectionStyle: dice.pick('block', 'block', 'flow') },
      )
      .trimEnd()
    // A whole document in flow style has braces of its own.
    const own = text.startsWith('{') ? `${JSON.stringify(name)}: ${JSON.stringify(value)}` : text
    const single = !own.includes('\n')
    return dice.pick('', '# above\n', '\n') + own + (single ? noted(dice, '#') : '')
  },
  join: (chunks) => chunks.map((chunk) => `${chunk}\n`).join(''),
  read: (text) => (yaml.parse(text) as PlainValue | undefined) ?? {},
  bare: (line) => line,
}

function tomlInline(value: PlainValue): string {
  if (Array.isArray(value)) return `[${value.map(tomlInline).join(', ')}]`
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)} = ${tomlInline(item)}`)
    return `{ ${pairs.join(', ')} }`
  }
  return JSON.stringify(value)
}

const toml: Maker = {
  format: tomlSettings,
  values: deep,
  chunk: (name, value, dice) => {
    const quoted = JSON.stringify(name)
    const above = dice.pick('', '# above\n', '\n')
    if (!isTable(value) || dice.pick(true, false)) return `${quoted} = ${tomlInline(value)}${noted(dice, '#')}`
    const pairs = Object.entries(value).map(
      ([inner, item]) => `"${inner}"${dice.pick(' = ', '=')}${tomlInline(item)}${noted(dice, '#')}`,
    )
    return [`${above}[${quoted}]${noted(dice, '#')}`, ...pairs].join('\n')
  },
  // What has no header must stand before all that has one.
  join: (chunks) => {
    const headed = (chunk: string): boolean => /^\[/m.test(chunk)
    const sorted = [...chunks.filter((chunk) => !headed(chunk)), ...chunks.filter(headed)]
    return sorted.map((chunk) => `${chunk}\n`).join('')
  },
  read: (text) => getStaticTOMLValue(parseTOML(text)) as PlainValue,
  bare: (line) => line,
}

const iniWord = fc.constantFrom('v', 'two words', 'a=b', '#x', 'é', '7', "it's", 'a:b')
const ini: Maker = {
  format: iniSettings,
  values: fc.oneof(
    iniWord as fc.Arbitrary<PlainValue>,
    fc.dictionary(key, iniWord, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<PlainValue>,
  ),
  chunk: (name, value, dice) => {
    if (!isTable(value)) return `${name}${dice.pick(' = ', '=')}${String(value)}${noted(dice, ';')}`
    const pairs = Object.entries(value).map(([inner, item]) => `${inner} = ${String(item)}${noted(dice, '#')}`)
    return [`${dice.pick('', '; above\n', '\n')}[${name}]`, ...pairs].join('\n')
  },
  join: toml.join,
  read: (text) => {
    const file: Table = {}
    let table = file
    for (const line of text.split(/\r?\n/)) {
      const header = /^\[(.*)\]/.exec(line)?.[1]
      const pair = /^([^;#=]+?) *= *(.*?)(?: [;#] note)?$/.exec(line)
      if (header !== undefined) {
        table = {}
        file[header] = table
      } else if (pair !== null) table[pair[1] ?? ''] = pair[2] ?? ''
    }
    return file
  },
  bare: (line) => line,
}

/** Without what TOML forgets, and with plain prototypes. */
function comparable(value: PlainValue, forget: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: PlainValue) => comparable(item, forget))
    return forget && items.every((item) => item === undefined) ? undefined : items.map((item) => item ?? null)
  }
  if (!isTable(value)) return value
  const items = Object.entries(value).map(([name, item]) => [name, comparable(item, forget)] as const)
  const left = items.filter(([, item]) => item !== undefined)
  return forget && left.length === 0 ? undefined : Object.fromEntries(left)
}

/** Ways to values, and to places where there is none yet. */
function waysOf(value: PlainValue, way: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  const inner = Array.isArray(value)
    ? [...value.flatMap((item: PlainValue, index) => waysOf(item, [...way, index])), [...way, value.length]]
    : isTable(value)
      ? [...Object.entries(value).flatMap(([name, item]) => waysOf(item, [...way, name])), [...way, 'fresh']]
      : []
  return way.length === 0 ? inner : [way, ...inner]
}

function modelled(value: PlainValue, change: SettingChange): PlainValue {
  const copy = structuredClone(value) as Table
  const way = change.key as (string | number)[]
  let holder: Table | PlainValue[] = copy
  for (const step of way.slice(0, -1)) holder = (holder as Table)[step] as Table
  const last = way.at(-1) as string
  if ('value' in change) (holder as Table)[last] = change.value
  else if ('merge' in change) (holder as Table)[last] = { ...((holder as Table)[last] as PlainTable), ...change.merge }
  else if (Array.isArray(holder)) holder.splice(Number(last), 1)
  else delete (holder as Table)[last]
  return copy
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0
  for (const line of whole) if (at < part.length && line === part[at]) at += 1
  return at === part.length
}

describe.each([
  ['JSON', json],
  ['YAML', yamlMaker],
  ['TOML', toml],
  ['INI', ini],
] as const)('%s files of all shapes', (_, maker) => {
  it('say what they should after a change, and are byte for byte the same elsewhere', async () => {
    let [made, refused] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(key, maker.values, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
        fc.array(fc.nat(100), { minLength: 7, maxLength: 13 }),
        fc.nat(),
        maker.values,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (table, dice, choice, value, newline, lastNewline) => {
          const roll = new Dice(dice)
          const chunks = new Map(Object.entries(table).map(([name, item]) => [name, maker.chunk(name, item, roll)]))
          let text = maker.join([...chunks.values()]).replaceAll('\n', newline)
          if (!lastNewline) text = text.slice(0, -newline.length)
          const before = maker.read(text)
          expect(comparable(before, false)).toEqual(comparable(table, false))
          const ways = waysOf(table).filter((way) => maker !== ini || way.length < 3)
          const way = ways[choice % ways.length] as (string | number)[]
          const old = way.reduce<PlainValue | undefined>((found, step) => (found as Table)[step], table)
          fc.pre(maker !== ini || !(isTable(value) && way.length > 1))
          const change: SettingChange =
            old === undefined || roll.pick(true, true, false)
              ? { key: way, value }
              : isTable(old) && isTable(value) && roll.pick(true, false)
                ? { key: way, merge: value }
                : { key: way, delete: true }
          const wanted = modelled(table, change)
          made += 1
          let after: string
          try {
            after = await changedSettings(text, checkedSettings('a', [change]), 'a', maker.format)
          } catch (error) {
            if (!(error instanceof JournalError)) throw error
            expect(error.code).toBe('INVALID')
            refused += 1
            return
          }
          const forget = maker.format.forgetsEmpty
          if (!('merge' in change)) {
            expect(comparable(maker.read(after), forget)).toEqual(comparable(wanted, forget))
          }
          const others = maker.join([...chunks].filter(([name]) => name !== way[0]).map(([, chunk]) => chunk))
          const split = (all: string): string[] =>
            all
              .split('\n')
              .map(maker.bare)
              .filter((line) => line !== '')
          const left = split(others.replaceAll('\r', ''))
          expect(isSubsequence(left, split(after.replaceAll('\r', '')))).toBe(true)
          if (after !== '')
            expect([text, JSON.stringify(change), after, after.endsWith('\n')]).toEqual([
              text,
              JSON.stringify(change),
              after,
              lastNewline,
            ])
          if (text.includes('\r')) expect(/(?<!\r)\n/.test(after)).toBe(false)
          if (newline === '\n') expect(after).not.toContain('\r')
        },
      ),
      { numRuns: Number(process.env.SETTINGS_RUNS ?? 300) },
    )
    // What cannot be kept is refused; that must stay rare, or this tests nothing.
    expect(refused).toBeLessThan(made / 10)
  })
})

describe('values that take the place of others', () => {
  const FILES: [SettingsFormat, string, SettingChange[]][] = [
    [
      jsonSettings,
      '{\n  // one\n  "a": 1, "b": { "c": [1, 2], "d": null }, /* two */\n  "e": "x"\n}\n',
      [
        { key: 'e', value: { f: [1] } },
        { key: 'b.c[1]', value: 'two' },
        { key: 'a', value: [] },
        { key: 'b', merge: { d: true } },
      ],
    ],
    [
      yamlSettings,
      'a: 1 # one\nb:\n  c: [1, 2]\n  d: "x"\ne: |\n  text\nf: end\n',
      [
        { key: 'e', value: 'other\ntext\n' },
        { key: 'b.c[0]', value: 'yes' },
        { key: 'a', value: 2 },
        { key: 'b.d', value: 'y' },
        { key: 'f', value: { g: 1 } },
      ],
    ],
    [
      tomlSettings,
      'a = 1 # one\nb = { c = 2 }\n[t]\nd = "x"\n[t.u]\ne = [1,\n  2]\n',
      [
        { key: 't.u.e[1]', value: 3 },
        { key: 'b.c', value: 'two' },
        { key: 'a', value: false },
        { key: 't.d', value: 'y' },
      ],
    ],
    [
      iniSettings,
      'a = 1\n[s]\nb = 2 ; two\nc: 3\n',
      [
        { key: 's.c', value: 'x' },
        { key: 'a', value: 2 },
        { key: 's.b', value: '4' },
      ],
    ],
  ]

  it.each(FILES)(
    'are worked out on one reading, and come to what they come to one by one: %#',
    async (format, text, changes) => {
      let reads = 0
      const counting: SettingsFormat = {
        ...format,
        read: (...given) => {
          reads += 1
          return format.read(...given)
        },
      }
      const all = await changedSettings(text, checkedSettings('f', changes), 'f', counting)
      expect(reads).toBe(2)
      let one = text
      for (const change of changes) one = await changedSettings(one, checkedSettings('f', [change]), 'f', format)
      expect(all).toBe(one)
      expect(all).not.toBe(text)
    },
  )

  it('are made in order where one is within another, and the one that cannot be is named', async () => {
    const inOrder = await changedSettings(
      '{"a": {"b": 1}, "c": 2}',
      checkedSettings('f', [
        { key: 'a.b', value: 2 },
        { key: 'a', value: { b: 3, d: 4 } },
        { key: 'a.d', value: 5 },
      ]),
      'f',
      jsonSettings,
    )
    expect(parseJson(inOrder)).toEqual({ a: { b: 3, d: 5 }, c: 2 })
    const refused = changedSettings(
      '{"c": 2,\n"a": 1,\n"a": 2}',
      checkedSettings('f', [
        { key: 'c', value: 3 },
        { key: 'a', value: 2 },
        { key: 'a', value: 3 },
      ]),
      'f',
      jsonSettings,
    )
    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: { line: 2 } })
  })
})

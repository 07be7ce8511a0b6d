import { isList, isTable, type PlainTable, type PlainValue } from '../plain-value.ts'

/** How the text that is replaced was written. */
export interface TomlManner {
  readonly kind?: 'literal' | 'multiline' | 'float' | undefined
}

/** A key, or a dotted one. */
export function tomlKey(keys: readonly (string | number)[]): string {
  return keys
    .filter((key) => typeof key === 'string')
    .map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : basic(key)))
    .join('.')
}

function basic(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

/** A value on one line, but for texts that stood on several before. */
export function tomlValue(value: PlainValue, manner: TomlManner = {}): string {
  if (typeof value === 'string') return tomlText(value, manner)
  if (typeof value === 'number' && manner.kind === 'float' && Number.isInteger(value)) {
    return Number.isSafeInteger(value) ? `${value}.0` : String(value)
  }
  if (isList(value)) return `[${value.map((item) => tomlValue(item)).join(', ')}]`
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([key, item]) => `${tomlKey([key])} = ${tomlValue(item)}`)
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
  }
  return String(value)
}

function tomlText(value: string, { kind }: TomlManner): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a literal text cannot hold
  if (kind === 'literal' && !/['\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return `'${value}'`
  if (kind !== 'multiline' || !value.includes('\n')) return basic(value)
  const lines = value.split('\n').map((line) => basic(line).slice(1, -1))
  return `"""\n${lines.join('\n')}"""`
}

/** A table under a header of its own, and those in it under theirs; `keys`: the header. */
export function tomlBlocks(keys: readonly (string | number)[], table: PlainTable, header: string): string[][] {
  const entries = Object.entries(table)
  const isBlock = (value: PlainValue): value is PlainTable => isTable(value) && Object.keys(value).length > 0
  const own = entries.filter(([, value]) => !isBlock(value))
  const inner = entries.filter((entry): entry is [string, PlainTable] => isBlock(entry[1]))
  const lines = own.map(([key, value]) => `${tomlKey([key])} = ${tomlValue(value)}`)
  const blocks = inner.flatMap(([key, value]) => {
    const deeper = [...keys, key]
    return tomlBlocks(deeper, value, `[${tomlKey(deeper)}]`)
  })
  // A header that only holds others need not stand there, but an item of a list must.
  return own.length === 0 && inner.length > 0 && !header.startsWith('[[') ? blocks : [[header, ...lines], ...blocks]
}

/** TOML has no null. */
export function hasNull(value: PlainValue): boolean {
  if (value === null) return true
  if (isList(value)) return value.some(hasNull)
  return isTable(value) && Object.values(value).some(hasNull)
}

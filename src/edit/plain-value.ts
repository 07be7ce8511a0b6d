import { JournalError, shown } from '../errors.ts'

/** What every configuration format can hold, as plain values. */
export type PlainValue = null | boolean | number | string | readonly PlainValue[] | PlainTable
export interface PlainTable {
  readonly [key: string]: PlainValue
}

/** Deeper values are refused. */
const MAX_DEPTH = 200

export function isTable(value: unknown): value is PlainTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A list of a document; `Array.isArray` does not narrow read-only ones. */
export function isList(value: unknown): value is readonly PlainValue[] {
  return Array.isArray(value)
}

/**
 * A copy of a value that a caller gave, once it is one.
 * @throws JournalError `INVALID`
 */
export function checkedValue(value: unknown, what: string, depth = 0): PlainValue {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (depth < MAX_DEPTH && Array.isArray(value)) return value.map((item) => checkedValue(item, what, depth + 1))
  if (depth < MAX_DEPTH && isTable(value) && isPlain(value)) {
    const copy: Record<string, PlainValue> = Object.create(null)
    for (const [key, item] of Object.entries(value)) {
      if (!key.isWellFormed()) throw refused(key, what)
      copy[key] = checkedValue(item, what, depth + 1)
    }
    return copy
  }
  throw refused(value, what)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function refused(value: unknown, what: string): JournalError {
  return new JournalError('INVALID', `${what}: ${shown(value)} is no value for a configuration file`, {
    hint: 'Give null, true, false, a finite number, a well-formed text, or lists and objects of these.',
  })
}

/** The same value; the order of keys does not matter. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || (a === 0 && b === 0)) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]))
  }
  if (!isTable(a) || !isTable(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
  )
}

/** What a revision says, as JSON in a text: any reader can show it, and no number or nesting of it is beyond MessagePack's forms here. */
import { JournalError, shown } from '../errors.ts'
import type { Json } from './entry.ts'

/** Levels of objects and lists in each other. */
export const MAX_DEPTH = 100

type JsonObject = { readonly [key: string]: Json }

/** The object that a text of JSON holds; undefined for anything else, and for one that is nested too deep. */
export function readJsonWords(text: string): JsonObject | undefined {
  if (!isShallow(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/**
 * The plain form of what a caller wants said in the history: keys without a value are left out.
 * @throws JournalError `INVALID` for what JSON cannot hold
 */
export function plainWords(what: string, value: unknown, path: string): JsonObject {
  let reason = 'it is no object'
  try {
    check(value, 0)
    const plain = readJsonWords(JSON.stringify(value))
    if (plain !== undefined) return plain
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    reason = error.message
  }
  throw new JournalError('INVALID', `${what} for ${shown(path)} cannot be taken: ${reason}`, {
    hint: 'Give plain values: objects, lists, well-formed texts, finite numbers, true, false and null.',
    path,
  })
}

function check(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`it is nested more than ${MAX_DEPTH} deep`)
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('a text in it is not well-formed')
      return
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is no number that JSON can hold`)
      return
    case 'boolean':
    case 'undefined':
      return
    case 'object':
      break
    default:
      throw new TypeError(`it has ${shown(value)}`)
  }
  if (value === null) return
  if (!Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw new TypeError('it has an object that is not plain')
    for (const key of Object.keys(value)) check(key, depth)
  }
  for (const item of Object.values(value)) check(item, depth + 1)
}

/** Are brackets outside of strings nested no deeper than `MAX_DEPTH`? */
function isShallow(text: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x22) quoted = !quoted
    else if (quoted) {
      if (code === 0x5c) at += 1
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > MAX_DEPTH) return false
    } else if (code === 0x7d || code === 0x5d) depth -= 1
  }
  return true
}

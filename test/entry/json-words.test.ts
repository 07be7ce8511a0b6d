import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/entry/entry.ts'
import { MAX_DEPTH, plainWords, readJsonWords } from '../../src/entry/json-words.ts'
import type { JournalError } from '../../src/errors.ts'

const codeOf = (value: unknown): string => {
  try {
    plainWords('it', value, 'a')
    return 'ok'
  } catch (error) {
    return (error as JournalError).code
  }
}

function nested(levels: number): Json {
  let value: Json = 1
  for (let n = 0; n < levels; n += 1) value = n % 2 === 0 ? [value] : { a: value }
  return value
}

const ring: Record<string, unknown> = {}
ring.ring = ring

describe('words in JSON', () => {
  it('are plain values, without what has none', () => {
    const plain = { a: [1, -1.5, 'x"[{\\', true, null], b: { c: '' } }
    expect(plainWords('it', { ...plain, gone: undefined }, 'a')).toEqual(plain)
    expect(readJsonWords(JSON.stringify(plain))).toEqual(plain)
  })

  it.each<[string, unknown]>([
    ['a list', [1]],
    ['null', null],
    ['a text', 'x'],
    ['a number that is none', { a: Number.NaN }],
    ['an endless number', { a: [Number.POSITIVE_INFINITY] }],
    ['a large integer', { a: 1n }],
    ['a function', { a: () => 1 }],
    ['a symbol', { a: Symbol('x') }],
    ['a date', { a: new Date(0) }],
    ['a regular expression', { a: /x/ }],
    ['a map', { a: new Map() }],
    ['a lone surrogate', { a: '\ud800' }],
    ['a key with one', { '\ud800': 1 }],
    ['itself', ring],
  ])('are not %s', (_, value) => {
    expect(codeOf(value)).toBe('INVALID')
  })

  it('are nested so deep, and no deeper', () => {
    expect(codeOf({ a: nested(MAX_DEPTH - 1) })).toBe('ok')
    expect(codeOf({ a: nested(MAX_DEPTH) })).toBe('INVALID')
    expect(codeOf({ a: nested(100_000) })).toBe('INVALID')
    expect(readJsonWords(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`)).toBeUndefined()
  })
})

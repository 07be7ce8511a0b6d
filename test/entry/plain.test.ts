import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCommit } from '../../src/entry/chain.ts'
import { pack, unpack } from '../../src/entry/codec.ts'
import { isPlain } from '../../src/entry/plain.ts'
import { JournalError } from '../../src/errors.ts'

const bytes = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : Buffer.from(part as string))))

describe('MessagePack that a payload may not hold', () => {
  it.each([
    ['nothing', bytes()],
    ['two values', bytes(1, 2)],
    ['the tag that is none', bytes(0xc1)],
    ['a date', bytes(0xd6, 0xff, 0, 0, 0, 1)],
    ['undefined as an extension', bytes(0xd4, 0, 0)],
    ['a set', bytes(0xd4, 0x73, 0, 0x91, 1)],
    ['an error', bytes(0xd4, 0x65, 0, 0x92, 0xa5, 'Error', 0xa1, 'a')],
    ['a regular expression', bytes(0xd4, 0x78, 0, 0x92, 0xa6, '(a+)+$', 0xa1, 'g')],
    ['a typed array', bytes(0xc7, 2, 0x74, 1, 2)],
    ['a shared structure', bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 'a', 1)],
    ['a pointer to another value', bytes(0xd6, 0x70, 0, 0, 0, 1)],
    ['a key that is a number', bytes(0x81, 1, 2)],
    ['a key that is a map', bytes(0x81, 0x80, 2)],
    ['text that is no UTF-8', bytes(0xa2, 0xff, 0xfe)],
    ['long text that is no UTF-8', bytes(0xd9, 100, 'x'.repeat(99), 0x80)],
    ['an array of 2^32 - 1', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['arrays of 32 million in each other', bytes(...Array<Uint8Array>(5).fill(bytes(0xdd, 1, 0xff, 0xff, 0xff)))],
    ['a map of 2^32 - 1', bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['text of 4 GiB', bytes(0xdb, 0xff, 0xff, 0xff, 0xff, 'a')],
    ['bytes of 4 GiB', bytes(0xc6, 0xff, 0xff, 0xff, 0xff, 'a')],
    ['a length that is cut off', bytes(0xc6, 0, 0)],
    ['a million arrays in each other', new Uint8Array(1_000_000).fill(0x91)],
    ['a number that is cut off', bytes(0xcb, 0, 0)],
  ])('%s', (_, given) => {
    expect(isPlain(given)).toBe(false)
    expect(() => unpack(given)).toThrow(JournalError)
  })

  it('all that the journal writes is none of it', () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.uint8Array(), (value, binary) => {
        expect(isPlain(pack(value))).toBe(true)
        expect(isPlain(pack([value, binary, { binary }]))).toBe(true)
      }),
    ))
})

/** The message asked a map for its text, which a map whose `toString` is no function has not. */
it('a commit whose kind, state or operation is a map is malformed, and nothing worse', () => {
  const map = { toString: null, valueOf: null }
  const state = { tx: 't', seq: 1, time: 1, kind: 'write', done: 0, entries: [{ path: 'a', before: [map] }] }
  for (const body of [{ kind: map }, state, { ...state, entries: [{ path: 'a', op: map }] }]) {
    expect(() => readCommit(pack([new Uint8Array(32), pack(body), []]))).toThrow(JournalError)
  }
})

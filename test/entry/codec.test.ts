import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asInteger, decodeCommit, encodeCommit, fromHex, pack, toHex, unpack } from '../../src/entry/codec.ts'
import {
  decodeCheckpoint,
  decodeSegment,
  decodeTerm,
  encodeCheckpoint,
  encodeSegment,
  encodeTerm,
} from '../../src/entry/control.ts'
import type { Entry } from '../../src/entry/entry.ts'
import { JournalError } from '../../src/errors.ts'
import { positionOf } from '../../src/log/position.ts'
import { commit, hex } from './arbitraries.ts'

const codeOf = (action: () => unknown): string => {
  try {
    action()
    return 'ok'
  } catch (error) {
    return error instanceof JournalError ? error.code : `untyped: ${String(error)}`
  }
}

const plain = { tx: 't', seq: 1, time: 1, kind: 'write', done: 0, entries: [] }

describe('a commit', () => {
  it('reads back as it was written, frozen', () =>
    fc.assert(
      fc.property(commit, (whole) => {
        const { body, words } = encodeCommit(whole)
        const read = decodeCommit(body, words)
        expect(read).toEqual(whole)
        expect(Object.isFrozen(read)).toBe(true)
        for (const made of read.entries) expect(Object.isFrozen(made)).toBe(true)
      }),
    ))

  it('ignores keys that it does not know', () => {
    expect(decodeCommit(pack({ ...plain, later: 'than this version' }), [])).toEqual(plain)
  })

  it.each<[string, unknown]>([
    ['no map', [1]],
    ['an unknown kind', { ...plain, kind: 'magic' }],
    ['no number', { ...plain, seq: 'one' }],
    ['a negative number', { ...plain, seq: -1 }],
    ['no entries', { ...plain, entries: 5 }],
    ['an unknown operation', { ...plain, entries: [{ op: 'melt', path: 'a', before: null, after: null }] }],
    ['an entry without a path', { ...plain, entries: [{ op: 'write', before: null, after: null }] }],
    ['an unknown state', { ...plain, entries: [{ op: 'write', path: 'a', before: [9], after: null }] }],
    [
      'a short hash',
      { ...plain, entries: [{ op: 'write', path: 'a', before: [1, new Uint8Array(31), 1, 1], after: null }] },
    ],
    ['tags that are no texts', { ...plain, tags: [1] }],
  ])('with %s is CORRUPT', (_, value) => {
    expect(codeOf(() => decodeCommit(pack(value), []))).toBe('CORRUPT')
  })

  it('names the words of edits and patches by hash, so that they can be purged', () => {
    const entries: Entry[] = [
      { op: 'edit', path: 'a', before: null, after: null, edits: [{ oldText: 'secret', newText: 'x' }] },
      { op: 'patch', path: 'b', before: null, after: null, patch: 'hidden' },
      { op: 'revise', path: 'c', before: null, after: null, by: 'set', change: { value: 'covert' } },
    ]
    const { body, words } = encodeCommit({ ...plain, kind: 'write', entries })
    expect(words).toHaveLength(3)
    for (const word of ['secret', 'hidden', 'covert']) expect(Buffer.from(body).includes(word)).toBe(false)
    expect(decodeCommit(body, words).entries).toEqual(entries)
    const purged = decodeCommit(body, [null, words[1], new Uint8Array(9)])
    expect(purged.entries).toEqual([{ ...entries[0], edits: null }, entries[1], { ...entries[2], change: null }])
    expect(codeOf(() => decodeCommit(body, [words[1], words[0], words[2]]))).toBe('CORRUPT')
    expect(codeOf(() => decodeCommit(body, [words[0], words[1]]))).toBe('CORRUPT')
    expect(codeOf(() => decodeCommit(body, ['text', words[1], words[2]]))).toBe('CORRUPT')
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[1]'],
    ['null', 'null'],
    ['nested too deep', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
    ['no text', { a: 1 }],
  ])('with a revision that says %s is CORRUPT', (_, said) => {
    const words = pack(said)
    const hash = createHash('sha256').update(words).digest()
    const revise = { op: 'revise', path: 'a', before: null, after: null, by: 'set', words: hash }
    expect(codeOf(() => decodeCommit(pack({ ...plain, entries: [revise] }), [words]))).toBe('CORRUPT')
  })

  it.each([
    ['no topic', { value: '{}' }],
    ['a topic that is no text', { topic: 1, value: '{}' }],
    ['no value', { topic: 'lease' }],
    ['a value that is no text', { topic: 'lease', value: {} }],
    ['a list', { topic: 'lease', value: '[1]' }],
    ['no JSON', { topic: 'lease', value: '{' }],
    ['too deep a value', { topic: 'lease', value: `${'{"a":'.repeat(101)}1${'}'.repeat(101)}` }],
  ])('with a note of %s is CORRUPT', (_, said) => {
    expect(codeOf(() => decodeCommit(pack({ ...plain, entries: [{ op: 'note', ...said }] }), []))).toBe('CORRUPT')
  })

  it('of any bytes at all is read, or CORRUPT', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(['ok', 'CORRUPT']).toContain(codeOf(() => decodeCommit(bytes, [])))
      }),
    ))
})

describe('other records', () => {
  it('read back as they were written', () =>
    fc.assert(
      fc.property(hex(16), hex(32), fc.nat(), fc.nat(2 ** 45), fc.boolean(), (journal, chain, seq, time, clean) => {
        const segment = { journal, segment: 3, seq, chain, time }
        expect(decodeSegment(encodeSegment(segment))).toEqual(segment)
        const term = { term: 7, time, pid: 12, host: 'here', boot: 'then' }
        expect(decodeTerm(encodeTerm(term))).toEqual(term)
        const checkpoint = { redo: positionOf(4, 800), seq, chain, time, boot: 'then', clean }
        expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint)
      }),
    ))

  it('are CORRUPT when they are something else', () => {
    for (const decode of [decodeSegment, decodeTerm, decodeCheckpoint]) {
      expect(codeOf(() => decode(pack('text')))).toBe('CORRUPT')
      expect(codeOf(() => decode(pack({})))).toBe('CORRUPT')
    }
  })

  it('keep to plain MessagePack', () => {
    expect(toHex(pack({ a: [1, null, true], b: Buffer.from([255]) }))).toMatch(/^(82|de0002)a1619301c0c3a162c401ff$/u)
    expect(unpack(Buffer.from('cf0000000100000000', 'hex'))).toBe(2 ** 32)
    expect(asInteger(unpack(Buffer.from('cb4200000000000000', 'hex')), 'x')).toBe(2 ** 33)
    expect(fromHex('00ff')).toEqual(Buffer.from([0, 255]))
  })
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asInteger, decodeCommit, encodeCommit, fromHex, pack, toHex, unpack } from '../../src/entry/codec.ts'
import type { Commit } from '../../src/entry/commit.ts'
import {
  decodeCheckpoint,
  decodeSegment,
  decodeTerm,
  encodeCheckpoint,
  encodeSegment,
  encodeTerm,
} from '../../src/entry/control.ts'
import type { Entry, Json } from '../../src/entry/entry.ts'
import { isInside } from '../../src/entry/path.ts'
import type { State } from '../../src/entry/state.ts'
import { JournalError } from '../../src/errors.ts'
import { positionOf } from '../../src/log/position.ts'

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex)
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const mode = fc.integer({ min: 0, max: 0o7777 })
const owner = fc.option(fc.record({ uid: fc.nat(70_000), gid: fc.nat(70_000) }), { nil: undefined })
const owned = <T extends object>(state: fc.Arbitrary<T>) =>
  fc.tuple(state, owner).map(([plain, who]) => (who === undefined ? plain : { ...plain, owner: who }))
const state: fc.Arbitrary<State> = fc.oneof(
  fc.constant(null),
  owned(fc.record({ kind: fc.constant('file' as const), hash: hex(32), size: fc.nat(Number.MAX_SAFE_INTEGER), mode })),
  owned(fc.record({ kind: fc.constant('dir' as const), mode })),
  fc.record({ kind: fc.constant('symlink' as const), target: text }),
)
const path = text.filter(isInside)
const change = { path, before: state, after: state }
const edit = fc.record({ oldText: text, newText: fc.string() })
/** Minus zero has no form of its own in JSON. */
const json = fc
  .jsonValue()
  .filter((value) => JSON.stringify(value).isWellFormed())
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
const entry: fc.Arbitrary<Entry> = fc.oneof(
  ...(['write', 'remove', 'rmdir', 'chmod', 'symlink', 'put', 'preserve'] as const).map((op) =>
    fc.record({ op: fc.constant(op), ...change }),
  ),
  fc.record({ op: fc.constant('write' as const), as: path, ...change }),
  fc.record({ op: fc.constant('append' as const), length: fc.nat(), ...change }),
  fc.record({ op: fc.constant('edit' as const), edits: fc.array(edit), ...change }),
  fc.record({
    op: fc.constant('edit' as const),
    edits: fc.array(edit.map((one) => ({ ...one, all: true }))),
    ...change,
  }),
  fc.record({ op: fc.constant('patch' as const), patch: fc.string(), ...change }),
  fc.record({
    op: fc.constant('revise' as const),
    by: text,
    change: fc.dictionary(text, json).map((value) => ({ ...value })),
    ...change,
  }),
  fc.record({ op: fc.constant('rename' as const), to: path, replaced: state, ...change }),
  fc.record({ op: fc.constant('mkdir' as const), ...change }),
  fc.record({ op: fc.constant('mkdir' as const), implied: fc.constant(true as const), ...change }),
)
const commit: fc.Arbitrary<Commit> = fc.record(
  {
    tx: fc.constant('t0123456789abcde'),
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
    time: fc.nat(2 ** 45),
    kind: fc.constantFrom('write', 'undo', 'redo', 'restore', 'revert', 'adopt', 'recovery'),
    of: text,
    actor: text,
    message: text,
    tags: fc.array(text),
    parent: text,
    done: fc.nat(),
    entries: fc.array(entry, { maxLength: 6 }),
  },
  { requiredKeys: ['tx', 'seq', 'time', 'kind', 'done', 'entries'] },
)

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

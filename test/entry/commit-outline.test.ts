import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainCommit, genesis, readCommit } from '../../src/entry/chain.ts'
import { ChainLink } from '../../src/entry/chain-link.ts'
import { pack, toHex, unpack } from '../../src/entry/codec.ts'
import type { ChainedCommit, Commit } from '../../src/entry/commit.ts'
import { CommitOutline } from '../../src/entry/commit-outline.ts'
import { isAboutPath } from '../../src/entry/entry.ts'
import { hashOf } from '../../src/entry/state.ts'
import { commit } from './arbitraries.ts'

const id = '00112233445566778899aabbccddeeff'
const hash = 'ab'.repeat(32)
const file = { kind: 'file', hash, size: 3, mode: 0o644 } as const
const outline = new CommitOutline()

function payloadOf(made: Commit): Uint8Array {
  const head = { seq: made.seq - 1, chain: genesis(id).chain, time: made.time }
  return chainCommit(head, made).payload
}

/** Hash, path of every content that its states name. */
function namedBy({ entries }: ChainedCommit): [string, string][] {
  return entries.filter(isAboutPath).flatMap(({ path, before, after }) =>
    [before, after].flatMap((state): [string, string][] => {
      const named = hashOf(state)
      return named === null ? [] : [[named, path]]
    }),
  )
}

function agree(payload: Uint8Array): void {
  const read = readCommit(payload)
  expect({ seq: outline.seq, time: outline.time, tx: outline.tx() }).toEqual({
    seq: read.seq,
    time: read.time,
    tx: read.tx,
  })
  expect(toHex(payload.subarray(outline.chain, outline.chain + 32))).toBe(read.chain)
  const [, body] = unpack(payload) as [unknown, Uint8Array]
  expect(toHex(payload.subarray(outline.body, outline.bodyEnd))).toBe(toHex(body))
  const named = Array.from({ length: outline.count }, (_, index) => [
    toHex(payload.subarray(outline.hashAt(index), outline.hashAt(index) + 32)),
    outline.path(index),
  ])
  expect(named).toEqual(namedBy(read))
  expect(read.kind).not.toBe('purge')
  expect(read.horizon).toBeUndefined()
  for (const entry of read.entries) {
    expect(['rename', 'revise', 'purge', 'note']).not.toContain(entry.op)
    if (entry.op === 'edit') expect(entry.edits).not.toBeNull()
    if (entry.op === 'patch') expect(entry.patch).not.toBeNull()
  }
}

const plain: Commit = {
  tx: 't0123456789abcde',
  seq: 7,
  time: 1_700_000_000_000,
  kind: 'write',
  done: 0,
  entries: [{ op: 'write', path: 'src/a.ts', before: null, after: file }],
}

describe('the outline of a commit', () => {
  it('says of all that the journal writes, but renames, revisions, notes and undos of several, what decoding says', () =>
    fc.assert(
      fc.property(commit, (made) => {
        const payload = payloadOf(made)
        const others =
          made.about !== undefined || made.entries.some(({ op }) => ['rename', 'revise', 'note'].includes(op))
        expect(outline.read(payload)).toBe(!others)
        if (!others) agree(payload)
      }),
    ))

  it('says nothing of what cannot be decoded, whatever byte is another', () =>
    fc.assert(
      fc.property(
        commit,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (made, changes) => {
          const payload = Uint8Array.from(payloadOf(made))
          for (const [at, byte] of changes) payload[at % payload.byteLength] = byte
          if (outline.read(payload)) agree(payload)
        },
      ),
      { numRuns: 2000 },
    ))

  it('says nothing of a part, or of more than the whole', () => {
    const payload = payloadOf({ ...plain, actor: 'a', message: 'm', tags: ['t'], parent: 'p' })
    expect(outline.read(payload)).toBe(true)
    for (let length = 0; length < payload.byteLength; length += 1)
      expect(outline.read(payload.subarray(0, length)), `${length} bytes`).toBe(false)
    expect(outline.read(Buffer.concat([payload, Buffer.alloc(1)]))).toBe(false)
  })

  it.each([
    ['another kind', { kind: 'purge' }],
    ['a horizon', { horizon: new Uint8Array(32) }],
    ['a key that nobody knows', { more: 1 }],
    ['a number that is none', { seq: -1 }],
    ['a number too large', { seq: 2 ** 53 }],
    ['a time that is no whole number', { time: 1.5 }],
    ['no entries', { entries: null }],
    ['a path that leads out', { entries: [{ op: 'write', path: '../a', before: null, after: null }] }],
    ['an empty path', { entries: [{ op: 'write', path: '', before: null, after: null }] }],
    ['an empty name', { entries: [{ op: 'write', path: 'a//b', before: null, after: null }] }],
    ['a dot for a name', { entries: [{ op: 'write', path: 'a/.', before: null, after: null }] }],
    ['a path into a journal', { entries: [{ op: 'write', path: 'a/.journal/b', before: null, after: null }] }],
    ['a short name of a journal', { entries: [{ op: 'write', path: 'JOURNA~1', before: null, after: null }] }],
    ['a slash at the end', { entries: [{ op: 'write', path: 'a/', before: null, after: null }] }],
    ['a state of no kind', { entries: [{ op: 'write', path: 'a', before: [4, 1], after: null }] }],
    ['a hash too short', { entries: [{ op: 'write', path: 'a', before: [1, new Uint8Array(31), 1, 1], after: null }] }],
    ['an operation that nobody knows', { entries: [{ op: 'burn', path: 'a', before: null, after: null }] }],
    [
      'words that are not there',
      { entries: [{ op: 'edit', path: 'a', before: null, after: null, words: new Uint8Array(32) }] },
    ],
  ])('says nothing of %s', (_, change) => {
    const { tx, seq, time, kind, done } = plain
    const map = { tx, seq, time, kind, done, entries: [], ...change }
    expect(outline.read(pack([new Uint8Array(32), pack({ tx, seq, time, kind, done, entries: [] }), []]))).toBe(true)
    expect(outline.read(pack([new Uint8Array(32), pack(map), []]))).toBe(false)
  })

  it('takes dots and letters in names for what they are', () => {
    for (const path of ['.a', '..a', 'a..', '...', 'a/.b', 'j', 'ajar/journal', 'journals', '~', 'ä/ö', 'a b'])
      expect(
        outline.read(payloadOf({ ...plain, entries: [{ op: 'mkdir', path, before: null, after: null }] })),
        path,
      ).toBe(true)
  })

  it('says nothing of words that were erased, or are others', () => {
    const edit = { op: 'edit', path: 'a', before: null, after: file, edits: [{ oldText: 'b', newText: 'c' }] } as const
    const payload = payloadOf({ ...plain, entries: [edit] })
    expect(outline.read(payload)).toBe(true)
    const [chain, body, [words]] = unpack(payload) as [Uint8Array, Uint8Array, [Uint8Array]]
    const erased = new Uint8Array(words.byteLength)
    const other = Uint8Array.from(words, (byte, at) => (at === words.byteLength - 2 ? byte ^ 1 : byte))
    for (const list of [[erased], [null], [other], [], [words, words]])
      expect(outline.read(pack([chain, body, list]))).toBe(false)
  })
})

describe('a link of the chain', () => {
  it('leads to the commit that follows, and to no other', () => {
    const link = new ChainLink()
    link.hex = genesis(id).chain
    for (const size of [1, 200, 5000, 100]) {
      const head = { seq: 6, chain: link.hex, time: 0 }
      const { payload, head: next } = chainCommit(head, { ...plain, message: 'm'.repeat(size) })
      expect(outline.read(payload)).toBe(true)
      const { chain, body, bodyEnd } = outline
      for (const at of [0, 31]) {
        const changed = Uint8Array.from(payload)
        changed[chain + at] = (changed[chain + at] as number) ^ 0x80
        expect(link.leadsTo(changed, chain, body, bodyEnd)).toBe(false)
      }
      const changed = Uint8Array.from(payload)
      changed[bodyEnd - 1] = (changed[bodyEnd - 1] as number) ^ 1
      expect(link.leadsTo(changed, chain, body, bodyEnd)).toBe(false)
      expect(link.leadsTo(payload, chain, body, bodyEnd)).toBe(true)
      expect(link.hex).toBe(head.chain)
      link.advance(payload, chain)
      expect(link.hex).toBe(next.chain)
    }
  })
})

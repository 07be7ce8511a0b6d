import fc from 'fast-check'
import { toHex } from '../../src/entry/codec.ts'
import type { Commit } from '../../src/entry/commit.ts'
import type { Entry, Json } from '../../src/entry/entry.ts'
import { isInside } from '../../src/entry/path.ts'
import type { State } from '../../src/entry/state.ts'

export const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex)
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
  fc.record({
    op: fc.constant('note' as const),
    topic: text,
    value: fc.dictionary(text, json).map((value) => ({ ...value })),
  }),
  fc.record({ op: fc.constant('rename' as const), to: path, replaced: state, ...change }),
  fc.record({ op: fc.constant('mkdir' as const), ...change }),
  fc.record({ op: fc.constant('mkdir' as const), implied: fc.constant(true as const), ...change }),
)
/** Of every kind and operation but purges. */
export const commit: fc.Arbitrary<Commit> = fc.record(
  {
    tx: fc.constant('t0123456789abcde'),
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
    time: fc.nat(2 ** 45),
    kind: fc.constantFrom('write', 'undo', 'redo', 'restore', 'revert', 'adopt', 'recovery'),
    of: text,
    about: fc.array(fc.record({ tx: text, paths: fc.option(fc.array(path), { nil: null }) })),
    actor: text,
    message: text,
    tags: fc.array(text),
    parent: text,
    done: fc.nat(),
    entries: fc.array(entry, { maxLength: 6 }),
  },
  { requiredKeys: ['tx', 'seq', 'time', 'kind', 'done', 'entries'] },
)

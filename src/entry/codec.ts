/** MessagePack forms of what the log holds; the tables stand in journal-format.md. */
import { createHash, hash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { JournalError, shown } from '../errors.ts'
import type { About, Commit, CommitKind } from './commit.ts'
import type { Entry, NoteEntry, TextEdit } from './entry.ts'
import { readJsonWords } from './json-words.ts'
import { isInside } from './path.ts'
import { isPlain } from './plain.ts'
import type { Owner, State } from './state.ts'

/** Plain MessagePack: no records, no extensions, so that any reader can follow. */
const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, int64AsType: 'number' })

const FILE = 1
const DIRECTORY = 2
const SYMLINK = 3

type Map = Record<string, unknown>

export function pack(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Decodes one value; throws `CORRUPT` for bytes that are none. */
export function unpack(bytes: Uint8Array): unknown {
  // The decoder would make dates, sets, regular expressions and whatever else of extensions.
  if (!isPlain(bytes)) throw malformed('not MessagePack of standard types')
  try {
    return packr.unpack(bytes)
  } catch (error) {
    throw malformed('not MessagePack', error)
  }
}

export function malformed(what: string, cause?: unknown): JournalError {
  return new JournalError('CORRUPT', `a record in the log is malformed: ${what}`, {
    hint: "Its checksum is right, so it was written like this. Run 'journal verify' and report it.",
    cause,
  })
}

export function asMap(value: unknown, what: string): Map {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw malformed(what)
  return value as Map
}

export function asBytes(value: unknown, length: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || (length > 0 && value.byteLength !== length)) throw malformed(what)
  return value
}

export function asInteger(value: unknown, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (!Number.isSafeInteger(number) || (number as number) < 0) throw malformed(what)
  return number as number
}

export function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(what)
  return value
}

/** A path that leads out of the workspace, or into a journal, would be followed by recovery and replay. */
export function asPath(value: unknown, what: string): string {
  const path = asText(value, what)
  if (!isInside(path)) throw malformed(`${what} ${shown(path)}`)
  return path
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what)
  return value
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

function owner(state: { readonly owner?: Owner }): number[] {
  return state.owner === undefined ? [] : [state.owner.uid, state.owner.gid]
}

export function encodeState(state: State): unknown {
  if (state === null) return null
  switch (state.kind) {
    case 'file':
      return [FILE, fromHex(state.hash), state.size, state.mode, ...owner(state)]
    case 'dir':
      return [DIRECTORY, state.mode, ...owner(state)]
    case 'symlink':
      return [SYMLINK, state.target]
  }
}

function decodeOwner(uid: unknown, gid: unknown): { owner?: Owner } {
  return uid === undefined ? {} : { owner: { uid: asInteger(uid, 'uid'), gid: asInteger(gid, 'gid') } }
}

export function decodeState(value: unknown): State {
  if (value === null || value === undefined) return null
  const [kind, ...rest] = asArray(value, 'state')
  switch (kind) {
    case FILE: {
      const [hash, size, mode, uid, gid] = rest
      return {
        kind: 'file',
        hash: toHex(asBytes(hash, 32, 'content hash')),
        size: asInteger(size, 'size'),
        mode: asInteger(mode, 'mode'),
        ...decodeOwner(uid, gid),
      }
    }
    case DIRECTORY: {
      const [mode, uid, gid] = rest
      return { kind: 'dir', mode: asInteger(mode, 'mode'), ...decodeOwner(uid, gid) }
    }
    case SYMLINK:
      return { kind: 'symlink', target: asText(rest[0], 'link target') }
    default:
      throw malformed(`state of kind ${shown(kind)}`)
  }
}

/** The words of an edit, a patch or a revision. They stand beside the body, which names them by hash, so that they can be purged and the chain still holds. */
function encodeWords(entry: Entry): Uint8Array | null {
  if (entry.op === 'edit' && entry.edits !== null) {
    return pack(entry.edits.map((edit) => [edit.oldText, edit.newText, edit.all === true]))
  }
  if (entry.op === 'revise' && entry.change !== null) return pack(JSON.stringify(entry.change))
  return entry.op === 'patch' && entry.patch !== null ? pack(entry.patch) : null
}

const NO_WORDS = new Uint8Array(0)

function hashOfWords(words: Uint8Array | null): Uint8Array {
  // In one call: an object that is fed takes twice as long for something so short, and is work for the garbage collector.
  return hash('sha256', words ?? NO_WORDS, 'buffer')
}

function encodeEntry(entry: Entry, words: Uint8Array | null): Map {
  if (entry.op === 'note') return { op: entry.op, topic: entry.topic, value: JSON.stringify(entry.value) }
  const map: Map = {
    op: entry.op,
    path: entry.path,
    before: encodeState(entry.before),
    after: encodeState(entry.after),
  }
  if (entry.as !== undefined) map.as = entry.as
  switch (entry.op) {
    case 'append':
      map.length = entry.length
      break
    case 'revise':
      map.by = entry.by
      map.words = hashOfWords(words)
      break
    case 'edit':
    case 'patch':
      map.words = hashOfWords(words)
      break
    case 'rename':
      map.to = entry.to
      map.replaced = encodeState(entry.replaced)
      break
    case 'purge':
      map.hashes = entry.hashes.map(fromHex)
      break
    case 'mkdir':
      if (entry.implied) map.implied = true
      break
    default:
  }
  return map
}

function decodeEdit(value: unknown): TextEdit {
  const [oldText, newText, all] = asArray(value, 'edit')
  const edit = { oldText: asText(oldText, 'old text'), newText: asText(newText, 'new text') }
  return all === true ? { ...edit, all } : edit
}

/** A text that is a JSON object. */
function decodeWords(said: unknown, what: string): NoteEntry['value'] {
  const words = readJsonWords(asText(said, what))
  if (words === undefined) throw malformed(what)
  return words
}

/** Were these words erased? No MessagePack value that an entry holds is all zeros. */
export function isPurged(words: unknown): boolean {
  return words === null || (words instanceof Uint8Array && words.every((byte) => byte === 0))
}

/** The next words of a commit, checked against their hash; null when they were purged. */
function nextWords(map: Map, words: Iterator<unknown>): unknown {
  const hash = asBytes(map.words, 32, 'hash of words')
  const next = words.next()
  if (next.done === true) throw malformed('words are missing')
  if (isPurged(next.value)) return null
  const bytes = asBytes(next.value, 0, 'words')
  if (!createHash('sha256').update(bytes).digest().equals(hash)) throw malformed('words that do not hash right')
  return unpack(bytes)
}

function decodeEntry(value: unknown, words: Iterator<unknown>): Entry {
  const map = asMap(value, 'entry')
  if (map.op === 'note') {
    return Object.freeze({ op: map.op, topic: asText(map.topic, 'topic'), value: decodeWords(map.value, 'note') })
  }
  const change = {
    path: asPath(map.path, 'path'),
    ...(map.as === undefined ? {} : { as: asText(map.as, 'as') }),
    before: decodeState(map.before),
    after: decodeState(map.after),
  }
  switch (map.op) {
    case 'write':
    case 'remove':
    case 'rmdir':
    case 'chmod':
    case 'symlink':
    case 'put':
    case 'preserve':
      return Object.freeze({ op: map.op, ...change })
    case 'append':
      return Object.freeze({ op: map.op, ...change, length: asInteger(map.length, 'length') })
    case 'edit': {
      const edits = nextWords(map, words)
      return Object.freeze({
        op: map.op,
        ...change,
        edits: edits === null ? null : asArray(edits, 'edits').map(decodeEdit),
      })
    }
    case 'patch': {
      const patch = nextWords(map, words)
      return Object.freeze({ op: map.op, ...change, patch: patch === null ? null : asText(patch, 'patch') })
    }
    case 'revise': {
      const by = asText(map.by, 'by')
      const said = nextWords(map, words)
      return Object.freeze({ op: map.op, ...change, by, change: said === null ? null : decodeWords(said, 'change') })
    }
    case 'rename':
      return Object.freeze({ op: map.op, ...change, to: asPath(map.to, 'path'), replaced: decodeState(map.replaced) })
    case 'purge': {
      const hashes = asArray(map.hashes, 'hashes').map((hash) => toHex(asBytes(hash, 32, 'content hash')))
      return Object.freeze({ op: map.op, ...change, hashes: Object.freeze(hashes) })
    }
    case 'mkdir':
      return Object.freeze({ op: map.op, ...change, ...(map.implied === true ? { implied: true as const } : {}) })
    default:
      throw malformed(`operation ${shown(map.op)}`)
  }
}

const KINDS: ReadonlySet<unknown> = new Set([
  'write',
  'undo',
  'redo',
  'restore',
  'revert',
  'adopt',
  'recovery',
  'purge',
  'note',
])

/** The body of a commit frame, which the chain is computed over, and the words that it names by hash, in the order of its entries. */
export function encodeCommit(commit: Commit): { readonly body: Uint8Array; readonly words: readonly Uint8Array[] } {
  const words: Uint8Array[] = []
  const map: Map = { tx: commit.tx, seq: commit.seq, time: commit.time, kind: commit.kind }
  if (commit.of !== undefined) map.of = commit.of
  if (commit.about !== undefined) map.about = commit.about.map(({ tx, paths }) => [tx, paths])
  if (commit.actor !== undefined) map.actor = commit.actor
  if (commit.message !== undefined) map.message = commit.message
  if (commit.tags !== undefined) map.tags = commit.tags
  if (commit.parent !== undefined) map.parent = commit.parent
  map.done = commit.done
  if (commit.horizon !== undefined) map.horizon = fromHex(commit.horizon)
  map.entries = commit.entries.map((entry) => {
    const own = encodeWords(entry)
    if (own !== null) words.push(own)
    return encodeEntry(entry, own)
  })
  return { body: pack(map), words }
}

function decodeAbout(value: unknown): About {
  const [tx, paths] = asArray(value, 'about')
  const named = paths === null ? null : asArray(paths, 'paths').map((path) => asPath(path, 'path'))
  return Object.freeze({ tx: asText(tx, 'tx'), paths: named })
}

/** @throws JournalError `CORRUPT` */
export function decodeCommit(body: Uint8Array, words: readonly unknown[]): Commit {
  const map = asMap(unpack(body), 'commit')
  const remaining = words[Symbol.iterator]()
  if (!KINDS.has(map.kind)) throw malformed(`commit of kind ${shown(map.kind)}`)
  return Object.freeze({
    tx: asText(map.tx, 'tx'),
    seq: asInteger(map.seq, 'seq'),
    time: asInteger(map.time, 'time'),
    kind: map.kind as CommitKind,
    ...(map.of === undefined ? {} : { of: asText(map.of, 'of') }),
    ...(map.about === undefined ? {} : { about: asArray(map.about, 'about').map(decodeAbout) }),
    ...(map.actor === undefined ? {} : { actor: asText(map.actor, 'actor') }),
    ...(map.message === undefined ? {} : { message: asText(map.message, 'message') }),
    ...(map.tags === undefined ? {} : { tags: asArray(map.tags, 'tags').map((tag) => asText(tag, 'tag')) }),
    ...(map.parent === undefined ? {} : { parent: asText(map.parent, 'parent') }),
    done: asInteger(map.done, 'done'),
    ...(map.horizon === undefined ? {} : { horizon: toHex(asBytes(map.horizon, 32, 'horizon')) }),
    entries: asArray(map.entries, 'entries').map((entry) => decodeEntry(entry, remaining)),
  })
}

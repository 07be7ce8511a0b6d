/** MessagePack forms of what the log holds; the tables stand in journal-format.md. */
import { Packr } from 'msgpackr'
import { JournalError } from '../errors.ts'
import type { Commit, CommitKind } from './commit.ts'
import type { Entry, TextEdit } from './entry.ts'
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
  try {
    return packr.unpack(bytes)
  } catch (error) {
    throw malformed('not MessagePack', error)
  }
}

function malformed(what: string, cause?: unknown): JournalError {
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

function asArray(value: unknown, what: string): readonly unknown[] {
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

function encodeState(state: State): unknown {
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

function decodeState(value: unknown): State {
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
      throw malformed(`state of kind ${String(kind)}`)
  }
}

function encodeEntry(entry: Entry): Map {
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
    case 'edit':
      map.edits = entry.edits.map((edit) => [edit.oldText, edit.newText, edit.all === true])
      break
    case 'patch':
      map.patch = entry.patch
      break
    case 'rename':
      map.to = entry.to
      map.replaced = encodeState(entry.replaced)
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

function decodeEntry(value: unknown): Entry {
  const map = asMap(value, 'entry')
  const change = {
    path: asText(map.path, 'path'),
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
    case 'edit':
      return Object.freeze({ op: map.op, ...change, edits: asArray(map.edits, 'edits').map(decodeEdit) })
    case 'patch':
      return Object.freeze({ op: map.op, ...change, patch: asText(map.patch, 'patch') })
    case 'rename':
      return Object.freeze({ op: map.op, ...change, to: asText(map.to, 'to'), replaced: decodeState(map.replaced) })
    case 'mkdir':
      return Object.freeze({ op: map.op, ...change, ...(map.implied === true ? { implied: true as const } : {}) })
    default:
      throw malformed(`operation ${String(map.op)}`)
  }
}

const KINDS: ReadonlySet<unknown> = new Set(['write', 'undo', 'redo', 'restore', 'revert', 'adopt', 'recovery'])

/** The body of a commit frame: what the chain is computed over. */
export function encodeCommit(commit: Commit): Uint8Array {
  const map: Map = { tx: commit.tx, seq: commit.seq, time: commit.time, kind: commit.kind }
  if (commit.of !== undefined) map.of = commit.of
  if (commit.actor !== undefined) map.actor = commit.actor
  if (commit.message !== undefined) map.message = commit.message
  if (commit.tags !== undefined) map.tags = commit.tags
  if (commit.parent !== undefined) map.parent = commit.parent
  map.done = commit.done
  map.entries = commit.entries.map(encodeEntry)
  return pack(map)
}

export function decodeCommit(body: Uint8Array): Commit {
  const map = asMap(unpack(body), 'commit')
  if (!KINDS.has(map.kind)) throw malformed(`commit of kind ${String(map.kind)}`)
  return Object.freeze({
    tx: asText(map.tx, 'tx'),
    seq: asInteger(map.seq, 'seq'),
    time: asInteger(map.time, 'time'),
    kind: map.kind as CommitKind,
    ...(map.of === undefined ? {} : { of: asText(map.of, 'of') }),
    ...(map.actor === undefined ? {} : { actor: asText(map.actor, 'actor') }),
    ...(map.message === undefined ? {} : { message: asText(map.message, 'message') }),
    ...(map.tags === undefined ? {} : { tags: asArray(map.tags, 'tags').map((tag) => asText(tag, 'tag')) }),
    ...(map.parent === undefined ? {} : { parent: asText(map.parent, 'parent') }),
    done: asInteger(map.done, 'done'),
    entries: asArray(map.entries, 'entries').map(decodeEntry),
  })
}

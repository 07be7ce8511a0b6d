/**
 * Keys and values of the index. Keys are text, ordered by their UTF-8 bytes; values are MessagePack.
 *
 * | key | value |
 * | --- | --- |
 * | `!head` | how far the log is indexed |
 * | `!synced` | the end that was indexed when the index was last made durable |
 * | `s` seq | transaction |
 * | `t` tx | seq |
 * | `o` tx NUL seq | `undo`, `redo` or `revert`: that transaction is about this one |
 * | `a` actor digest, seq | where the commit is in the log |
 * | `n` actor digest | actor |
 * | `p` path NUL seq | states of the path before and after that transaction; nil when it only preserved something there |
 * | `d` path NUL seq | where the commit is in the log, of a transaction that names the path or something below it |
 * | `f` path | newest state by the journal, the seq that set it, and the stamp of the file when it was last found to be in that state |
 * | `y` topic NUL seq | where the commit is in the log, of a transaction with a note of that topic |
 * | `c` content hash | where the content is in the log; or the seq that purged it |
 */

import type { ContentLocation, Purged } from '../content/content-frame.ts'
import { hashBytes } from '../content/hash.ts'
import type { Head } from '../entry/chain.ts'
import { pack, unpack } from '../entry/codec.ts'
import type { CommitKind } from '../entry/commit.ts'
import type { ContentHash, Owner, State } from '../entry/state.ts'
import type { Position } from '../log/position.ts'

/** Raised with every change of the layout above; an index of another version is rebuilt. */
export const INDEX_VERSION = 4

/** The index is damaged, or disagrees with the log: rebuild it. Never leaves this room. */
export class IndexFault extends Error {
  override readonly name = 'IndexFault'
}

/** How far the log is indexed, and what proves that it is still the same log. */
export interface IndexHead extends Head {
  readonly journal: string
  /** Machine start during which this was written. */
  readonly boot: string
  /** Of the commit frame of `seq`; 0 when there is none. */
  readonly commit: Position
  /** The last frame indexed, its sequence number and payload hash; 0, 0 and '' when there is none. */
  readonly frame: Position
  readonly sequence: number
  readonly payloadHash: string
  /** Behind that frame. */
  readonly end: Position
  /** Entries in all transactions so far. */
  readonly entries: number
  /** The log was known to be on stable storage up to here when this was written: a log that ends before it has lost something. */
  readonly durable: Position
  /** Number and chain value of the last transaction before that, as far as known. */
  readonly durableSeq: number
  readonly durableChain: string
}

export interface TransactionRecord {
  readonly seq: number
  /** Of the commit frame. */
  readonly position: Position
  readonly tx: string
  readonly time: number
  readonly kind: CommitKind
  readonly of?: string
  readonly actor?: string
  readonly parent?: string
  readonly tags?: readonly string[]
  /** How many paths it names. */
  readonly paths: number
}

/** Stands in the record of a transaction that is lost; its position is that of the gap. */
export const LOST_TX = ''

/** One transaction's net change to a path. */
export interface PathRecord {
  readonly before: State
  readonly after: State
}

export interface CurrentRecord {
  readonly seq: number
  readonly state: State
  /** See `stampOf`. */
  readonly stamp?: string
}

const SEQ_DIGITS = 14

export function seqText(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0')
}

/** The seq at the end of a key. */
export function seqOfKey(key: string): number {
  const seq = Number(key.slice(-SEQ_DIGITS))
  if (!Number.isSafeInteger(seq)) throw new IndexFault(`key without a number: ${key}`)
  return seq
}

export function actorDigest(actor: string): string {
  return hashBytes(Buffer.from(actor)).slice(0, 32)
}

export const KEY = {
  head: '!head',
  synced: '!synced',
  transaction: (seq: number) => `s${seqText(seq)}`,
  tx: (tx: string) => `t${tx}`,
  about: (tx: string, seq: number) => `o${tx}\0${seqText(seq)}`,
  actor: (actor: string, seq: number) => `a${actorDigest(actor)}${seqText(seq)}`,
  actorName: (actor: string) => `n${actorDigest(actor)}`,
  path: (path: string, seq: number) => `p${path}\0${seqText(seq)}`,
  below: (path: string, seq: number) => `d${path}\0${seqText(seq)}`,
  current: (path: string) => `f${path}`,
  topic: (topic: string, seq: number) => `y${topic}\0${seqText(seq)}`,
  content: (hash: ContentHash) => `c${hash}`,
} as const

function fault(what: string): never {
  throw new IndexFault(`malformed ${what} in the index`)
}

function decode(bytes: Uint8Array, what: string): unknown {
  try {
    return unpack(bytes)
  } catch {
    return fault(what)
  }
}

function list(bytes: Uint8Array, what: string): unknown[] {
  const value = decode(bytes, what)
  return Array.isArray(value) ? value : fault(what)
}

function integer(value: unknown, what: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fault(what)
}

function text(value: unknown, what: string): string {
  return typeof value === 'string' ? value : fault(what)
}

export function encodeHead(head: IndexHead): Uint8Array {
  return pack({ version: INDEX_VERSION, ...head })
}

/** Null for a head of another version. */
export function decodeHead(bytes: Uint8Array): IndexHead | null {
  const value = decode(bytes, 'head')
  if (typeof value !== 'object' || value === null) return fault('head')
  const map = value as Record<string, unknown>
  if (map.version !== INDEX_VERSION) return null
  return {
    journal: text(map.journal, 'head'),
    boot: text(map.boot, 'head'),
    seq: integer(map.seq, 'head'),
    chain: text(map.chain, 'head'),
    time: integer(map.time, 'head'),
    commit: integer(map.commit, 'head'),
    frame: integer(map.frame, 'head'),
    sequence: integer(map.sequence, 'head'),
    payloadHash: text(map.payloadHash, 'head'),
    end: integer(map.end, 'head'),
    entries: integer(map.entries, 'head'),
    durable: integer(map.durable, 'head'),
    durableSeq: integer(map.durableSeq, 'head'),
    durableChain: text(map.durableChain, 'head'),
  }
}

export function encodeNumber(value: number): Uint8Array {
  return pack(value)
}

export function decodeNumber(bytes: Uint8Array): number {
  return integer(decode(bytes, 'number'), 'number')
}

export function encodeText(value: string): Uint8Array {
  return pack(value)
}

export function decodeText(bytes: Uint8Array): string {
  return text(decode(bytes, 'text'), 'text')
}

export function encodeTransaction(record: TransactionRecord): Uint8Array {
  const { position, tx, time, kind, of, actor, parent, tags, paths } = record
  return pack([position, tx, time, kind, paths, of ?? null, actor ?? null, parent ?? null, tags ?? null])
}

export function decodeTransaction(seq: number, bytes: Uint8Array): TransactionRecord {
  const what = 'transaction'
  const [position, tx, time, kind, paths, of, actor, parent, tags] = list(bytes, what)
  return {
    seq,
    position: integer(position, what),
    tx: text(tx, what),
    time: integer(time, what),
    kind: text(kind, what) as CommitKind,
    paths: integer(paths, what),
    ...(typeof of === 'string' ? { of } : {}),
    ...(typeof actor === 'string' ? { actor } : {}),
    ...(typeof parent === 'string' ? { parent } : {}),
    ...(Array.isArray(tags) ? { tags: tags.map((tag) => text(tag, what)) } : {}),
  }
}

function owner(state: { readonly owner?: Owner }): unknown[] {
  return state.owner === undefined ? [] : [state.owner.uid, state.owner.gid]
}

function stateValue(state: State): unknown {
  if (state === null) return null
  switch (state.kind) {
    case 'file':
      return ['f', Buffer.from(state.hash, 'hex'), state.size, state.mode, ...owner(state)]
    case 'dir':
      return ['d', state.mode, ...owner(state)]
    case 'symlink':
      return ['l', state.target]
  }
}

function stateFrom(value: unknown): State {
  if (value === null) return null
  if (!Array.isArray(value)) return fault('state')
  const ownerFrom = (uid: unknown, gid: unknown) =>
    uid === undefined ? {} : { owner: { uid: integer(uid, 'state'), gid: integer(gid, 'state') } }
  const [kind, a, b, c, d, e] = value
  switch (kind) {
    case 'f':
      if (!(a instanceof Uint8Array) || a.byteLength !== 32) return fault('state')
      return {
        kind: 'file',
        hash: Buffer.from(a).toString('hex'),
        size: integer(b, 'state'),
        mode: integer(c, 'state'),
        ...ownerFrom(d, e),
      }
    case 'd':
      return { kind: 'dir', mode: integer(a, 'state'), ...ownerFrom(b, c) }
    case 'l':
      return { kind: 'symlink', target: text(a, 'state') }
    default:
      return fault('state')
  }
}

export function encodePath(record: PathRecord | null): Uint8Array {
  return pack(record === null ? null : [stateValue(record.before), stateValue(record.after)])
}

export function decodePath(bytes: Uint8Array): PathRecord | null {
  const value = decode(bytes, 'path')
  if (value === null) return null
  if (!Array.isArray(value) || value.length !== 2) return fault('path')
  return { before: stateFrom(value[0]), after: stateFrom(value[1]) }
}

export function encodeCurrent(record: CurrentRecord): Uint8Array {
  const { seq, state, stamp } = record
  return pack([seq, stateValue(state), ...(stamp === undefined ? [] : [stamp])])
}

export function decodeCurrent(bytes: Uint8Array): CurrentRecord {
  const what = 'current state'
  const [seq, state, stamp] = list(bytes, what)
  const current = { seq: integer(seq, what), state: stateFrom(state) }
  return stamp === undefined ? current : { ...current, stamp: text(stamp, what) }
}

export function encodeLocation(location: ContentLocation): Uint8Array {
  return pack([location.position, location.index])
}

export function encodePurged({ purgedBy }: Purged): Uint8Array {
  return pack(purgedBy)
}

export function decodeLocation(bytes: Uint8Array): ContentLocation | Purged {
  const value = decode(bytes, 'location')
  if (!Array.isArray(value)) return { purgedBy: integer(value, 'location') }
  const [position, index] = value
  return { position: integer(position, 'location'), index: integer(index, 'location') }
}

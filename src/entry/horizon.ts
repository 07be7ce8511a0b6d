/** Payloads of the frames of a base: what the transactions that were dropped came to. */
import { createHash } from 'node:crypto'
import type { Head } from './chain.ts'
import {
  asArray,
  asBytes,
  asInteger,
  asMap,
  asPath,
  decodeState,
  encodeState,
  fromHex,
  malformed,
  pack,
  toHex,
  unpack,
} from './codec.ts'
import type { ContentHash, State } from './state.ts'

/** Which limit history was dropped by. `space`: room was needed for a commit. */
export type DropReason = 'transactions' | 'age' | 'size' | 'space'

const REASONS: ReadonlySet<unknown> = new Set<DropReason>(['transactions', 'age', 'size', 'space'])

/** A content that is named and not there. `by`: number of the transaction that purged it; 0: it was lost in a gap. */
export interface MissingContent {
  readonly hash: ContentHash
  readonly by: number
}

/** Up to where the history was dropped, and why. `seq`, `chain`, `time`: of the last transaction that was. */
export interface Horizon extends Head {
  readonly journal: string
  /** The last segment dropped. */
  readonly segment: number
  /** Of the last frame dropped. */
  readonly sequence: number
  /** How many entries all dropped transactions had. */
  readonly entries: number
  /** How many states the base has. */
  readonly states: number
  /** SHA-256 over the payloads of all frames of the base but the first, in hex. */
  readonly digest: string
  readonly missing: readonly MissingContent[]
  /** Number of the newest transaction when it was written. */
  readonly at: number
  /** Milliseconds since 1970. */
  readonly written: number
  readonly reason: DropReason
}

/** What was recorded at a path at the horizon, by the transaction of that number. */
export interface BaseState {
  readonly path: string
  readonly seq: number
  readonly state: State
}

export function encodeHorizon(horizon: Horizon): Uint8Array {
  const { journal, segment, seq, chain, time, sequence, entries, states, digest, missing, at, written, reason } =
    horizon
  return pack({
    journal: fromHex(journal),
    segment,
    seq,
    chain: fromHex(chain),
    time,
    sequence,
    entries,
    states,
    digest: fromHex(digest),
    missing: missing.map(({ hash, by }) => [fromHex(hash), by]),
    at,
    written,
    reason,
  })
}

export function decodeHorizon(payload: Uint8Array): Horizon {
  const map = asMap(unpack(payload), 'horizon')
  if (!REASONS.has(map.reason)) throw malformed('reason of a horizon')
  return {
    journal: toHex(asBytes(map.journal, 16, 'journal id')),
    segment: asInteger(map.segment, 'segment'),
    seq: asInteger(map.seq, 'seq'),
    chain: toHex(asBytes(map.chain, 32, 'chain value')),
    time: asInteger(map.time, 'time'),
    sequence: asInteger(map.sequence, 'sequence'),
    entries: asInteger(map.entries, 'entries'),
    states: asInteger(map.states, 'states'),
    digest: toHex(asBytes(map.digest, 32, 'digest')),
    missing: asArray(map.missing, 'missing contents').map((item) => {
      const [hash, by] = asArray(item, 'missing content')
      return { hash: toHex(asBytes(hash, 32, 'content hash')), by: asInteger(by, 'seq') }
    }),
    at: asInteger(map.at, 'seq'),
    written: asInteger(map.written, 'time'),
    reason: map.reason as DropReason,
  }
}

/** What commits name a horizon by. */
export function horizonDigest(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex')
}

export function encodeStates(states: readonly BaseState[]): Uint8Array {
  return pack(states.map(({ path, seq, state }) => [path, seq, encodeState(state)]))
}

export function decodeStates(payload: Uint8Array): BaseState[] {
  return asArray(unpack(payload), 'states').map((item) => {
    const [path, seq, state] = asArray(item, 'state at the horizon')
    return { path: asPath(path, 'path'), seq: asInteger(seq, 'seq'), state: decodeState(state) }
  })
}

/** Bytes kept of a chain value that was dropped. */
export const HEAD_BYTES = 8

/** Beginnings of the chain values of the transactions `first`, `first` + 1, … */
export interface DroppedHeads {
  readonly first: number
  readonly heads: Uint8Array
}

export function encodeHeads({ first, heads }: DroppedHeads): Uint8Array {
  return pack({ first, heads })
}

export function decodeHeads(payload: Uint8Array): DroppedHeads {
  const map = asMap(unpack(payload), 'heads')
  return { first: asInteger(map.first, 'first'), heads: asBytes(map.heads, 0, 'heads') }
}

/** The number of the transaction that had a chain value, as far as is known; null when none of these did. */
export function droppedSeq({ first, heads }: DroppedHeads, chain: string): number | null {
  const wanted = fromHex(chain).subarray(0, HEAD_BYTES)
  for (let at = 0; at + HEAD_BYTES <= heads.byteLength; at += HEAD_BYTES) {
    if (Buffer.compare(heads.subarray(at, at + HEAD_BYTES), wanted) === 0) return first + at / HEAD_BYTES
  }
  return null
}

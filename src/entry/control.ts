/** Payloads of the frames that carry no history: segment, term, checkpoint, gap. */

import { HEADER_SIZE } from '../log/frame.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Head, LOST_CHAIN } from './chain.ts'
import { asBytes, asInteger, asMap, asText, fromHex, pack, toHex, unpack } from './codec.ts'

export interface SegmentRecord extends Head {
  readonly journal: string
  readonly segment: number
}

/** `size`: of the whole frame, where it must fill a place; null when it does not fit there. */
export function encodeSegment(record: SegmentRecord): Uint8Array
export function encodeSegment(record: SegmentRecord, size: number): Uint8Array | null
export function encodeSegment(record: SegmentRecord, size?: number): Uint8Array | null {
  const { journal, segment, seq, chain, time } = record
  return packed({ journal: fromHex(journal), segment, seq, chain: fromHex(chain), time }, size)
}

export function decodeSegment(payload: Uint8Array): SegmentRecord {
  const map = asMap(unpack(payload), 'segment record')
  return {
    journal: toHex(asBytes(map.journal, 16, 'journal id')),
    segment: asInteger(map.segment, 'segment'),
    ...decodeHead(map),
  }
}

export interface TermRecord {
  readonly term: number
  readonly time: number
  readonly pid: number
  readonly host: string
  readonly boot: string
}

export function encodeTerm(record: TermRecord): Uint8Array {
  return pack({ ...record })
}

export function decodeTerm(payload: Uint8Array): TermRecord {
  const map = asMap(unpack(payload), 'term record')
  return {
    term: asInteger(map.term, 'term'),
    time: asInteger(map.time, 'time'),
    pid: asInteger(map.pid, 'pid'),
    host: asText(map.host, 'host'),
    boot: asText(map.boot, 'boot'),
  }
}

export interface CheckpointRecord extends Head {
  /** Recovery begins to read here. */
  readonly redo: Position
  readonly boot: string
  readonly clean: boolean
}

export function encodeCheckpoint(record: CheckpointRecord): Uint8Array {
  const { redo, seq, chain, time, boot, clean } = record
  return pack({ redo: [segmentOf(redo), offsetOf(redo)], seq, chain: fromHex(chain), time, boot, clean })
}

export function decodeCheckpoint(payload: Uint8Array): CheckpointRecord {
  const map = asMap(unpack(payload), 'checkpoint record')
  const [segment, offset] = Array.isArray(map.redo) ? map.redo : []
  return {
    redo: positionOf(asInteger(segment, 'redo'), asInteger(offset, 'redo')),
    ...decodeHead(map),
    boot: asText(map.boot, 'boot'),
    clean: map.clean === true,
  }
}

/** What stands in place of bytes that were lost, and what is known to be lost with them. Written by a salvage only. */
export interface GapRecord {
  /** The last transaction before the place where the log goes on; null: no transaction was lost here. */
  readonly seq: number | null
  readonly time: number
  /** The chain value after it, where that is known. */
  readonly chain: string | null
  /** sha256 of the body of the commit that follows, where it is not. */
  readonly next: string | null
  /** Contents that are nowhere any more. */
  readonly contents: readonly string[]
}

/** @returns null when it does not fit into a frame of `size` bytes */
export function encodeGap(record: GapRecord, size?: number): Uint8Array | null {
  const { seq, time, chain, next, contents } = record
  return packed(
    {
      ...(seq === null ? {} : { seq, time }),
      ...(chain === null ? {} : { chain: fromHex(chain) }),
      ...(next === null ? {} : { next: fromHex(next) }),
      ...(contents.length === 0 ? {} : { contents: contents.map(fromHex) }),
    },
    size,
  )
}

export function decodeGap(payload: Uint8Array): GapRecord {
  const map = asMap(unpack(payload), 'gap record')
  const hash = (value: unknown, what: string): string | null =>
    value === undefined ? null : toHex(asBytes(value, 32, what))
  return {
    seq: map.seq === undefined ? null : asInteger(map.seq, 'seq'),
    time: map.time === undefined ? 0 : asInteger(map.time, 'time'),
    chain: hash(map.chain, 'chain value'),
    next: hash(map.next, 'body hash'),
    contents: Array.isArray(map.contents) ? map.contents.map((item) => toHex(asBytes(item, 32, 'content hash'))) : [],
  }
}

/** Where the history stands behind a gap. */
export function headBehind(head: Head, { seq, time, chain, next }: GapRecord): Head {
  if (seq === null) return head
  return next === null ? { seq, time, chain: chain ?? head.chain } : { seq, time, chain: LOST_CHAIN, next }
}

/** MessagePack of a map, with a key of zeros where the frame must have a certain size; null when it is too large for that. */
function packed(map: Record<string, unknown>, size?: number): Uint8Array | null {
  const bytes = pack(map)
  if (size === undefined) return bytes
  const room = size - HEADER_SIZE
  for (let zeros = 0; ; ) {
    const payload = zeros === 0 ? bytes : pack({ ...map, pad: new Uint8Array(zeros) })
    const spare = room - payload.byteLength
    if (spare >= 0 && spare < 8) return payload
    // The key and the size of the zeros take some bytes themselves.
    zeros += spare < 0 ? spare : Math.max(1, spare - 7)
    if (zeros <= 0) return null
  }
}

function decodeHead(map: Record<string, unknown>): Head {
  return {
    seq: asInteger(map.seq, 'seq'),
    chain: toHex(asBytes(map.chain, 32, 'chain value')),
    time: asInteger(map.time, 'time'),
  }
}

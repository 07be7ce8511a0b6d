/** Payloads of the frames that carry no history: segment, term, checkpoint. */
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import type { Head } from './chain.ts'
import { asBytes, asInteger, asMap, asText, fromHex, pack, toHex, unpack } from './codec.ts'

export interface SegmentRecord extends Head {
  readonly journal: string
  readonly segment: number
}

export function encodeSegment(record: SegmentRecord): Uint8Array {
  const { journal, segment, seq, chain, time } = record
  return pack({ journal: fromHex(journal), segment, seq, chain: fromHex(chain), time })
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

function decodeHead(map: Record<string, unknown>): Head {
  return {
    seq: asInteger(map.seq, 'seq'),
    chain: toHex(asBytes(map.chain, 32, 'chain value')),
    time: asInteger(map.time, 'time'),
  }
}

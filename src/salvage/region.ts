import type { Head } from '../entry/chain.ts'
import type { GapRecord } from '../entry/control.ts'
import { encodeGap, encodeSegment } from '../entry/control.ts'
import { type FrameKind, frameSize } from '../log/frame.ts'
import { encodeFrame } from '../log/frame-encoder.ts'
import { type Position, positionOf } from '../log/position.ts'

export interface Neighbour {
  readonly sequence: number
  readonly term: number
}

/** Bytes of a segment that hold nothing that can be trusted. */
export interface Region {
  readonly segment: number
  /** 0: the segment's first frame is among what is lost. */
  readonly from: number
  /** Where the next sound frame of the segment begins; null: there is none, the segment ends here. */
  readonly to: number | null
  /** The last sound frame before; null: none. */
  readonly last: Neighbour | null
  /** Behind that frame. */
  readonly before: Position
  /** Known to be durable by the frames before. */
  readonly durable: Position
  /** Where the history stood. */
  readonly head: Head
  /** The next sound frame behind, in whatever segment; null: none, the log ends before this region. */
  next: Neighbour | null
  /** What it swallowed, as far as the frames behind tell. */
  record: GapRecord
}

export const NOTHING_LOST: GapRecord = Object.freeze({ seq: null, time: 0, chain: null, next: null, contents: [] })

/** What takes the place of a region. */
export interface Patch {
  readonly region: Region
  readonly bytes: Uint8Array
}

interface Part {
  readonly region: Region
  readonly kind: Extract<FrameKind, 'segment' | 'gap'>
  readonly payload: Uint8Array
}

/**
 * Frames that fill regions between two sound frames, so that all sequence numbers, terms and positions fit: a first frame where the segment's own is
 * lost, and a gap for the rest. Null when that cannot be done; then the log must be cut before the first of them.
 */
export function patchesOf(regions: readonly Region[], journal: string, seed: bigint): Patch[] | null {
  const [first] = regions
  const next = regions.at(-1)?.next
  if (first === undefined || next === null || next === undefined) return null
  const begin = first.last?.sequence ?? 0
  const lost = next.sequence - begin - 1
  const choices = [false, true].map((frugal) => partsOf(regions, journal, lost, frugal))
  const parts = choices.find((choice) => choice !== null && isNumbered(choice, lost))
  if (parts === undefined || parts === null) return null
  const lastGap = parts.findLastIndex(({ kind }) => kind === 'gap')
  return regions.map((region) => {
    const own = parts.filter((part) => part.region === region)
    const size = own.reduce((sum, { payload }) => sum + frameSize(payload.byteLength), 0)
    const bytes = new Uint8Array(size)
    let at = 0
    for (const part of own) {
      const index = parts.indexOf(part)
      const sequence = index < lastGap ? begin + 1 + index : next.sequence - (parts.length - index)
      const position = positionOf(region.segment, region.from + at)
      const header = {
        kind: part.kind,
        term: next.term,
        sequence,
        position,
        durable: Math.min(region.durable, position),
      }
      at = encodeFrame(bytes, at, seed, header, part.payload)
    }
    return { region, bytes }
  })
}

/** Are there as many frames as numbers are lost, or a gap that stands for several? */
function isNumbered(parts: readonly Part[], lost: number): boolean {
  return parts.length === lost || (parts.length < lost && parts.some(({ kind }) => kind === 'gap'))
}

/** `frugal`: no gap where the end of a segment can simply be cut off. Null: something does not fit. */
function partsOf(regions: readonly Region[], journal: string, lost: number, frugal: boolean): Part[] | null {
  const parts: Part[] = []
  for (const region of regions) {
    const { segment, from, to, head } = region
    let room = to === null ? null : to - from
    if (from === 0) {
      const record = { journal, segment, seq: head.seq, chain: head.chain, time: head.time }
      // All of the room when it was the only frame there.
      const alone = lost === parts.length + 1 && region === regions.at(-1) && region.record.seq === null
      const payload = alone && room !== null ? encodeSegment(record, room) : encodeSegment(record)
      if (payload === null) return null
      parts.push({ region, kind: 'segment', payload })
      if (alone) continue
      if (room !== null) room -= frameSize(payload.byteLength)
    }
    if (frugal && room === null && region.record.seq === null) continue
    const payload = room === null ? encodeGap(region.record) : encodeGap(region.record, room)
    if (payload === null) return null
    parts.push({ region, kind: 'gap', payload })
  }
  return parts
}

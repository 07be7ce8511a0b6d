import type { FileHandle } from '../disk/disk.ts'
import { JournalError } from '../errors.ts'
import { Chunk, NO_HEADER, PART, RIGHT } from './checksum.ts'
import {
  ALIGNMENT,
  type FrameHeader,
  type FrameKind,
  follows,
  followsNumber,
  frameSize,
  HEADER_SIZE,
  headerOf,
  MAX_PAYLOAD,
} from './frame.ts'
import { LOG_START, offsetOf, type Position, positionOf, segmentOf } from './position.ts'
import type { Segments } from './segments.ts'

/** Offsets have 32 bits. */
const MAX_SEGMENT = 2 ** 32
const CHUNK = 1024 * 1024
const MAGIC_BYTES = Buffer.from('WJF1')
/** How many times the longest payload may be hashed in vain behind damage. */
const WASTE = 64
/** For one frame alone. */
const NEAR = 8 * 1024
const ZEROS = new Uint8Array(64 * 1024)

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += ZEROS.byteLength) {
    const piece = bytes.subarray(at, at + ZEROS.byteLength)
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.byteLength)) !== 0) return false
  }
  return true
}

export interface Frame extends FrameHeader {
  /** Empty when the reader was told to pass over this kind; else checked against its hash. */
  readonly payload: Uint8Array
}

/** Where a reading ended. `unread`: something that is no valid frame stands at `position`, and it is not mere padding. */
export interface LogEnd {
  readonly position: Position
  readonly unread: boolean
  readonly last: { readonly sequence: number; readonly term: number } | null
}

export interface ReadOptions {
  /** Payloads of these kinds are neither read nor checked. */
  readonly skip?: ReadonlySet<FrameKind>
  /** Stop before this position. */
  readonly until?: Position
  /** A payload is valid until the next frame is asked for, and no longer: for who keeps none. */
  readonly passing?: boolean
}

function riddled(segment: number, offset: number): JournalError {
  return new JournalError(
    'CORRUPT',
    `segment ${segment} of the log, before offset ${offset}, is full of headers whose frames lie in each other`,
    {
      hint: 'Nothing was changed. No writer leaves this behind: look where the journal comes from.',
      details: { position: [segment, offset] },
    },
  )
}

const NOTHING = new Uint8Array(0)

/** One segment file, read in chunks. */
class SegmentFile {
  readonly size: number
  readonly #segments: Segments
  readonly #segment: number
  readonly #handle: FileHandle
  readonly #chunkSize: number
  /** Chunks are read into this where they fit; null: each into one of its own, and stays. */
  readonly #room: Uint8Array | null
  #chunk = new Chunk(NOTHING)
  #start = 0

  /** Null when there is none. `chunk`: bytes read at once, or room for them that is used again and again. */
  static open(segments: Segments, segment: number, chunk: number | Uint8Array = CHUNK): SegmentFile | null {
    const handle = segments.openIfThere(segment)
    return handle === null ? null : new SegmentFile(segments, segment, handle, chunk)
  }

  /** Closes the handle when it throws. */
  constructor(segments: Segments, segment: number, handle: FileHandle, chunk: number | Uint8Array) {
    this.#segments = segments
    this.#room = typeof chunk === 'number' ? null : chunk
    this.#chunkSize = typeof chunk === 'number' ? chunk : chunk.byteLength
    this.#segment = segment
    this.#handle = handle
    try {
      this.size = segments.disk.stat(this.#handle).size
    } catch (error) {
      this.close()
      throw error
    }
    if (this.size <= MAX_SEGMENT) return
    this.close()
    throw new JournalError(
      'CORRUPT',
      `segment ${segment} of the log has ${this.size} bytes: no position reaches its end`,
      {
        hint: 'Nothing was changed. Look where the file comes from, and restore it from a backup.',
        path: segments.path(segment),
      },
    )
  }

  /** Up to `length` bytes at `offset`: fewer at the end of the file. */
  bytes(offset: number, length: number): Uint8Array {
    const at = this.#reach(offset, length)
    return this.#chunk.bytes.subarray(at, at + length)
  }

  /** The header of the frame at `offset`; null when none is intact there. */
  header(offset: number, seed: bigint): FrameHeader | null {
    const at = this.#reach(offset, HEADER_SIZE)
    if (!this.#chunk.header(at, seed)) return null
    return headerOf(this.#chunk.view, at, positionOf(this.#segment, offset))
  }

  /** The frame at `offset`; null when it is not intact. */
  frame(offset: number, seed: bigint): Frame | null {
    let at = this.#reach(offset, HEADER_SIZE)
    let found = this.#chunk.frame(at, seed)
    if (found === NO_HEADER) return null
    const header = headerOf(this.#chunk.view, at, positionOf(this.#segment, offset))
    if (header === null) return null
    const { kind, length, term, sequence, position, durable, payloadHash } = header
    if (found === PART) {
      at = this.#reach(offset, HEADER_SIZE + length)
      found = this.#chunk.frame(at, seed)
    }
    if (found !== RIGHT) return null
    const start = at + HEADER_SIZE
    const payload = this.#chunk.bytes.subarray(start, start + length)
    return { kind, length, term, sequence, position, durable, payloadHash, payload }
  }

  /** Has `length` bytes at `offset` read, as far as there are; returns where in the chunk they begin. */
  #reach(offset: number, length: number): number {
    const at = offset - this.#start
    if (at >= 0 && at + length <= this.#chunk.bytes.byteLength) return at
    const wanted = Math.max(0, Math.min(Math.max(length, this.#chunkSize), this.size - offset))
    const room =
      this.#room !== null && wanted <= this.#room.byteLength ? this.#room.subarray(0, wanted) : new Uint8Array(wanted)
    const count = this.#segments.read(this.#handle, room, offset, this.#segment)
    this.#chunk = new Chunk(room.subarray(0, count))
    this.#start = offset
    return 0
  }

  /** The first place where a frame can begin, of `offset` and every 8 bytes on; the end of the file when there is none. */
  nextMagic(offset: number): number {
    for (let at = offset; at < this.size; ) {
      const { buffer, byteOffset, byteLength } = this.bytes(at, Math.min(CHUNK, this.size - at))
      const piece = Buffer.from(buffer, byteOffset, byteLength)
      for (let found = piece.indexOf(MAGIC_BYTES); found >= 0; found = piece.indexOf(MAGIC_BYTES, found + 1)) {
        if (found % ALIGNMENT === 0) return at + found
      }
      if (byteLength < ALIGNMENT) break
      at += byteLength - (byteLength % ALIGNMENT)
    }
    return this.size
  }

  isZeroFrom(offset: number): boolean {
    for (let at = offset; at < this.size; at += CHUNK) {
      const bytes = this.bytes(at, Math.min(CHUNK, this.size - at))
      if (bytes.byteLength === 0) return true
      if (!isZero(bytes)) return false
    }
    return true
  }

  close(): void {
    this.#segments.disk.close(this.#handle)
  }
}

/** Reads frames in order. Holds no lock and no state: any number of readers may work beside the writer. */
export class LogReader {
  readonly segments: Segments
  readonly seed: bigint

  constructor(segments: Segments, seed: bigint) {
    this.segments = segments
    this.seed = seed
  }

  /** Where the log begins: at segment 1, or behind its base. */
  get start(): Position {
    return positionOf(this.segments.base() + 1, 0)
  }

  /**
   * Yields the valid frames from `from` on, which must be the position of a frame or the end of the log. What is behind a base is not
   * held to the frame before it here: the base says which that was.
   */
  *read(from: Position = this.start, options: ReadOptions = {}): Generator<Frame, LogEnd> {
    // Of the last frame; -1: there was none.
    let sequence = -1
    let term = 0
    const last = () => (sequence < 0 ? null : { sequence, term })
    let trusted = from !== LOG_START
    let segment = segmentOf(from)
    let offset = offsetOf(from)
    const until = options.until ?? Number.POSITIVE_INFINITY
    const { skip } = options
    const chunk = options.passing === true ? new Uint8Array(CHUNK) : CHUNK
    for (;;) {
      const file = SegmentFile.open(this.segments, segment, chunk)
      if (file === null) {
        // A gap in the numbers is no end.
        return { position: positionOf(segment, offset), unread: this.#goesOnAfter(segment), last: last() }
      }
      try {
        for (;;) {
          const position = positionOf(segment, offset)
          if (position >= until) return { position, unread: false, last: last() }
          const frame = skip === undefined ? file.frame(offset, this.seed) : this.#passed(file, offset, skip)
          if (frame === null) break
          const right = sequence < 0 ? follows(frame, null) : followsNumber(frame, sequence) && frame.term >= term
          if (!right && !trusted) break
          trusted = false
          sequence = frame.sequence
          term = frame.term
          yield frame
          offset += frameSize(frame.length)
        }
        const position = positionOf(segment, offset)
        const zero = file.isZeroFrom(offset)
        const later = this.#goesOnAfter(segment)
        if (!zero || offset === 0 || !later) return { position, unread: !zero || later, last: last() }
        if (!this.#continues(segment + 1, last())) return { position, unread: true, last: last() }
      } finally {
        file.close()
      }
      segment += 1
      offset = 0
    }
  }

  /** The frame at `offset`, without its payload where it is of a kind to be passed over; null when it is not intact. */
  #passed(file: SegmentFile, offset: number, skip: ReadonlySet<FrameKind>): Frame | null {
    const header = file.header(offset, this.seed)
    if (header === null || !skip.has(header.kind)) return header === null ? null : file.frame(offset, this.seed)
    return offset + HEADER_SIZE + header.length > file.size ? null : { ...header, payload: NOTHING }
  }

  /** The frame at a position, or null when none is intact there. */
  frameAt(position: Position): Frame | null {
    const segment = segmentOf(position)
    const file = segment < 1 ? null : SegmentFile.open(this.segments, segment, NEAR)
    if (file === null) return null
    try {
      return file.frame(offsetOf(position), this.seed)
    } finally {
      file.close()
    }
  }

  /** The intact frames at or after `position`, found without trusting anything before them. */
  *intactAfter(position: Position): Generator<Frame> {
    for (const segment of this.segments.list()) {
      if (segment < segmentOf(position)) continue
      let wasted = 0
      const file = SegmentFile.open(this.segments, segment)
      if (file === null) continue
      try {
        let offset = segment === segmentOf(position) ? offsetOf(position) : 0
        for (;;) {
          offset = file.nextMagic(offset)
          if (offset + HEADER_SIZE > file.size) break
          const frame = file.frame(offset, this.seed)
          if (frame !== null) {
            yield frame
            offset += frameSize(frame.length)
            continue
          }
          const header = file.header(offset, this.seed)
          offset += ALIGNMENT
          if (header === null) continue
          // Frames that were written do not lie in each other: their payloads are no longer, together, than the segment.
          wasted += header.length
          if (wasted > WASTE * MAX_PAYLOAD) throw riddled(segment, offset)
        }
      } finally {
        file.close()
      }
    }
  }

  /** Does nothing but zeros stand at or behind `offset` of a segment? */
  isZeroFrom(segment: number, offset: number): boolean {
    const file = SegmentFile.open(this.segments, segment)
    if (file === null) return true
    try {
      return file.isZeroFrom(offset)
    } finally {
      file.close()
    }
  }

  #goesOnAfter(segment: number): boolean {
    return this.segments.list().some((other) => other > segment)
  }

  #continues(segment: number, last: { sequence: number; term: number } | null): boolean {
    const frame = this.frameAt(positionOf(segment, 0))
    return frame !== null && frame.kind === 'segment' && (last === null || follows(frame, last))
  }
}

import type { FileHandle } from '../disk/disk.ts'
import { JournalError } from '../errors.ts'
import {
  ALIGNMENT,
  decodeHeader,
  type FrameHeader,
  type FrameKind,
  follows,
  frameSize,
  HEADER_SIZE,
  MAX_PAYLOAD,
  payloadIsRight,
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

/** One segment file, read in chunks. */
class SegmentFile {
  readonly size: number
  readonly #segments: Segments
  readonly #segment: number
  readonly #handle: FileHandle
  readonly #chunkSize: number
  #chunk = new Uint8Array(0)
  #view = new DataView(this.#chunk.buffer)
  #start = 0

  /** Null when there is none. `chunk`: bytes read at once. */
  static open(segments: Segments, segment: number, chunk = CHUNK): SegmentFile | null {
    const handle = segments.openIfThere(segment)
    return handle === null ? null : new SegmentFile(segments, segment, handle, chunk)
  }

  /** Closes the handle when it throws. */
  constructor(segments: Segments, segment: number, handle: FileHandle, chunk: number) {
    this.#segments = segments
    this.#chunkSize = chunk
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

  /** Up to `length` bytes at `offset`: fewer at the end of the file. The view stays valid. */
  bytes(offset: number, length: number): Uint8Array {
    const at = this.#reach(offset, length)
    return this.#chunk.subarray(at, at + length)
  }

  /** The header of the frame at `offset`; null when none is intact there. */
  header(offset: number, seed: bigint): FrameHeader | null {
    const at = this.#reach(offset, HEADER_SIZE)
    return decodeHeader(this.#chunk, at, seed, positionOf(this.#segment, offset), this.#view)
  }

  /** Has `length` bytes at `offset` read, as far as there are; returns where in the chunk they begin. */
  #reach(offset: number, length: number): number {
    const at = offset - this.#start
    if (at >= 0 && at + length <= this.#chunk.byteLength) return at
    const wanted = Math.max(0, Math.min(Math.max(length, this.#chunkSize), this.size - offset))
    const fresh = new Uint8Array(wanted)
    const count = this.#segments.read(this.#handle, fresh, offset, this.#segment)
    this.#chunk = fresh.subarray(0, count)
    this.#view = new DataView(fresh.buffer, 0, count)
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
    let last: { sequence: number; term: number } | null = null
    let trusted = from !== LOG_START
    let segment = segmentOf(from)
    let offset = offsetOf(from)
    const until = options.until ?? Number.POSITIVE_INFINITY
    for (;;) {
      const file = SegmentFile.open(this.segments, segment)
      if (file === null) {
        // A gap in the numbers is no end.
        return { position: positionOf(segment, offset), unread: this.#goesOnAfter(segment), last }
      }
      try {
        for (;;) {
          const position = positionOf(segment, offset)
          if (position >= until) return { position, unread: false, last }
          const header = file.header(offset, this.seed)
          if (header === null || !(trusted || follows(header, last))) break
          let payload = new Uint8Array(0)
          if (options.skip?.has(header.kind)) {
            if (offset + HEADER_SIZE + header.length > file.size) break
          } else {
            payload = file.bytes(offset + HEADER_SIZE, header.length) as Uint8Array<ArrayBuffer>
            if (!payloadIsRight(header, payload)) break
          }
          trusted = false
          last = { sequence: header.sequence, term: header.term }
          yield { ...header, payload }
          offset += frameSize(header.length)
        }
        const position = positionOf(segment, offset)
        const zero = file.isZeroFrom(offset)
        const later = this.#goesOnAfter(segment)
        if (!zero || offset === 0 || !later) return { position, unread: !zero || later, last }
        if (!this.#continues(segment + 1, last)) return { position, unread: true, last }
      } finally {
        file.close()
      }
      segment += 1
      offset = 0
    }
  }

  /** The frame at a position, or null when none is intact there. */
  frameAt(position: Position): Frame | null {
    const segment = segmentOf(position)
    const file = segment < 1 ? null : SegmentFile.open(this.segments, segment, NEAR)
    if (file === null) return null
    try {
      const offset = offsetOf(position)
      const header = file.header(offset, this.seed)
      if (header === null) return null
      const payload = file.bytes(offset + HEADER_SIZE, header.length)
      return payloadIsRight(header, payload) ? { ...header, payload } : null
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
          const header = file.header(offset, this.seed)
          const payload = header === null ? null : file.bytes(offset + HEADER_SIZE, header.length)
          if (header !== null && payload !== null && payloadIsRight(header, payload)) {
            yield { ...header, payload }
            offset += frameSize(header.length)
            continue
          }
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

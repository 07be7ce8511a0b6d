/** A base: frames in a file of its own, in place of the segments that were dropped. See "Horizons" in journal-format.md. */
import type { FileHandle } from '../disk/disk.ts'
import { readFully, writeFully } from '../disk/file.ts'
import { JournalError } from '../errors.ts'
import { decodeHeader, type FrameKind, frameSize, HEADER_SIZE, payloadIsRight } from './frame.ts'
import { encodeFrame } from './frame-encoder.ts'
import { positionOf } from './position.ts'
import type { Segments } from './segments.ts'

export interface BaseFrame {
  readonly kind: FrameKind
  readonly payload: Uint8Array
}

/** @throws what it makes: the base cannot be read as it should */
export function baseError(segments: Segments, base: number, what: string): JournalError {
  return new JournalError('CORRUPT', `the base of the log, which stands for segments 1 to ${base}, ${what}`, {
    hint: `Nothing was changed. Restore ${segments.basePath(base)} from a backup; 'journal verify' says what else is wrong.`,
    path: segments.basePath(base),
    details: { position: [base, 0] },
  })
}

/** The frames of a base, all of which must be valid. `only`: the first one. @throws JournalError `CORRUPT` */
export function* readBase(
  segments: Segments,
  base: number,
  seed: bigint,
  only: 'first' | 'all' = 'all',
): Generator<BaseFrame> {
  const handle = segments.openBase(base)
  try {
    const { size } = segments.disk.stat(handle)
    const { disk } = segments
    const bytesAt = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
      return bytes.subarray(0, readFully(disk, handle, bytes, offset))
    }
    for (let offset = 0, sequence = 1; offset < size || offset === 0; sequence += 1) {
      const header = decodeHeader(bytesAt(offset, HEADER_SIZE), 0, seed, positionOf(base, offset))
      const payload = header === null ? null : bytesAt(offset + HEADER_SIZE, header.length)
      const right = header !== null && payload !== null && payloadIsRight(header, payload)
      if (!right || header.sequence !== sequence || (header.kind === 'horizon') !== (offset === 0))
        throw baseError(segments, base, `is damaged at offset ${offset}`)
      yield { kind: header.kind, payload }
      if (only === 'first') return
      offset += frameSize(header.length)
    }
  } finally {
    segments.disk.close(handle)
  }
}

/** Writes a base under another name. Its first frame comes last, since it has the digest of all others; it keeps its size. */
export class BaseFile {
  readonly #segments: Segments
  readonly #base: number
  readonly #seed: bigint
  readonly #term: number
  readonly #handle: FileHandle
  #offset: number
  #sequence = 1

  /** `spare`: a free name; `first`: how long the payload of the horizon is. */
  constructor(
    segments: Segments,
    spare: string,
    place: { readonly base: number; readonly seed: bigint; readonly term: number },
    first: number,
  ) {
    this.#segments = segments
    this.#base = place.base
    this.#seed = place.seed
    this.#term = place.term
    this.#handle = segments.disk.open(spare, 'create', 0o600)
    this.#offset = frameSize(first)
  }

  add(kind: 'states' | 'heads', payload: Uint8Array): void {
    this.#sequence += 1
    this.#write(kind, payload, this.#offset, this.#sequence)
    this.#offset += frameSize(payload.byteLength)
  }

  /** @returns the file's size in bytes, when all of it is on stable storage */
  async finish(horizon: Uint8Array): Promise<number> {
    this.#write('horizon', horizon, 0, 1)
    await this.#segments.disk.sync(this.#handle)
    return this.#offset
  }

  close(): void {
    this.#segments.disk.close(this.#handle)
  }

  #write(kind: FrameKind, payload: Uint8Array, offset: number, sequence: number): void {
    const bytes = new Uint8Array(frameSize(payload.byteLength))
    const frame = { kind, term: this.#term, sequence, position: positionOf(this.#base, offset), durable: 0 }
    encodeFrame(bytes, 0, this.#seed, frame, payload)
    writeFully(this.#segments.disk, this.#handle, bytes, offset)
  }
}

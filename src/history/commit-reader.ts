import type { FileHandle } from '../disk/disk.ts'
import { readCommit } from '../entry/chain.ts'
import { fromHex } from '../entry/codec.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { decodeHeader, type FrameHeader, HEADER_SIZE, headerSeed, payloadIsRight } from '../log/frame.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { beginningOf, droppedError } from '../store/base.ts'
import type { CommitPlace } from './index-query.ts'
import { IndexFault } from './index-record.ts'
import type { HistorySource } from './source.ts'

/** Read at once: holds most commit frames whole. */
const FIRST_READ = 8 * 1024

/** Reads single frames by position, in any order, with reads no larger than needed. Close it after use. */
export class CommitReader {
  readonly #source: HistorySource
  readonly #seed: bigint
  readonly #first = new Uint8Array(FIRST_READ)
  #segment = 0
  #handle: FileHandle | null = null

  constructor(source: HistorySource) {
    this.#source = source
    this.#seed = headerSeed(fromHex(source.journalId))
  }

  /** Null when no intact frame stands there. Its payload is valid until the next is read. */
  frame(position: Position): (FrameHeader & { readonly payload: Uint8Array }) | null {
    const handle = this.#open(segmentOf(position))
    if (handle === null) return null
    const offset = offsetOf(position)
    const first = this.#first
    const { segments } = this.#source.reader
    const length = segments.read(handle, first, offset, segmentOf(position))
    const header = decodeHeader(first.subarray(0, length), 0, this.#seed, position)
    if (header === null) return null
    let payload = first.subarray(HEADER_SIZE, Math.min(length, HEADER_SIZE + header.length))
    if (payload.byteLength < header.length) {
      payload = new Uint8Array(header.length)
      const read = segments.read(handle, payload, offset + HEADER_SIZE, segmentOf(position))
      if (read !== header.length) return null
    }
    return payloadIsRight(header, payload) ? { ...header, payload } : null
  }

  /** The commit that the index has there. */
  commit({ seq, position, tx }: CommitPlace): ChainedCommit {
    const frame = this.frame(position)
    if (frame === null) {
      const { horizon } = beginningOf(this.#source.reader, this.#source.journalId)
      if (horizon !== null && seq <= horizon.seq) throw droppedError(`there is no transaction ${seq} any more`, horizon)
    }
    const commit = frame?.kind === 'commit' ? readCommit(frame.payload) : null
    if (commit === null || commit.seq !== seq || (tx !== undefined && commit.tx !== tx))
      throw new IndexFault(`the index has transaction ${seq} where the log does not`)
    return commit
  }

  close(): void {
    if (this.#handle !== null) this.#source.disk.close(this.#handle)
    this.#handle = null
  }

  #open(segment: number): FileHandle | null {
    if (this.#handle !== null && this.#segment === segment) return this.#handle
    this.close()
    const { segments } = this.#source.reader
    if (segment < 1) return null
    this.#handle = segments.openIfThere(segment)
    this.#segment = segment
    return this.#handle
  }
}

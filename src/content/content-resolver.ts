import { createHash } from 'node:crypto'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { breathe, readFully } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'
import { type BlobStore, unreadable } from './blob-store.ts'
import { inflated } from './compression.ts'
import {
  type BasePlace,
  CHANGED,
  type ContentLocation,
  type ContentRecord,
  DEFLATED,
  decodeChange,
  decodeContents,
  isHeld,
  type Purged,
  RAW,
} from './content-frame.ts'
import { applied, composed, type Delta, MAX_PIECES } from './delta.ts'
import { CHUNK_SIZE, hashBytes } from './hash.ts'

/** A content stands on no more changes than this, which have no more pieces together: joining them takes time in proportion to both. */
export const MAX_LINKS = 64
export const MAX_CHAIN_PIECES = 2 * MAX_PIECES
/** Bytes of frames that are kept for what else stands in them. */
const CACHED_BYTES = 8 * 1024 * 1024
/** Chunks between two turns of the event loop. */
const CHUNKS_A_TURN = 8

/** A record of the log, with what stands beside it. */
export interface FoundRecord {
  readonly record: ContentRecord
  readonly location: ContentLocation
  readonly beside: readonly ContentRecord[]
}

/** A content taken apart: bytes that stand somewhere whole, and how they are changed. */
export interface Resolved {
  readonly whole:
    | { readonly at: 'memory'; readonly bytes: Uint8Array }
    | { readonly at: 'blob'; readonly hash: ContentHash }
  readonly delta: Delta | null
}

/** A content on the way from one that is asked for to the one it stands on at last: the first is itself. */
export interface Link {
  readonly hash: ContentHash
  /** Null: it is a blob. */
  readonly found: FoundRecord | null
  /** How many changes it is away from a content that is none; see `ChangeRecord`. */
  readonly step: number
  /** Of its own change. */
  readonly pieces: number
  /** What makes the content asked for of this one; null: it is that. */
  readonly delta: Delta | null
}

export interface ResolverOptions {
  /** Where else a base may be, when it is not where the record says. */
  readonly locate?: (hash: ContentHash) => Promise<ContentLocation | Purged | null>
  /** False: what stands there does not count. */
  readonly trusts?: (position: Position) => boolean
  /** Keep some frames in memory: for who reads all of a log that nobody changes meanwhile. */
  readonly caching?: boolean
}

/** Finds out what the records of the log say. Holds the changes that a content stands on, never the contents between. */
export class ContentResolver {
  readonly #disk: Disk
  readonly #reader: LogReader
  readonly #blobs: BlobStore
  readonly #options: ResolverOptions
  #cached = new Map<Position, readonly ContentRecord[]>()
  #cachedBytes = 0
  /** What the last compressed record had: many changes in a row stand on the same. */
  #inflated: { readonly data: Uint8Array; readonly bytes: Uint8Array } | null = null

  constructor(disk: Disk, reader: LogReader, blobs: BlobStore, options: ResolverOptions = {}) {
    this.#disk = disk
    this.#reader = reader
    this.#blobs = blobs
    this.#options = options
  }

  /** The record at a place of the log; null when there is none that is intact. */
  recordAt(location: ContentLocation): FoundRecord | null {
    if (this.#options.trusts?.(location.position) === false) return null
    const contents = this.#cached.get(location.position) ?? this.#contentsAt(location.position)
    const record = contents?.[location.index]
    return contents === null || record === undefined ? null : { record, location, beside: contents }
  }

  #contentsAt(position: Position): readonly ContentRecord[] | null {
    const frame = this.#reader.frameAt(position)
    if (frame === null || frame.kind !== 'content') return null
    const { contents } = decodeContents(frame.payload)
    if (this.#options.caching !== true) return contents
    this.#cachedBytes += frame.payload.byteLength
    if (this.#cachedBytes > CACHED_BYTES) {
      this.#cached = new Map()
      this.#cachedBytes = frame.payload.byteLength
    }
    this.#cached.set(position, contents)
    return contents
  }

  /** What a content stands on, one after another, down to one that is no change. @throws JournalError `CORRUPT` when something is missing */
  async *links(found: FoundRecord): AsyncGenerator<Link> {
    const { hash } = found.record
    let delta: Delta | null = null
    let at = found
    let pieces = 0
    for (let count = 0; at.record.encoding === CHANGED; count += 1) {
      if (count === MAX_LINKS) throw unreadable(hash, `it stands on more than ${MAX_LINKS} changes`)
      const { change, delta: own } = decodeChange(at.record.data)
      pieces += own.pieces.length
      if (pieces > MAX_CHAIN_PIECES)
        throw unreadable(hash, `the changes it stands on have more than ${MAX_CHAIN_PIECES} pieces`)
      yield { hash: at.record.hash, found: at, step: change.step, pieces: own.pieces.length, delta }
      delta = delta === null ? own : composed(own, delta)
      const base: FoundRecord | 'blob' | null = await this.#baseOf(at, change.base, change.place)
      if (base === 'blob') {
        yield { hash: change.base, found: null, step: 0, pieces: 0, delta }
        return
      }
      if (base === null)
        throw unreadable(hash, `the content ${change.base.slice(0, 16)}… that it is a change of cannot be read`)
      at = base
    }
    yield { hash: at.record.hash, found: at, step: 0, pieces: 0, delta }
  }

  /** Not hashed yet. @throws JournalError `CORRUPT` */
  async resolve(found: FoundRecord): Promise<Resolved> {
    let last: Link | null = null
    for await (const link of this.links(found)) last = link
    const { hash, found: end, delta } = last as unknown as Link
    if (end === null) return { whole: { at: 'blob', hash }, delta }
    return { whole: { at: 'memory', bytes: this.#plain(end.record) }, delta }
  }

  #plain({ hash, encoding, data }: ContentRecord): Uint8Array {
    if (encoding === RAW) return data
    if (encoding !== DEFLATED) throw unreadable(hash, `its encoding ${encoding} is unknown to this version`)
    if (this.#inflated?.data === data) return this.#inflated.bytes
    const bytes = inflated(data)
    if (this.#options.caching === true && bytes.byteLength <= CACHED_BYTES) this.#inflated = { data, bytes }
    return bytes
  }

  /** The whole of it, hashed. @throws JournalError `CORRUPT` */
  async bytes(hash: ContentHash, { whole, delta }: Resolved): Promise<Uint8Array> {
    const bytes =
      whole.at === 'memory'
        ? delta === null
          ? whole.bytes
          : applied(delta, whole.bytes)
        : await this.#collected(whole.hash, delta as Delta)
    if (hashBytes(bytes) !== hash) throw unreadable(hash, 'its bytes in the log are damaged')
    return bytes
  }

  /** In chunks of `CHUNK_SIZE`, but for the last; each valid until the next. @throws JournalError `CORRUPT` at the end when the hash is wrong */
  async *stream(hash: ContentHash, resolved: Resolved): AsyncGenerator<Uint8Array> {
    const { whole, delta } = resolved
    if (whole.at === 'memory') {
      yield await this.bytes(hash, resolved)
      return
    }
    const actual = createHash('sha256')
    for await (const chunk of this.#changed(whole.hash, delta as Delta)) {
      actual.update(chunk)
      yield chunk
    }
    if (actual.digest('hex') !== hash)
      throw unreadable(hash, 'its bytes in the log, or the blob they change, are damaged')
  }

  /** Does a record have what its hash says? Null when it does, else why not. */
  async check(found: FoundRecord): Promise<string | null> {
    const { hash, encoding, data } = found.record
    if (!isHeld(encoding)) return `its encoding ${encoding} is unknown to this version`
    if (encoding === RAW) return hashBytes(data) === hash ? null : 'its bytes do not hash to its name'
    try {
      for await (const _ of this.stream(hash, await this.resolve(found)));
      return null
    } catch (error) {
      if (!(error instanceof JournalError) || error.code !== 'CORRUPT') throw error
      return (error.details as { why?: string } | undefined)?.why ?? error.message
    }
  }

  /** Where a content stands that another one is a change of. */
  async #baseOf(from: FoundRecord, hash: ContentHash, place: BasePlace): Promise<FoundRecord | 'blob' | null> {
    const { location, beside } = from
    if (place.at === 'beside' && place.index < location.index) {
      const record = beside[place.index]
      const own = { position: location.position, index: place.index }
      if (record !== undefined && isOf(record, hash)) return { record, location: own, beside }
    }
    if (place.at === 'log' && place.position < location.position) {
      const found = this.recordAt(place)
      if (found !== null && isOf(found.record, hash)) return found
    }
    if (this.#blobs.stat(hash)?.kind === 'file') return 'blob'
    // It may stand in the log more than once. Only what was there before may count: else a chain could be a ring.
    const other = await this.#options.locate?.(hash)
    if (other === undefined || other === null || 'purgedBy' in other || other.position >= location.position) return null
    const found = this.recordAt(other)
    return found !== null && isOf(found.record, hash) ? found : null
  }

  async #collected(blob: ContentHash, delta: Delta): Promise<Uint8Array> {
    const size = this.#blobs.stat(blob)?.size ?? 0
    // Before anything is made: the result is no longer than the blob and what stands in the log.
    if (delta.extent > size) throw tooShort(blob)
    const bytes = Buffer.allocUnsafe(delta.length)
    let at = 0
    for await (const chunk of this.#changed(blob, delta)) {
      bytes.set(chunk, at)
      at += chunk.byteLength
    }
    return bytes.subarray(0, at)
  }

  async *#changed(blob: ContentHash, delta: Delta): AsyncGenerator<Uint8Array> {
    const handle = this.#disk.open(this.#blobs.path(blob), 'read')
    try {
      if (delta.extent > this.#disk.stat(handle).size) throw tooShort(blob)
      const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_SIZE, delta.length)))
      let filled = 0
      let count = 0
      for (const part of partsOf(delta)) {
        for (let done = 0; done < part.length; ) {
          const room = chunk.subarray(filled, filled + Math.min(part.length - done, chunk.byteLength - filled))
          this.#fill(handle, room, part, done, blob)
          done += room.byteLength
          filled += room.byteLength
          if (filled < chunk.byteLength) continue
          yield chunk
          filled = 0
          count += 1
          if (count % CHUNKS_A_TURN === 0) await breathe()
        }
      }
      if (filled > 0) yield chunk.subarray(0, filled)
    } finally {
      this.#disk.close(handle)
    }
  }

  #fill(handle: FileHandle, room: Uint8Array, part: Part, done: number, blob: ContentHash): void {
    if (part.bytes !== null) room.set(part.bytes.subarray(done, done + room.byteLength))
    else if (readFully(this.#disk, handle, room, part.from + done) < room.byteLength) throw tooShort(blob)
  }
}

export interface Part {
  readonly length: number
  readonly from: number
  /** Null: from the base. */
  readonly bytes: Uint8Array | null
}

export function* partsOf({ pieces }: Delta): Generator<Part> {
  let from = 0
  for (const { skip, keep, insert } of pieces) {
    yield { length: keep, from: from + skip, bytes: null }
    from += skip + keep
    yield { length: insert.byteLength, from: 0, bytes: insert }
  }
}

function isOf(record: ContentRecord, hash: ContentHash): boolean {
  return record.hash === hash && isHeld(record.encoding)
}

function tooShort(blob: ContentHash): JournalError {
  return unreadable(blob, 'its blob is too short for what was changed in it')
}

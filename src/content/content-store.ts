import { createHash } from 'node:crypto'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'
import { type BlobStore, droppedContent, purgedError, unreadable } from './blob-store.ts'
import { CHANGED, type ContentLocation, PURGED, type Purged } from './content-frame.ts'
import { ContentParts } from './content-parts.ts'
import { ContentResolver, type FoundRecord, type Link } from './content-resolver.ts'
import { composed, type Delta } from './delta.ts'
import { hashBytes, readChunks } from './hash.ts'
import { HeldBytes } from './held-bytes.ts'
import { LargeContents } from './large-contents.ts'
import { Recent } from './recent.ts'

/** How many locations are remembered without the index. */
const REMEMBERED = 65_536

/** Looks a content up in the index; null when the index does not know it. */
export type Locate = (hash: ContentHash) => Promise<ContentLocation | Purged | null>

/** Bytes of new contents that are kept in memory, to tell what the next ones change in them. */
const HELD_BYTES = 8 * 1024 * 1024

/** Contents by hash, wherever they are: in the log, or as blobs. Whatever is read is checked against its hash. */
export class ContentStore {
  readonly blobs: BlobStore
  /** May new contents be compressed, or kept as changes of others? Not in a journal of a format that has no such records. */
  dense: boolean
  /** What was in the log lately. Never used to read a content, only to find what another one changes. */
  held = new HeldBytes(HELD_BYTES)
  /** What is known of large contents. Never used to read one. */
  large = new LargeContents()
  readonly #disk: Disk
  readonly #reader: LogReader
  readonly #resolver: ContentResolver
  #recent = new Recent<ContentHash, ContentLocation>(REMEMBERED)
  #writing = 0
  #locate: Locate = async () => null
  /** What stands before this in the log is gone, or about to be. */
  #start: Position = 0
  /** Contents before `until` that somebody was told the journal has: they must be carried over. Null: nobody watches. */
  #watch: { readonly until: Position; readonly relied: Set<ContentHash> } | null = null

  constructor(disk: Disk, reader: LogReader, blobs: BlobStore, dense = false) {
    this.#disk = disk
    this.#reader = reader
    this.#resolver = new ContentResolver(disk, reader, blobs, { locate: (hash) => this.#locate(hash) })
    this.blobs = blobs
    this.dense = dense
  }

  /** Where to ask when a content is neither a blob nor recent. */
  locateWith(locate: Locate): void {
    this.#locate = locate
  }

  /** Which of the writers that this process was, one after another, may tell of contents: see `remember`. */
  get writing(): number {
    return this.#writing
  }

  /** Takes note of where a content comes to stand. `writing`: as it was when the transaction began to bring it; a writer that was deposed has nothing to tell. */
  remember(hash: ContentHash, location: ContentLocation, writing = this.#writing): void {
    if (writing === this.#writing) this.#recent.set(hash, location)
  }

  /**
   * Forgets what this process knows of itself. When others may have written meanwhile, nothing of it holds: what a writer wrote as it was deposed went to a
   * log that is none, and what it had seen may have been purged or dropped since.
   */
  forgetAll(): void {
    this.#writing += 1
    this.#recent = new Recent(REMEMBERED)
    this.held = new HeldBytes(HELD_BYTES)
    this.large = new LargeContents()
    this.blobs.forgetAll()
  }

  /** True when the journal certainly holds it; false when that is unknown without the index. Costs next to nothing. */
  hasRecent(hash: ContentHash): boolean {
    return this.#stands(hash, this.#recent.get(hash))
  }

  async has(hash: ContentHash): Promise<boolean> {
    if (this.hasRecent(hash) || (await this.blobs.has(hash))) return true
    return this.#stands(hash, await this.#locate(hash))
  }

  /** Is a content in the log there to stay? Whoever is told so relies on it. */
  #stands(hash: ContentHash, place: ContentLocation | Purged | null | undefined): boolean {
    if (place === undefined || place === null || 'purgedBy' in place || place.position < this.#start) return false
    if (this.#watch !== null && place.position < this.#watch.until) this.#watch.relied.add(hash)
    return true
  }

  /**
   * Before the log before `until` is dropped: from now on every content there, and every blob, that somebody is told to be in the journal is noted in
   * `relied`.
   */
  watch(until: Position, relied: Set<ContentHash>): void {
    this.#watch = { until, relied }
    this.blobs.watch(relied)
  }

  /** Nothing is noted any more. */
  unwatch(): void {
    this.#watch = null
    this.blobs.watch(null)
  }

  /** The log begins at `start` now: what stood before is gone. */
  begin(start: Position): void {
    this.#start = start
  }

  /** The number of the transaction that erased a content; null for one that is there, or that was never. */
  async purgedBy(hash: ContentHash): Promise<number | null> {
    if (this.#recent.has(hash) || this.blobs.stat(hash) !== null) return null
    const place = await this.#locate(hash)
    return place !== null && 'purgedBy' in place ? place.purgedBy : null
  }

  /** Where it stands in the log, as far as that is known without the index. */
  recent(hash: ContentHash): ContentLocation | null {
    const place = this.#recent.get(hash)
    return this.#stands(hash, place) ? (place as ContentLocation) : null
  }

  /** These are not where they were any more. */
  forget(hashes: Iterable<ContentHash>): void {
    for (const hash of hashes) {
      this.#recent.delete(hash)
      this.held.delete(hash)
      this.large.delete(hash)
    }
  }

  /**
   * What a content stands on, itself first; null when the journal does not have it. `looking`: ask the index too.
   * @throws JournalError `CORRUPT`
   */
  async links(hash: ContentHash, looking: boolean): Promise<readonly Link[] | null> {
    let location = this.recent(hash)
    if (location === null) {
      if (await this.blobs.has(hash)) return [{ hash, found: null, step: 0, pieces: 0, delta: null }]
      const place = looking ? await this.#locate(hash) : null
      if (place === null || 'purgedBy' in place) return null
      location = place
    }
    const found = this.#resolver.recordAt(location)
    if (found?.record.hash !== hash || found.record.encoding === PURGED) return null
    const links: Link[] = []
    for await (const link of this.#resolver.links(found)) {
      // Whoever is told of it may make a change of it.
      if (link.found === null) await this.blobs.has(link.hash)
      else this.#stands(link.hash, link.found.location)
      links.push(link)
    }
    return links
  }

  /** Is `hash` what `delta` makes of a link? Reads all of it. */
  async isMadeOf(hash: ContentHash, { hash: base, found }: Link, delta: Delta): Promise<boolean> {
    const whole = { at: 'blob', hash: base } as const
    const inner = found === null ? { whole, delta: null } : await this.#resolver.resolve(found)
    const all = { whole: inner.whole, delta: inner.delta === null ? delta : composed(inner.delta, delta) }
    try {
      for await (const _ of this.#resolver.stream(hash, all));
      return true
    } catch (error) {
      if (error instanceof JournalError && error.code === 'CORRUPT') return false
      throw error
    }
  }

  /** A content that the journal does not have yet, as the change of one that it has. Throws `CORRUPT` at the end when the hash is wrong. */
  async *changed(hash: ContentHash, base: ContentHash, delta: Delta): AsyncGenerator<Uint8Array> {
    const found = await this.#inLog(base)
    const inner = found === null ? null : await this.#resolver.resolve(found)
    const whole = inner?.whole ?? ({ at: 'blob', hash: base } as const)
    const all = inner === null || inner.delta === null ? delta : composed(inner.delta, delta)
    yield* this.#resolver.stream(hash, { whole, delta: all })
  }

  /** Reads parts of a content, unchecked. Null when the journal does not have it. */
  async parts(hash: ContentHash): Promise<ContentParts | null> {
    const found = await this.#inLog(hash)
    if (found !== null) return new ContentParts(this.#disk, this.blobs, await this.#resolver.resolve(found))
    return this.blobs.stat(hash)?.kind === 'file'
      ? new ContentParts(this.#disk, this.blobs, { whole: { at: 'blob', hash }, delta: null })
      : null
  }

  /** The whole content. `CORRUPT` when it is missing or does not hash to its name. */
  async read(hash: ContentHash): Promise<Uint8Array> {
    const found = await this.#inLog(hash)
    if (found !== null) return this.#resolver.bytes(hash, await this.#resolver.resolve(found))
    const handle = this.#openBlob(hash)
    try {
      const content = new Uint8Array(this.#disk.stat(handle).size)
      const length = readFully(this.#disk, handle, content, 0)
      if (length !== content.byteLength || hashBytes(content) !== hash) throw unreadable(hash, 'its blob is damaged')
      return content
    } catch (error) {
      throw asJournalError(error, `reading the content ${hash}`, this.blobs.path(hash))
    } finally {
      this.#disk.close(handle)
    }
  }

  /** The content in chunks, each valid until the next; throws `CORRUPT` at the end when the hash is wrong. Constant memory. */
  async *stream(hash: ContentHash): AsyncGenerator<Uint8Array> {
    const found = await this.#inLog(hash)
    if (found !== null) {
      yield* this.#resolver.stream(hash, await this.#resolver.resolve(found))
      return
    }
    const handle = this.#openBlob(hash)
    try {
      const actual = createHash('sha256')
      for await (const chunk of readChunks(this.#disk, handle)) {
        actual.update(chunk)
        yield chunk
      }
      if (actual.digest('hex') !== hash) throw unreadable(hash, 'its blob is damaged')
    } catch (error) {
      throw asJournalError(error, `reading the content ${hash}`, this.blobs.path(hash))
    } finally {
      this.#disk.close(handle)
    }
  }

  #openBlob(hash: ContentHash): FileHandle {
    const path = this.blobs.path(hash)
    try {
      const kind = this.blobs.stat(hash)?.kind
      if (kind === undefined) throw unreadable(hash, 'it is neither in the log nor among the blobs')
      if (kind !== 'file') throw unreadable(hash, 'its blob is no file')
      return this.#disk.open(path, 'read')
    } catch (error) {
      throw asJournalError(error, `reading the content ${hash}`, path)
    }
  }

  /** Null: it is a blob, or nowhere. */
  async #inLog(hash: ContentHash): Promise<FoundRecord | null> {
    const recent = this.#recent.get(hash)
    const known = recent === undefined || recent.position < this.#start ? undefined : recent
    if (known === undefined && this.blobs.stat(hash) !== null) return null
    const location = known ?? (await this.#locate(hash))
    if (location === null) return null
    if ('purgedBy' in location) throw purgedError(hash, location.purgedBy)
    const found = this.#resolver.recordAt(location)
    // Its part of the log was dropped since: then it is a blob, or nothing names it any more.
    if (found === null && location.position < this.#reader.start) {
      if (this.blobs.stat(hash) !== null) return null
      throw droppedContent(hash)
    }
    if (found === null) throw unreadable(hash, 'its frame in the log is damaged')
    if (found.record.hash !== hash) throw unreadable(hash, 'the index points to the wrong place')
    const { encoding } = found.record
    // A purge, or a salvage, by another process may have put a content whole among the blobs, and what it was a change of is gone.
    if (known !== undefined && (encoding === PURGED || encoding === CHANGED) && this.blobs.stat(hash) !== null)
      return null
    if (encoding === PURGED) throw purgedError(hash)
    return found
  }
}

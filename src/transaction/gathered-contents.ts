import { deflated, looksCompressible } from '../content/compression.ts'
import {
  type BasePlace,
  CHANGED,
  type ContentRecord,
  DEFLATED,
  encodeChange,
  encodeContents,
  RAW,
} from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import { sizeOf } from '../content/delta.ts'
import { hashBytes, hashFile } from '../content/hash.ts'
import type { Held } from '../content/held-bytes.ts'
import type { LargeChange } from '../content/large-change.ts'
import type { FileHandle } from '../disk/disk.ts'
import { createFrom, dropFile, readFully, writeFully } from '../disk/file.ts'
import { type Entry, isSpoken } from '../entry/entry.ts'
import { type ContentHash, type FileState, hashOf, type State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { NewFrame } from '../log/log-writer.ts'
import type { Observation, Observer } from '../workspace/observer.ts'
import { type Change, ChangeFinder, LOOKUP_SIZE } from './change-finder.ts'
import type { ContentSource } from './operation.ts'

/** Earlier contents up to this many bytes are held in memory until they are in the log; further ones wait on disk. */
const HOLD_LIMIT = 8 * 1024 * 1024
/** What a record takes besides its data, about. */
const RECORD_BYTES = 64

export interface Gathering {
  readonly tx: string
  readonly observer: Observer
  readonly contents: ContentStore
  readonly staging: string
  /** See `Site`. */
  readonly mark: string
  readonly base: ReadonlyMap<string, Observation>
  readonly source: (hash: ContentHash) => ContentSource
  /** Contents up to this many bytes go into the log. Those of one frame add up to twice as many at most. */
  readonly inline: number
  /**
   * Asked before anything is kept for good, with the bytes that the log and the blobs would grow by; what it returns is called when the transaction is
   * there, or is not to be. @throws JournalError `NO_SPACE`
   */
  readonly admit?: ((bytes: number, entries: readonly Entry[]) => () => void) | undefined
}

/** Of a content that is kept whole. */
const WHOLE = { step: 0, depth: 0, pieces: 0, data: null } as const

interface Inline {
  readonly hash: ContentHash
  readonly size: number
  readonly bytes: () => Uint8Array
  /** The bytes, if they are in memory anyway. */
  readonly known: Uint8Array | null
  /** Null: it is kept whole. */
  readonly change: Change | null
}

/** A state that entries name, and the content that its own takes the place of. */
interface Named {
  readonly state: State
  readonly before: FileState | null
  readonly path: string
  /** It is there no more: its content may have been purged. */
  readonly isPast: boolean
  /** Was `before` read already, to make the new content of it? */
  readonly reread: boolean
}

/** Contents that a transaction must bring into the journal: what it writes, and what it is about to replace or remove. */
export class GatheredContents {
  readonly #inline: Inline[] = []
  readonly #byHash = new Map<ContentHash, Inline>()
  readonly #blobs: { hash: ContentHash; file: string }[] = []
  readonly #temporary: string[] = []
  readonly #gathering: Gathering
  readonly #finder: ChangeFinder
  readonly #writing: number
  /** Paths by the content that was observed there; made when the first is asked for. */
  #origins: Map<ContentHash, string> | null = null
  /** Where contents wait that are not held in memory. */
  #aside: { readonly handle: FileHandle; size: number } | null = null
  #held = 0
  #leave: (() => void) | null = null

  private constructor(gathering: Gathering) {
    this.#gathering = gathering
    this.#writing = gathering.contents.writing
    this.#finder = new ChangeFinder(gathering.observer.disk, gathering.contents)
  }

  /**
   * Collects them, and makes the large ones durable as blobs; so before the commit that names them reaches the log.
   * @throws JournalError `CONFLICT` when a file changed since it was observed
   */
  static async gather(
    gathering: Gathering,
    entries: readonly Entry[],
    leaves: (path: string) => boolean,
  ): Promise<GatheredContents> {
    const gathered = new GatheredContents(gathering)
    try {
      await gathered.#collect(entries, leaves)
      if (gathering.admit !== undefined) {
        const { disk } = gathering.observer
        const blobs = gathered.#blobs.reduce((sum, { file }) => sum + (disk.lstat(file)?.size ?? 0), 0)
        gathered.#leave = gathering.admit(gathered.size + blobs, entries)
      }
      if (gathered.#blobs.length > 0) await gathering.contents.blobs.keep(gathered.#blobs)
      return gathered
    } catch (error) {
      gathered.release()
      throw error
    }
  }

  /** Removes what it made in `staging`. */
  release(): void {
    const { disk } = this.#gathering.observer
    this.#leave?.()
    this.#leave = null
    if (this.#aside !== null) disk.close(this.#aside.handle)
    this.#aside = null
    for (const file of this.#temporary.splice(0)) dropFile(disk, file)
  }

  /** Where the bytes of a content are while the log does not have them yet. */
  source(hash: ContentHash): ContentSource {
    const source = this.#gathering.source(hash)
    if (source.at !== 'stored') return source
    const inline = this.#byHash.get(hash)
    return inline === undefined ? source : { at: 'memory', bytes: inline.bytes() }
  }

  /** Bytes that the frames will take, about. */
  get size(): number {
    return this.#inline.reduce(
      (sum, { size, change }) => sum + (change === null ? size : sizeOf(change.delta)) + 2 * RECORD_BYTES,
      2 * RECORD_BYTES,
    )
  }

  /** The content frames, a pack at a time; contents that wait on disk are read when their turn comes. */
  *frames(): Generator<NewFrame> {
    const { tx, contents, inline } = this.#gathering
    for (let at = 0; at < this.#inline.length; ) {
      const pack: ContentRecord[] = []
      for (let size = 0; at < this.#inline.length && size < inline; at += 1) {
        const record = this.#record(this.#inline[at] as Inline, pack)
        pack.push(record)
        size += record.data.byteLength
      }
      const placed = (position: number): void => {
        for (const [index, { hash }] of pack.entries()) contents.remember(hash, { position, index }, this.#writing)
      }
      yield { kind: 'content', payload: encodeContents(tx, pack), placed }
    }
  }

  /** `beside`: what stands before it in the same frame. */
  #record({ hash, bytes, known, change }: Inline, beside: readonly ContentRecord[]): ContentRecord {
    const { contents } = this.#gathering
    const place = change === null ? null : (change.place ?? placeOf(change.base, beside, contents))
    if (change !== null && place !== null) {
      const { base, step, depth, pieces, delta } = change
      const data = encodeChange({ base, place, step }, delta)
      if (known !== null) contents.held.set(hash, { bytes: known, step, depth, pieces, data })
      return { hash, encoding: CHANGED, data }
    }
    const content = bytes()
    // What waited in a file may not be what it was.
    if (known === null && hashBytes(content) !== hash)
      throw new RangeError('a staged content changed before its commit')
    if (!contents.dense) return { hash, encoding: RAW, data: content }
    // Others are seldom edited, and replaced often: then holding them costs the most.
    if (looksCompressible(content)) contents.held.set(hash, { bytes: content, ...WHOLE })
    const compressed = deflated(content)
    return compressed === null ? { hash, encoding: RAW, data: content } : { hash, encoding: DEFLATED, data: compressed }
  }

  async #collect(entries: readonly Entry[], leaves: (path: string) => boolean): Promise<void> {
    const { contents, source, observer, inline } = this.#gathering
    const done = new Set<ContentHash>()
    for (const named of statesOf(entries)) {
      const { state } = named
      if (state?.kind !== 'file' || done.has(state.hash)) continue
      done.add(state.hash)
      const { hash, size } = state
      if (contents.hasRecent(hash) || (size > LOOKUP_SIZE && (await contents.blobs.has(hash)))) continue
      const from = source(hash)
      // Looking it up would take longer than keeping the change that an edit is; see `#keep` for one that is none.
      const lookedUp = size > LOOKUP_SIZE && from.at !== 'changed' && !(from.at === 'memory' && isRevised(named))
      if (lookedUp && (await contents.has(hash))) continue
      if (from.at === 'memory') {
        // A promise for each of many small contents would take as long as the content.
        const keeping = this.#keep(named, hash, size, () => from.bytes, from.bytes)
        if (keeping !== undefined) await keeping
      } else if (from.at === 'changed') await this.#keepChanged(from.change)
      else if (from.at === 'staged') {
        if (size > inline) await this.#keepLarge(named, hash, size, from.file)
        else await this.#keep(named, hash, size, () => this.#read(from.file, size), null)
      } else {
        const origin = this.#origin(hash)
        if (origin === null) {
          const isThere = size <= LOOKUP_SIZE && (await contents.has(hash))
          if (!isThere && !(named.isPast && (await contents.purgedBy(hash)) !== null)) throw missing(hash)
        } else if (size > inline) await this.#keepFile(origin, state, leaves(origin))
        else {
          const bytes = this.#read(observer.absolute(origin), size)
          if (hashBytes(bytes) !== hash) throw changed(origin)
          this.#held += size
          if (this.#held <= HOLD_LIMIT) await this.#keep(named, hash, size, () => bytes, bytes)
          else {
            this.#add({ hash, size, bytes: this.#putAside(bytes), known: null, change: null })
          }
        }
      }
    }
  }

  /** Has a content put into the log: as a change of what it takes the place of, where that is less. A promise only where something must be looked up. */
  #keep(
    named: Named,
    hash: ContentHash,
    size: number,
    bytes: () => Uint8Array,
    known: Uint8Array | null,
  ): undefined | Promise<void> {
    const { contents, inline } = this.#gathering
    const { before } = named
    if (!contents.dense || before === null || before.size > inline)
      return this.#keepAs(null, named, { hash, size, bytes, known })
    const base = { ...before, own: this.#own(before.hash), readable: named.reread }
    const content = known ?? bytes()
    const settle = (change: Change | null): undefined | Promise<void> => {
      if (change !== null && known === null && hashBytes(content) !== hash)
        throw new RangeError('a staged content changed before its commit')
      return this.#keepAs(change, named, { hash, size, bytes, known })
    }
    const found = this.#finder.find(base, hash, content)
    return found instanceof Promise ? found.then(settle) : settle(found)
  }

  #keepAs(change: Change | null, named: Named, content: Omit<Inline, 'change'>): undefined | Promise<void> {
    const { hash, size, known } = content
    if (change === null && known !== null && size > LOOKUP_SIZE && isRevised(named)) {
      return this.#gathering.contents.has(hash).then((has) => {
        if (!has) this.#add({ ...content, change })
      })
    }
    this.#add({ ...content, change: change !== null && known === null ? this.#withoutBytes(change) : change })
    return undefined
  }

  #add(content: Inline): void {
    this.#inline.push(content)
    this.#byHash.set(content.hash, content)
  }

  /** What this transaction brings, and has in memory. */
  #own(hash: ContentHash): Held | null {
    const own = this.#byHash.get(hash)
    if (own === undefined || own.known === null) return null
    const { step, depth, pieces } = own.change ?? WHOLE
    return { bytes: own.known, step, depth, pieces, data: null }
  }

  /** A change that holds no more bytes than are its own; null when too many are held. */
  #withoutBytes(change: Change): Change | null {
    const { delta } = change
    this.#held += sizeOf(delta)
    if (this.#held > HOLD_LIMIT) return null
    const pieces = delta.pieces.map((piece) => ({ ...piece, insert: Uint8Array.prototype.slice.call(piece.insert) }))
    return { ...change, delta: { ...delta, pieces } }
  }

  /** A content too large for the log: as a change of one that the journal has, or as a blob. */
  async #keepLarge({ before, path }: Named, hash: ContentHash, size: number, file: string): Promise<void> {
    const { contents, observer, base, inline } = this.#gathering
    const standing = hashOf(base.get(path)?.state ?? null)
    if (contents.dense && before !== null && before.hash === standing) {
      const found = await this.#finder.findInFiles(
        { hash: before.hash, file: observer.absolute(path) },
        { hash, size, file },
        inline,
      )
      const change = found === null ? null : this.#withoutBytes(found)
      if (change !== null) {
        this.#add({ hash, size, bytes: () => this.#read(file, size), known: null, change })
        return
      }
    }
    this.#blobs.push({ hash, file })
  }

  /** A large content that is known by what it changes: kept as that, or whole when it stands on too many changes. */
  async #keepChanged(change: LargeChange): Promise<void> {
    const { observer, contents, inline } = this.#gathering
    const { hash, size } = change.trail
    const found = await this.#finder.findKnown(change, inline)
    const bytes = (): never => {
      throw new RangeError('the base of a change is gone')
    }
    if (found !== null) {
      this.#add({ hash, size, bytes, known: null, change: found })
      return
    }
    const file = this.#temporaryFile()
    await createFrom(observer.disk, file, contents.changed(hash, change.base, change.delta))
    this.#blobs.push({ hash, file })
  }

  /** The path where a content was observed. */
  #origin(hash: ContentHash): string | null {
    if (this.#origins === null) {
      this.#origins = new Map()
      for (const [path, { state }] of this.#gathering.base) {
        if (state?.kind === 'file' && !this.#origins.has(state.hash)) this.#origins.set(state.hash, path)
      }
    }
    return this.#origins.get(hash) ?? null
  }

  /** Keeps a large file that is about to leave the workspace by a second name, and copies any other. */
  async #keepFile(path: string, state: FileState, leaves: boolean): Promise<void> {
    const { observer, base } = this.#gathering
    const { disk } = observer
    const absolute = observer.absolute(path)
    const file = this.#temporaryFile()
    // A file with other names of its own goes on being written through them.
    if (leaves && base.get(path)?.stat?.nlink === 1) {
      try {
        disk.link(absolute, file)
      } catch {
        // No links here, or another file system: it is copied.
      }
    }
    if (disk.lstat(file) === null) disk.clone(absolute, file, 0o600)
    const handle = disk.open(file, 'read')
    try {
      if ((await hashFile(disk, handle)).hash !== state.hash) throw changed(path)
    } finally {
      disk.close(handle)
    }
    this.#blobs.push({ hash: state.hash, file })
  }

  #temporaryFile(): string {
    const { staging, tx, mark } = this.#gathering
    const file = `${staging}/${tx}.${mark}b${this.#temporary.length}`
    this.#temporary.push(file)
    return file
  }

  /** Contents that wait on disk wait in one file, whatever their number: making a file takes longer than filling a small one. */
  #putAside(bytes: Uint8Array): () => Uint8Array {
    const { disk } = this.#gathering.observer
    this.#aside ??= { handle: disk.open(this.#temporaryFile(), 'create', 0o600), size: 0 }
    const { handle, size: at } = this.#aside
    writeFully(disk, handle, bytes, at)
    this.#aside.size += bytes.byteLength
    const { byteLength } = bytes
    return () => {
      const again = Buffer.allocUnsafe(byteLength)
      return again.subarray(0, readFully(disk, handle, again, at))
    }
  }

  #read(file: string, size: number): Uint8Array {
    const { disk } = this.#gathering.observer
    const handle = disk.open(file, 'read')
    try {
      const bytes = Buffer.allocUnsafe(size)
      return bytes.subarray(0, readFully(disk, handle, bytes, 0))
    } finally {
      disk.close(handle)
    }
  }
}

function* statesOf(entries: readonly Entry[]): Generator<Named> {
  for (const entry of entries) {
    if (entry.op === 'note') continue
    const { path, op, before, after } = entry
    yield { state: before, before: null, path, isPast: true, reread: false }
    const reread = op === 'append' || isSpoken(entry)
    const known = op !== 'rename' && before?.kind === 'file' ? before : null
    yield { state: after, before: known, path, isPast: false, reread }
    if (op === 'rename') yield { state: entry.replaced, before: null, path: entry.to, isPast: true, reread: false }
  }
}

/** Most likely a small change of what was read to make it. */
function isRevised({ reread, before }: Named): boolean {
  return reread && before !== null
}

/** Where a content stands that the same transaction put into the log just now. */
function placeOf(hash: ContentHash, beside: readonly ContentRecord[], contents: ContentStore): BasePlace | null {
  const index = beside.findIndex((record) => record.hash === hash)
  if (index >= 0) return { at: 'beside', index }
  const location = contents.recent(hash)
  return location === null ? null : { at: 'log', ...location }
}

function changed(path: string): JournalError {
  return new JournalError('CONFLICT', `${path} was changed while the transaction was being committed`, {
    hint: 'Try again.',
    path,
  })
}

function missing(hash: ContentHash): JournalError {
  return new JournalError('NOT_FOUND', `the content ${hash.slice(0, 16)}… is not in the journal`, {
    hint: "It may have been purged; 'journal verify' tells.",
    details: { hash },
  })
}

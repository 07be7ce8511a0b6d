import { encodeContents } from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import { hashBytes, hashFile } from '../content/hash.ts'
import { createFile, dropFile, readFully } from '../disk/file.ts'
import type { Entry } from '../entry/entry.ts'
import { type ContentHash, type FileState, hashOf, type State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { NewFrame } from '../log/log-writer.ts'
import type { Observation, Observer } from '../workspace/observer.ts'
import type { ContentSource } from './operation.ts'

/** Earlier contents up to this many bytes are held in memory until they are in the log; further ones wait on disk. */
const HOLD_LIMIT = 8 * 1024 * 1024
/** Below this a content is rather stored twice than looked up in the index. */
const LOOKUP_SIZE = 16 * 1024

export interface Gathering {
  readonly tx: string
  readonly observer: Observer
  readonly contents: ContentStore
  readonly staging: string
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

type Inline = { readonly hash: ContentHash; readonly size: number; readonly bytes: () => Uint8Array }

/** Contents that a transaction must bring into the journal: what it writes, and what it is about to replace or remove. */
export class GatheredContents {
  readonly #inline: Inline[] = []
  readonly #blobs: { hash: ContentHash; file: string }[] = []
  readonly #temporary: string[] = []
  readonly #gathering: Gathering
  #held = 0
  #leave: (() => void) | null = null

  private constructor(gathering: Gathering) {
    this.#gathering = gathering
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
    for (const file of this.#temporary.splice(0)) dropFile(disk, file)
  }

  /** Where the bytes of a content are while the log does not have them yet. */
  source(hash: ContentHash): ContentSource {
    const source = this.#gathering.source(hash)
    if (source.at !== 'stored') return source
    const inline = this.#inline.find((content) => content.hash === hash)
    return inline === undefined ? source : { at: 'memory', bytes: inline.bytes() }
  }

  /** Bytes that the frames will take, about. */
  get size(): number {
    return this.#inline.reduce((sum, { size }) => sum + size + 64, 128)
  }

  /** The content frames, a pack at a time; contents that wait on disk are read when their turn comes. */
  *frames(): Generator<NewFrame> {
    const { tx, contents, inline } = this.#gathering
    for (let at = 0; at < this.#inline.length; ) {
      const pack: { hash: ContentHash; bytes: Uint8Array }[] = []
      for (let size = 0; at < this.#inline.length && size < inline; at += 1) {
        const { hash, bytes } = this.#inline[at] as Inline
        const content = bytes()
        if (hashBytes(content) !== hash) throw new RangeError('a staged content changed before its commit')
        pack.push({ hash, bytes: content })
        size += content.byteLength
      }
      const placed = (position: number): void => {
        for (const [index, { hash }] of pack.entries()) contents.remember(hash, { position, index })
      }
      yield { kind: 'content', payload: encodeContents(tx, pack), placed }
    }
  }

  async #collect(entries: readonly Entry[], leaves: (path: string) => boolean): Promise<void> {
    const { contents, source, observer, inline } = this.#gathering
    const done = new Set<ContentHash>()
    for (const state of statesOf(entries)) {
      if (state?.kind !== 'file' || done.has(state.hash)) continue
      done.add(state.hash)
      const { hash, size } = state
      if (contents.hasRecent(hash) || (size > LOOKUP_SIZE && (await contents.blobs.has(hash)))) continue
      const from = source(hash)
      if (size > LOOKUP_SIZE && (await contents.has(hash))) continue
      if (from.at === 'memory') this.#inline.push({ hash, size, bytes: () => from.bytes })
      else if (from.at === 'staged') {
        if (size > inline) this.#blobs.push({ hash, file: from.file })
        else this.#inline.push({ hash, size, bytes: () => this.#read(from.file, size) })
      } else {
        const origin = this.#origin(hash)
        if (origin === null) {
          if (size <= LOOKUP_SIZE && !(await contents.has(hash))) throw missing(hash)
          if (size > LOOKUP_SIZE) throw missing(hash)
        } else if (size > inline) await this.#keepFile(origin, state, leaves(origin))
        else {
          const bytes = this.#read(observer.absolute(origin), size)
          if (hashBytes(bytes) !== hash) throw changed(origin)
          this.#held += size
          if (this.#held <= HOLD_LIMIT) this.#inline.push({ hash, size, bytes: () => bytes })
          else {
            const file = this.#temporaryFile()
            createFile(observer.disk, file, bytes, 0o600)
            this.#inline.push({ hash, size, bytes: () => this.#read(file, size) })
          }
        }
      }
    }
  }

  /** The path where a content was observed. */
  #origin(hash: ContentHash): string | null {
    for (const [path, { state }] of this.#gathering.base) if (hashOf(state) === hash) return path
    return null
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
    const { staging, tx } = this.#gathering
    const file = `${staging}/${tx}.b${this.#temporary.length}`
    this.#temporary.push(file)
    return file
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

function* statesOf(entries: readonly Entry[]): Generator<State> {
  for (const entry of entries) {
    yield entry.before
    yield entry.after
    if (entry.op === 'rename') yield entry.replaced
  }
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

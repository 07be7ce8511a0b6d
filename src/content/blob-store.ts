import type { DirectoryEntry, Disk, FileStat } from '../disk/disk.ts'
import { breathe, stir } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'
import { asJournalError, hasSystemCode, isSystemError, JournalError } from '../errors.ts'
import { LOST } from './content-frame.ts'
import { hashFile } from './hash.ts'

/** Syncs in flight at once: a journaling file system makes those of one moment durable together. */
const SYNCS = 16
/** Names changed between two turns of the event loop. */
const FILES_A_TURN = 16

export interface KeptFile {
  readonly hash: ContentHash
  /** Absolute path of the complete file. */
  readonly file: string
}

/** Contents too large for the log, one file each, named by SHA-256. Blobs are immutable once a commit names them. */
export class BlobStore {
  readonly #disk: Disk
  readonly directory: string
  /** What this process knows to be on stable storage, name and all. */
  readonly #durable = new Set<ContentHash>()
  readonly #durableFolders = new Set<string>()
  #relied: Set<ContentHash> | null = null
  #grown = 0

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.directory = directory
  }

  path(hash: ContentHash): string {
    return `${this.directory}/${hash.slice(0, 2)}/${hash.slice(2)}`
  }

  /** Bytes that blobs have grown by since this was made. */
  get grown(): number {
    return this.#grown
  }

  /** From now on every blob that somebody is told to be there, or that is kept anew, is noted in `relied`; until it is given null. */
  watch(relied: Set<ContentHash> | null): void {
    this.#relied = relied
  }

  /** Takes nothing for durable any more. */
  forgetAll(): void {
    this.#durable.clear()
    this.#durableFolders.clear()
  }

  /** What stands under the blob's name, whatever it is. @throws JournalError */
  stat(hash: ContentHash): FileStat | null {
    try {
      return this.#disk.lstat(this.path(hash))
    } catch (error) {
      throw asJournalError(error, 'reading the blobs', this.path(hash))
    }
  }

  /**
   * Is the blob there, the journal's alone, and durable? One that still has a second name, left by a crash between keeping a file and
   * replacing it, can be changed from outside, so it does not count. One that another process left may not be durable yet: it is made so.
   */
  async has(hash: ContentHash): Promise<boolean> {
    const stat = this.stat(hash)
    if (stat === null || stat.kind !== 'file' || stat.nlink !== 1) return false
    this.#relied?.add(hash)
    if (!this.#durable.has(hash))
      await this.#nameDurably([{ hash, file: this.path(hash) }], (_, folder) => stir(this.#disk, folder))
    return true
  }

  /** Every blob there is, with its size in bytes. */
  *list(): Generator<{ hash: ContentHash; size: number }> {
    for (const folder of this.#namesIn(this.directory)) {
      if (folder.kind !== 'dir' || !/^[0-9a-f]{2}$/.test(folder.name)) continue
      for (const file of this.#namesIn(`${this.directory}/${folder.name}`)) {
        if (!/^[0-9a-f]{62}$/.test(file.name)) continue
        const stat = this.stat(folder.name + file.name)
        if (stat !== null) yield { hash: folder.name + file.name, size: stat.size }
      }
    }
  }

  #namesIn(folder: string): readonly DirectoryEntry[] {
    try {
      return this.#disk.readDirectory(folder)
    } catch (error) {
      // Not there: then none of its blobs is, which those who name them will say.
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return []
      throw asJournalError(error, 'reading the blobs', folder)
    }
  }

  /**
   * Takes complete files over as blobs and makes them durable: data first, then names. Each file must be on the same file
   * system; afterwards it has the blob's name instead of its own.
   */
  async keep(files: readonly KeptFile[]): Promise<void> {
    for (const { hash } of files) this.#relied?.add(hash)
    await atOnce(files, async ({ file }) => {
      const handle = this.#disk.open(file, 'read')
      await this.#disk.sync(handle).finally(() => this.#disk.close(handle))
    })
    await this.#nameDurably(files, ({ hash, file }) => {
      const before = this.stat(hash)?.size ?? 0
      const size = this.#disk.lstat(file)?.size ?? 0
      this.#disk.rename(file, this.path(hash))
      this.#grown += size - before
    })
  }

  /**
   * What has the name of a blob is durable but for that name. `change` changes the folder that the name is in: a sync alone might do nothing, where
   * an earlier one has failed.
   */
  async #nameDurably(files: readonly KeptFile[], change: (file: KeptFile, folder: string) => void): Promise<void> {
    if (files.length === 0) return
    const folders = new Set(files.map(({ hash }) => this.#folder(hash)))
    const unknown = [...folders].some((folder) => !this.#durableFolders.has(folder))
    if (unknown) stir(this.#disk, this.directory)
    for (const [index, folder] of [...folders].entries()) {
      const stat = this.#disk.lstat(folder)
      if (stat === null) this.#disk.makeDirectory(folder, 0o700)
      else if (stat.kind !== 'dir') throw noFolder(folder)
      if (index % FILES_A_TURN === FILES_A_TURN - 1) await breathe()
    }
    for (const [index, file] of files.entries()) {
      change(file, this.#folder(file.hash))
      if (index % FILES_A_TURN === FILES_A_TURN - 1) await breathe()
    }
    await atOnce([...folders], (folder) => this.#disk.syncDirectory(folder))
    // A folder that somebody else made may not be durable yet either.
    if (unknown) await this.#disk.syncDirectory(this.directory)
    for (const folder of folders) this.#durableFolders.add(folder)
    for (const { hash } of files) this.#durable.add(hash)
  }

  #folder(hash: ContentHash): string {
    return `${this.directory}/${hash.slice(0, 2)}`
  }

  /**
   * Makes a blob that still shares its bytes with a file in the workspace, which was kept by a second name and then stayed, the journal's alone.
   * `spare`: a free name on the same file system.
   */
  async own(hash: ContentHash, spare: string): Promise<void> {
    const path = this.path(hash)
    const stat = this.#disk.lstat(path)
    if (stat === null || stat.nlink === 1) return
    if (this.#disk.lstat(spare) !== null) this.#disk.unlink(spare)
    this.#disk.clone(path, spare, 0o600)
    const handle = this.#disk.open(spare, 'read')
    const copied = await hashFile(this.#disk, handle).finally(() => this.#disk.close(handle))
    if (copied.hash !== hash) {
      this.#disk.unlink(spare)
      throw unreadable(hash, "somebody changed it before it was the journal's alone")
    }
    await this.keep([{ hash, file: spare }])
  }

  /** Compares a blob with its name. */
  async check(hash: ContentHash): Promise<'right' | 'wrong' | 'missing'> {
    try {
      const handle = this.#disk.open(this.path(hash), 'read')
      try {
        return (await hashFile(this.#disk, handle)).hash === hash ? 'right' : 'wrong'
      } finally {
        this.#disk.close(handle)
      }
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return 'missing'
      // Whatever stands there, the content cannot be had from it.
      if (isSystemError(error)) return 'wrong'
      throw error
    }
  }

  /** Takes a file over as the blob `hash`, durably, when that is what it holds. */
  async adopt(hash: ContentHash, file: string): Promise<boolean> {
    const handle = this.#disk.open(file, 'read')
    const found = await hashFile(this.#disk, handle).finally(() => this.#disk.close(handle))
    if (found.hash === hash) await this.keep([{ hash, file }])
    return found.hash === hash
  }

  remove(hash: ContentHash): void {
    this.#forget(hash)
    this.#disk.unlink(this.path(hash))
  }

  /** Moves a blob to a free name on the same file system, which takes no time however large it is. False when there is none. */
  moveAway(hash: ContentHash, to: string): boolean {
    if (this.stat(hash) === null) return false
    this.#forget(hash)
    this.#disk.rename(this.path(hash), to)
    return true
  }

  #forget(hash: ContentHash): void {
    this.#durable.delete(hash)
    this.#grown -= this.stat(hash)?.size ?? 0
  }

  /** Removes blobs for good: their names are gone from stable storage when it resolves. */
  async removeAll(hashes: readonly ContentHash[]): Promise<void> {
    for (const hash of hashes) this.remove(hash)
    await this.settle(hashes)
  }

  /** Makes it durable that blobs have gone. */
  async settle(hashes: readonly ContentHash[]): Promise<void> {
    for (const folder of new Set(hashes.map((hash) => this.#folder(hash)))) await this.#disk.syncDirectory(folder)
  }
}

/** Does `work` for all, some at a time. When one fails no more are begun; it throws when none is under way. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  let failed = false
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return
      await work(item).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  const done = await Promise.allSettled(Array.from({ length: Math.min(SYNCS, items.length) }, worker))
  for (const one of done) if (one.status === 'rejected') throw one.reason
}

function noFolder(folder: string): JournalError {
  return new JournalError('CORRUPT', `${folder} is no folder`, {
    hint: 'Nothing was changed. Look where it comes from, and move it away.',
    path: folder,
  })
}

export function purgedError(hash: ContentHash, purgedBy?: number, path?: string): JournalError {
  const which =
    path === undefined ? `the content ${hash.slice(0, 16)}…` : `the content that ${path} had (${hash.slice(0, 16)}…)`
  if (purgedBy === LOST.purgedBy) {
    return new JournalError('NOT_FOUND', `${which} was lost in damage to the journal`, {
      hint: "A salvage said so, and kept what was damaged in .journal/broken. 'journal verify' lists the gaps.",
      path,
      details: { hash, lost: true },
    })
  }
  const by = purgedBy === undefined ? '' : ` by transaction number ${purgedBy}`
  return new JournalError('NOT_FOUND', `${which} was purged${by}`, {
    hint: 'It was erased on purpose, and cannot be brought back. What else the transaction says is still there.',
    path,
    details: { hash, ...(purgedBy === undefined ? {} : { purgedBy }) },
  })
}

/** Its transactions were dropped while somebody was reading. */
export function droppedContent(hash: ContentHash): JournalError {
  return new JournalError('NOT_FOUND', `the content ${hash.slice(0, 16)}… was dropped by retention just now`, {
    hint: "'journal log --oldest' shows the first transaction that is kept.",
    details: { hash },
  })
}

export function unreadable(hash: ContentHash, why: string): JournalError {
  return new JournalError('CORRUPT', `the content ${hash.slice(0, 16)}… cannot be read: ${why}`, {
    hint: "Run 'journal verify' to see which files and transactions are affected; restore .journal from a backup.",
    details: { hash, why },
  })
}

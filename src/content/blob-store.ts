import type { Disk } from '../disk/disk.ts'
import type { ContentHash } from '../entry/state.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import { hashFile } from './hash.ts'

/** Contents too large for the log, one file each, named by SHA-256. Blobs are immutable once a commit names them. */
export class BlobStore {
  readonly #disk: Disk
  readonly directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.directory = directory
  }

  path(hash: ContentHash): string {
    return `${this.directory}/${hash.slice(0, 2)}/${hash.slice(2)}`
  }

  /**
   * Is the blob there and the journal's alone? One that still has a second name, left by a crash between keeping a file and
   * replacing it, can be changed from outside, so it does not count.
   */
  has(hash: ContentHash): boolean {
    const stat = this.#disk.lstat(this.path(hash))
    return stat !== null && stat.kind === 'file' && stat.nlink === 1
  }

  /** Every blob there is, with its size in bytes. */
  *list(): Generator<{ hash: ContentHash; size: number }> {
    for (const folder of this.#disk.readDirectory(this.directory)) {
      if (folder.kind !== 'dir' || !/^[0-9a-f]{2}$/.test(folder.name)) continue
      for (const file of this.#disk.readDirectory(`${this.directory}/${folder.name}`)) {
        const stat = this.#disk.lstat(`${this.directory}/${folder.name}/${file.name}`)
        if (/^[0-9a-f]{62}$/.test(file.name) && stat !== null) yield { hash: folder.name + file.name, size: stat.size }
      }
    }
  }

  /**
   * Takes complete files over as blobs and makes them durable: data first, then names. Each file must be on the same file
   * system; afterwards it has the blob's name instead of its own.
   */
  async keep(files: readonly { readonly hash: ContentHash; readonly file: string }[]): Promise<void> {
    if (files.length === 0) return
    const folders = new Set<string>()
    let newFolder = false
    for (const { file } of files) {
      const handle = this.#disk.open(file, 'read')
      await this.#disk.sync(handle).finally(() => this.#disk.close(handle))
    }
    for (const { hash, file } of files) {
      const folder = `${this.directory}/${hash.slice(0, 2)}`
      if (this.#disk.lstat(folder) === null) {
        this.#disk.makeDirectory(folder, 0o700)
        newFolder = true
      }
      this.#disk.rename(file, this.path(hash))
      folders.add(folder)
    }
    for (const folder of folders) await this.#disk.syncDirectory(folder)
    if (newFolder) await this.#disk.syncDirectory(this.directory)
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
      throw error
    }
  }

  remove(hash: ContentHash): void {
    this.#disk.unlink(this.path(hash))
  }
}

export function unreadable(hash: ContentHash, why: string): JournalError {
  return new JournalError('CORRUPT', `the content ${hash.slice(0, 16)}… cannot be read: ${why}`, {
    hint: "Run 'journal verify' to see which files and transactions are affected; restore .journal from a backup.",
    details: { hash },
  })
}

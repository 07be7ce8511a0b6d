import { CHUNK_SIZE, hashBytes, hashFile } from '../content/hash.ts'
import type { Disk, FileStat } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import type { Owner, State } from '../entry/state.ts'
import { asJournalError, hasSystemCode } from '../errors.ts'

export interface Found {
  readonly state: State
  /** The content of a file no larger than was asked for. */
  readonly bytes: Uint8Array | null
  /** Something that the journal cannot hold stands there: a device, a pipe, a socket. */
  readonly other: boolean
}

const NOTHING: Found = { state: null, bytes: null, other: false }

function owner(disk: Disk, stat: FileStat): { owner?: Owner } {
  return disk.superuser ? { owner: { uid: stat.uid, gid: stat.gid } } : {}
}

/** Looks at what is in the workspace now. Follows no symbolic link, not in the folders above either: what is behind one is not the path. */
export class Finder {
  readonly #disk: Disk
  readonly #root: string
  /** The folder last found to be a real one all the way down. */
  #folder = ''

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#root = root
  }

  /** State of a path, with the content of a file of up to `keep` bytes. Large files are hashed in constant memory. */
  async find(path: string, keep = 0): Promise<Found> {
    if (!this.#isReached(path)) return NOTHING
    const full = `${this.#root}/${path}`
    try {
      const stat = this.#disk.lstat(full)
      switch (stat?.kind) {
        case undefined:
          return NOTHING
        case 'dir':
          return { ...NOTHING, state: { kind: 'dir', mode: stat.mode, ...owner(this.#disk, stat) } }
        case 'symlink':
          return { ...NOTHING, state: { kind: 'symlink', target: this.#disk.readLink(full) } }
        case 'file':
          return await this.#file(full, keep)
        default:
          return { ...NOTHING, other: true }
      }
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return NOTHING
      throw asJournalError(error, `looking at ${path}`, path)
    }
  }

  /** What there is of a file without reading it; null when none is there, or it cannot be reached. */
  stat(path: string): FileStat | null {
    try {
      const stat = this.#isReached(path) ? this.#disk.lstat(`${this.#root}/${path}`) : null
      return stat?.kind === 'file' ? stat : null
    } catch {
      // Whoever looks closer gets the error.
      return null
    }
  }

  async #file(full: string, keep: number): Promise<Found> {
    const handle = this.#disk.open(full, 'read')
    try {
      const stat = this.#disk.stat(handle)
      let bytes: Uint8Array | null = null
      let content: { hash: string; size: number }
      if (stat.size <= Math.max(keep, CHUNK_SIZE)) {
        const buffer = new Uint8Array(stat.size)
        bytes = buffer.subarray(0, readFully(this.#disk, handle, buffer, 0))
        content = { hash: hashBytes(bytes), size: bytes.byteLength }
      } else content = await hashFile(this.#disk, handle)
      return {
        state: { kind: 'file', ...content, mode: stat.mode, ...owner(this.#disk, stat) },
        bytes: bytes !== null && bytes.byteLength <= keep ? bytes : null,
        other: false,
      }
    } finally {
      this.#disk.close(handle)
    }
  }

  #isReached(path: string): boolean {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (parent === '' || parent === this.#folder) return true
    let at = this.#root
    for (const name of parent.split('/')) {
      at = `${at}/${name}`
      try {
        if (this.#disk.lstat(at)?.kind !== 'dir') return false
      } catch (error) {
        if (hasSystemCode(error, 'ENOTDIR', 'ENOENT')) return false
        throw asJournalError(error, `looking at ${path}`, path)
      }
    }
    this.#folder = parent
    return true
  }
}

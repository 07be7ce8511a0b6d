import type { DirectoryEntry, Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import { asJournalError, hasSystemCode } from '../errors.ts'

/** A segment grows to this many bytes; then the next one begins. */
export const SEGMENT_SIZE = 64 * 1024 * 1024

/** The folder `log/` and the names in it. */
export class Segments {
  readonly disk: Disk
  readonly directory: string

  readonly #bases: boolean

  /** `bases`: false to take no base for one, where none can be trusted. */
  constructor(disk: Disk, directory: string, bases = true) {
    this.disk = disk
    this.directory = directory
    this.#bases = bases
  }

  path(segment: number): string {
    return `${this.directory}/${String(segment).padStart(12, '0')}.wal`
  }

  basePath(base: number): string {
    return `${this.directory}/${String(base).padStart(12, '0')}.base`
  }

  /** Numbers of the segments that the log consists of, rising: those behind its base. */
  list(): number[] {
    return this.survey().segments
  }

  /** The number of the base that the log begins with; 0: none, it begins with segment 1. */
  base(): number {
    return this.survey().base
  }

  /** Both at once, as they were at one moment; and what a drop that was not finished has left before them. */
  survey(): { readonly base: number; readonly segments: number[]; readonly leftover: readonly string[] } {
    const found: number[] = []
    const bases: number[] = []
    for (const { name, kind } of this.#names()) {
      const [, number, form] = kind === 'file' ? (/^(\d{12})\.(wal|base)$/.exec(name) ?? []) : []
      if (form === 'wal') found.push(Number(number))
      if (form === 'base' && this.#bases) bases.push(Number(number))
    }
    const base = Math.max(0, ...bases)
    const segments = found.filter((segment) => segment > base).sort((a, b) => a - b)
    const old = [
      ...bases.filter((other) => other < base).map((other) => this.basePath(other)),
      ...found.filter((segment) => segment <= base).map((segment) => this.path(segment)),
    ]
    return { base, segments, leftover: old }
  }

  #names(): readonly DirectoryEntry[] {
    try {
      return this.disk.readDirectory(this.directory)
    } catch (error) {
      throw asJournalError(error, 'reading the log', this.directory)
    }
  }

  /** To be closed by the caller. @throws JournalError */
  open(segment: number): FileHandle {
    return this.#open(this.path(segment))
  }

  openBase(base: number): FileHandle {
    return this.#open(this.basePath(base))
  }

  /** The same as `open`; null when there is no such segment, be it since this moment. */
  openIfThere(segment: number): FileHandle | null {
    try {
      return this.exists(segment) ? this.disk.open(this.path(segment), 'read') : null
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return null
      throw asJournalError(error, 'reading the log', this.path(segment))
    }
  }

  #open(path: string): FileHandle {
    try {
      return this.disk.open(path, 'read')
    } catch (error) {
      throw asJournalError(error, 'reading the log', path)
    }
  }

  /** As many bytes at `offset` as `target` takes, or there are. @throws JournalError */
  read(handle: FileHandle, target: Uint8Array, offset: number, segment: number): number {
    try {
      return readFully(this.disk, handle, target, offset)
    } catch (error) {
      throw asJournalError(error, 'reading the log', this.path(segment))
    }
  }

  /** Something else than a file of that name is no segment. */
  exists(segment: number): boolean {
    return this.#stat(segment)?.kind === 'file'
  }

  size(segment: number): number {
    return this.#stat(segment)?.size ?? 0
  }

  #stat(segment: number): FileStat | null {
    try {
      return this.disk.lstat(this.path(segment))
    } catch (error) {
      throw asJournalError(error, 'reading the log', this.path(segment))
    }
  }
}

import type { DirectoryEntry, Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import { asJournalError } from '../errors.ts'

/** A segment grows to this many bytes; then the next one begins. */
export const SEGMENT_SIZE = 64 * 1024 * 1024

/** The folder `log/` and the names in it. */
export class Segments {
  readonly disk: Disk
  readonly directory: string

  constructor(disk: Disk, directory: string) {
    this.disk = disk
    this.directory = directory
  }

  path(segment: number): string {
    return `${this.directory}/${String(segment).padStart(12, '0')}.wal`
  }

  /** Numbers of the segments there are, rising. */
  list(): number[] {
    return this.#names()
      .filter((entry) => entry.kind === 'file' && /^\d{12}\.wal$/.test(entry.name))
      .map((entry) => Number(entry.name.slice(0, 12)))
      .sort((a, b) => a - b)
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
    try {
      return this.disk.open(this.path(segment), 'read')
    } catch (error) {
      throw asJournalError(error, 'reading the log', this.path(segment))
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

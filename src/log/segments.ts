import type { Disk } from '../disk/disk.ts'

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
    return this.disk
      .readDirectory(this.directory)
      .filter((entry) => entry.kind === 'file' && /^\d{12}\.wal$/.test(entry.name))
      .map((entry) => Number(entry.name.slice(0, 12)))
      .sort((a, b) => a - b)
  }

  exists(segment: number): boolean {
    return this.disk.lstat(this.path(segment)) !== null
  }

  size(segment: number): number {
    return this.disk.lstat(this.path(segment))?.size ?? 0
  }
}

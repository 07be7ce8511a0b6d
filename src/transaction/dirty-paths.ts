import type { Disk } from '../disk/disk.ts'
import type { Change } from '../workspace/change.ts'
import { parentOf } from '../workspace/safe-path.ts'
import { mayBeSynced } from '../workspace/staged-file.ts'

/** Paths of the workspace that the next checkpoint must make durable. */
export class DirtyPaths {
  readonly #disk: Disk
  #files = new Set<string>()
  #folders = new Set<string>()
  /** Files that were made durable by what made them unreadable, since the last checkpoint began. */
  #lockedAway = new Set<string>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  get any(): boolean {
    return this.#files.size + this.#folders.size > 0
  }

  /** Takes note of what a transaction has changed. */
  note(changes: Iterable<Pick<Change, 'path' | 'after' | 'movedFrom'>>): void {
    for (const { path, after, movedFrom } of changes) {
      if (after?.kind === 'file') this.#noteFile(path, after.mode)
      if (after?.kind === 'dir') this.#folders.add(path)
      this.#folders.add(parentOf(path))
      if (movedFrom !== undefined) this.#folders.add(parentOf(movedFrom))
    }
  }

  #noteFile(path: string, mode: number): void {
    if (mayBeSynced(this.#disk, mode)) {
      this.#files.add(path)
      this.#lockedAway.delete(path)
      return
    }
    // It is durable, with all that was written to it before: a checkpoint could not open it.
    this.#files.delete(path)
    this.#lockedAway.add(path)
  }

  add(files: Iterable<string>, folders: Iterable<string>): void {
    for (const file of files) if (!this.#lockedAway.has(file)) this.#files.add(file)
    for (const folder of folders) this.#folders.add(folder)
  }

  /** Is a file durable that a checkpoint, begun before it became unreadable, cannot open? */
  isLockedAway(file: string): boolean {
    return this.#lockedAway.has(file)
  }

  /** Hands them over: what is changed from now on belongs to the next checkpoint. */
  take(): { readonly files: ReadonlySet<string>; readonly folders: ReadonlySet<string> } {
    const taken = { files: this.#files, folders: this.#folders }
    this.#files = new Set()
    this.#folders = new Set()
    this.#lockedAway = new Set()
    return taken
  }
}

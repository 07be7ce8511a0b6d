import type { Disk } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'
import type { Anchors } from './anchors.ts'
import { type Change, isDir } from './change.ts'
import type { InverseSteps } from './inverse-steps.ts'
import type { ModeSteps } from './mode-steps.ts'

/** Changes of folders that can be taken back. */
export class FolderSteps {
  readonly #disk: Disk
  readonly #anchors: Anchors
  readonly #inverses: InverseSteps
  readonly #modes: ModeSteps

  constructor(disk: Disk, anchors: Anchors, inverses: InverseSteps, modes: ModeSteps) {
    this.#disk = disk
    this.#anchors = anchors
    this.#inverses = inverses
    this.#modes = modes
  }

  remove({ path, after }: Change): void {
    const disk = this.#disk
    const stat = disk.lstat(this.#anchors.at(path))
    try {
      disk.removeDirectory(this.#anchors.at(path))
      this.#anchors.forget(path)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return
      // Somebody put a file of theirs in: the folder stays, unless something else must stand there.
      if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST') && after === null) return
      throw error
    }
    this.#inverses.push(() => {
      if (disk.lstat(this.#anchors.at(path)) === null) disk.makeDirectory(this.#anchors.at(path), stat?.mode ?? 0o755)
    })
  }

  prepare({ path, before, after }: Change): void {
    const disk = this.#disk
    if (after?.kind !== 'dir') return
    const target = this.#anchors.at(path)
    // Until everything in it is in place, the folder must be writable.
    const mode = after.mode | 0o700
    if (isDir(before)) {
      const now = disk.lstat(target)?.mode ?? after.mode
      if ((now & 0o700) === 0o700) return
      disk.chmod(target, now | 0o700)
      this.#inverses.push(() => disk.chmod(this.#anchors.at(path), now))
      return
    }
    try {
      disk.makeDirectory(target, mode)
    } catch (error) {
      if (hasSystemCode(error, 'EEXIST') && disk.lstat(target)?.kind === 'dir') return
      throw error
    }
    this.#inverses.push(() => {
      try {
        disk.removeDirectory(this.#anchors.at(path))
        this.#anchors.forget(path)
      } catch (error) {
        // Somebody has put something in meanwhile.
        if (!hasSystemCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
      }
    })
  }

  finish({ path, after }: Change): void {
    const disk = this.#disk
    if (after?.kind !== 'dir') return
    const now = disk.lstat(this.#anchors.at(path))
    if (now === null) return
    const owner = { uid: now.uid, gid: now.gid }
    const sameOwner = after.owner === undefined || (after.owner.uid === owner.uid && after.owner.gid === owner.gid)
    if (sameOwner && now.mode === after.mode) return
    this.#inverses.push(() => this.#modes.set(path, sameOwner ? { mode: now.mode } : { mode: now.mode, owner }))
    this.#modes.set(path, sameOwner ? { mode: after.mode } : after)
  }
}

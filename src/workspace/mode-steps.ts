import type { Disk } from '../disk/disk.ts'
import { openAside } from '../disk/file.ts'
import type { FileState, Owner } from '../entry/state.ts'
import type { Anchors } from './anchors.ts'
import type { Change } from './change.ts'
import type { InverseSteps } from './inverse-steps.ts'
import { mayBeSynced } from './staged-file.ts'

/** Changes of permissions and owners that can be taken back. */
export class ModeSteps {
  readonly #disk: Disk
  readonly #anchors: Anchors
  readonly #inverses: InverseSteps

  constructor(disk: Disk, anchors: Anchors, inverses: InverseSteps) {
    this.#disk = disk
    this.#anchors = anchors
    this.#inverses = inverses
  }

  async change({ path, before, after }: Change): Promise<void> {
    if (after?.kind !== 'file' || before?.kind !== 'file') return
    // Half done, a change of owner and permissions can be taken back like a whole one.
    this.#inverses.push(() => this.set(path, before))
    if (mayBeSynced(this.#disk, after.mode)) this.set(path, after)
    else await this.#lockAway(path, after)
  }

  /** Makes a file durable while it may still be opened. */
  async #lockAway(path: string, after: FileState): Promise<void> {
    const disk = this.#disk
    // It may have been so before, with other permissions.
    const handle = openAside(disk, this.#anchors.at(path))
    try {
      await disk.sync(handle, true)
      this.set(path, after)
      await disk.sync(handle, true)
    } finally {
      disk.close(handle)
    }
  }

  /** Cannot be taken back. */
  set(path: string, { mode, owner }: { readonly mode: number; readonly owner?: Owner }): void {
    const disk = this.#disk
    const target = this.#anchors.at(path)
    if (owner !== undefined) {
      const handle = disk.open(target, 'read')
      try {
        disk.chown(handle, owner.uid, owner.gid)
      } finally {
        disk.close(handle)
      }
    }
    disk.chmod(target, mode)
  }
}

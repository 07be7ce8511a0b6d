import type { Anchor, Disk } from '../disk/disk.ts'
import { nameOf, parentOf } from './safe-path.ts'

/** More folders than this are not held open at once. */
const HELD = 64

/** Folders pinned while a transaction is materialized, so that none of its paths can be led elsewhere meanwhile. */
export class Anchors {
  readonly #disk: Disk
  readonly #root: string
  readonly #held = new Map<string, Anchor>()

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#root = root
  }

  /** An absolute path for `path` through its pinned folder. Valid until the next call. `ELOOP`, `ENOENT` when the folder is not the one it was. */
  at(path: string): string {
    const folder = parentOf(path)
    let anchor = this.#held.get(folder)
    if (anchor === undefined) {
      if (this.#held.size >= HELD) this.release()
      anchor = this.#disk.anchor(folder === '' ? this.#root : `${this.#root}/${folder}`)
      this.#held.set(folder, anchor)
    }
    return `${anchor.path}/${nameOf(path)}`
  }

  release(): void {
    for (const anchor of this.#held.values()) anchor.release()
    this.#held.clear()
  }
}

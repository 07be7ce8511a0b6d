import type { Anchor } from '../disk/disk.ts'
import type { PinnedFolders } from './pinned-folders.ts'
import { nameOf, parentOf } from './safe-path.ts'

/** More folders than this are not held at once. */
const HELD = 64

/** Folders pinned while a transaction is materialized, so that none of its paths can be led elsewhere meanwhile. */
export class Anchors {
  readonly #pins: PinnedFolders
  readonly #root: string
  readonly #held = new Map<string, Anchor>()

  constructor(pins: PinnedFolders, root: string) {
    this.#pins = pins
    this.#root = root
  }

  /**
   * An absolute path for `path` through its pinned folder. To be used at once: only the last few dozen stay valid.
   * `ELOOP`, `ENOENT` when the folder is not the one it was.
   */
  at(path: string): string {
    const folder = parentOf(path)
    let anchor = this.#held.get(folder)
    if (anchor === undefined || this.#held.size > 1) {
      anchor ??= this.#pins.pin(folder === '' ? this.#root : `${this.#root}/${folder}`)
      // The one used longest ago is let go first.
      this.#held.delete(folder)
      this.#held.set(folder, anchor)
      if (this.#held.size > HELD) {
        for (const [oldest, released] of this.#held) {
          this.#held.delete(oldest)
          released.release()
          break
        }
        this.#pins.trim()
      }
    }
    return `${anchor.path}/${nameOf(path)}`
  }

  /** A folder is gone: whatever stands at its path later is another one. */
  forget(folder: string): void {
    for (const [path, anchor] of this.#held) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue
      anchor.release()
      this.#held.delete(path)
    }
    this.#pins.forget(`${this.#root}/${folder}`)
  }

  release(): void {
    if (this.#held.size === 0) return
    for (const anchor of this.#held.values()) anchor.release()
    this.#held.clear()
    this.#pins.trim()
  }
}

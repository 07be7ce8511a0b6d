import type { Anchor, Disk } from '../disk/disk.ts'
import { eventTurn } from './event-turn.ts'

/** Folders that nobody uses just now and that are held open all the same: the next transaction is likely to write there too. */
const IDLE = 64

interface Pin {
  readonly anchor: Anchor
  users: number
  /** Its path leads elsewhere by now. */
  stale: boolean
  /** The turn of the event loop in which its path was last seen to lead to it. */
  seen: number
}

/** Folders held open, so that names in them mean those very folders whatever becomes of their paths. Shared by all transactions of a journal. */
export class PinnedFolders {
  readonly #disk: Disk
  readonly #pins = new Map<string, Pin>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /**
   * Pins the folder that stands at an absolute path in this turn of the event loop. `ELOOP`, `ENOENT` when there is none, or a symbolic link leads
   * to it.
   */
  pin(folder: string): Anchor {
    const turn = eventTurn()
    let pin = this.#pins.get(folder)
    if (pin !== undefined) {
      this.#pins.delete(folder)
      // Moved away since it was seen in this very turn, it got what it would have got a moment before.
      if (pin.seen !== turn && !pin.anchor.isCurrent()) {
        this.#drop(pin)
        pin = undefined
      }
    }
    pin ??= { anchor: this.#disk.anchor(folder), users: 0, stale: false, seen: 0 }
    // The one used last stands last.
    this.#pins.set(folder, pin)
    pin.users += 1
    pin.seen = turn
    const { anchor } = pin
    const used = pin
    let released = false
    return {
      path: anchor.path,
      isCurrent: () => anchor.isCurrent(),
      release: () => {
        if (released) return
        released = true
        used.users -= 1
        if (used.stale && used.users === 0) anchor.release()
      },
    }
  }

  /** Lets go of what nobody uses, but for the last few. */
  trim(keep = IDLE): void {
    let excess = this.#pins.size - keep
    for (const [folder, pin] of this.#pins) {
      if (excess <= 0) return
      if (pin.users > 0) continue
      this.#pins.delete(folder)
      pin.anchor.release()
      excess -= 1
    }
  }

  /** A folder is gone: whatever stands at its path later, or below, is another one. */
  forget(folder: string): void {
    for (const [path, pin] of this.#pins) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue
      this.#pins.delete(path)
      this.#drop(pin)
    }
  }

  #drop(pin: Pin): void {
    pin.stale = true
    if (pin.users === 0) pin.anchor.release()
  }
}

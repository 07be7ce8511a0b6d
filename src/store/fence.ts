import type { Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import type { Layout } from './layout.ts'

/**
 * Keeps a writer that lost its right to write from doing harm. A process may be frozen for longer than anybody wants to wait, and go on as if nothing
 * had happened. So whoever takes over puts another file in the place of `LOCK`; and a writer looks, before it relies on what it did, whether
 * `LOCK` still is the file that it locked.
 *
 * What it may be in the middle of at that moment either fails by itself, since the log's end and the files in `staging` have other names by then, or happens
 * while it holds `FENCE`, and nobody takes over as long as somebody does.
 */
export interface Fence {
  /** @throws JournalError `LOCKED` once another process has taken over */
  check(): void
  /** Keeps others from taking over until the returned function is called. @throws JournalError `LOCKED` */
  hold(): () => void
}

/** Where nobody can take over: the process is the only one. */
export const NO_FENCE: Fence = Object.freeze({ check: () => undefined, hold: () => () => undefined })

/** Whoever takes over holds it for a few calls. */
const PATIENCE_MS = 5000
const PAUSE_MS = 2

export function deposedError(): JournalError {
  return new JournalError('LOCKED', 'another process has taken over as the writer of this journal', {
    hint: 'This process did not answer for too long. Open the journal again.',
    details: { deposed: true },
  })
}

export function isDeposed(error: unknown): boolean {
  return error instanceof JournalError && error.details?.deposed === true
}

/** The fence of a writer that others may replace. */
export class LockFence implements Fence {
  readonly #disk: Disk
  readonly #layout: Layout
  readonly #own: FileStat
  #held = 0
  #handle: FileHandle | null = null

  /** `own`: the lock file that was locked. */
  constructor(disk: Disk, layout: Layout, own: FileStat) {
    this.#disk = disk
    this.#layout = layout
    this.#own = own
  }

  check(): void {
    const now = this.#disk.lstat(this.#layout.lock)
    if (now === null || now.ino !== this.#own.ino || now.dev !== this.#own.dev) throw deposedError()
  }

  hold(): () => void {
    if (this.#handle === null) this.#handle = this.#lock()
    this.#held += 1
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held -= 1
      if (this.#held > 0 || this.#handle === null) return
      const handle = this.#handle
      this.#handle = null
      this.#disk.close(handle)
    }
  }

  #lock(): FileHandle {
    const handle = openFence(this.#disk, this.#layout)
    try {
      const deadline = performance.now() + PATIENCE_MS
      while (!this.#disk.lock(handle)) {
        // Who has taken over may hold it for long.
        this.check()
        if (performance.now() > deadline) throw deposedError()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
      }
      // In this order: who takes over does so under the same lock.
      this.check()
      return handle
    } catch (error) {
      this.#disk.close(handle)
      throw error
    }
  }
}

export function openFence(disk: Disk, { fence }: Layout): FileHandle {
  return openOrCreate(disk, fence)
}

/** A file that is there to be locked. */
export function openOrCreate(disk: Disk, path: string): FileHandle {
  for (;;) {
    // Others make it, and put it aside, in between.
    const there = disk.lstat(path) !== null
    try {
      return there ? disk.open(path, 'write') : disk.open(path, 'create', 0o600)
    } catch (error) {
      if (!hasSystemCode(error, there ? 'ENOENT' : 'EEXIST')) throw error
    }
  }
}

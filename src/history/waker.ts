import type { Disk } from '../disk/disk.ts'

/** Wakes somebody who waits for changes in folders: when the system tells of one, and every so often, since no system tells of all. */
export class Waker {
  readonly #pollMs: number
  readonly #holds: boolean
  readonly #signal: AbortSignal | undefined
  readonly #stops: (() => void)[] = []
  #changed = true
  #wake: (() => void) | null = null

  /** `holds`: keeps the process alive while somebody waits. */
  constructor(
    disk: Disk,
    folders: readonly string[],
    options: { readonly pollMs: number; readonly holds: boolean; readonly signal?: AbortSignal | undefined },
  ) {
    this.#pollMs = options.pollMs
    this.#holds = options.holds
    this.#signal = options.signal
    const changed = (): void => {
      this.#changed = true
      this.#wake?.()
    }
    for (const folder of folders) {
      const stop = disk.watch?.(folder, changed)
      if (stop !== undefined) this.#stops.push(stop)
    }
    options.signal?.addEventListener('abort', changed)
    this.#stops.push(() => options.signal?.removeEventListener('abort', changed))
  }

  /** Changes from now on wake the next who waits. To be called before looking. */
  mark(): void {
    this.#changed = false
  }

  /** Resolves after a change since the mark, after a while, or when the signal was given. `ms`: at most so long. */
  wait(ms = this.#pollMs): Promise<void> {
    if (this.#changed || this.#signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      if (!this.#holds) timer.unref()
      this.#wake = done
    })
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}

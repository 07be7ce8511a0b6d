export interface Patience {
  /** Milliseconds without a change after which a path is at rest. */
  readonly quietMs: number
  /** Milliseconds after which nobody waits for more changes. */
  readonly maxWaitMs: number
}

/** More than so many paths are looked for, not looked at. */
const MOST_PATHS = 1000
/** How many times `maxWaitMs` a file that is being written all the time is waited for. */
const MOVING_WAITS = 6

interface Pending {
  readonly first: number
  last: number
}

/** Paths that have changed, until they are at rest. Times are milliseconds on any clock that does not jump. */
export class PendingChanges {
  readonly #patience: Patience
  readonly #paths = new Map<string, Pending>()
  /** When the paths that were taken last had changed first. */
  #taken = new Map<string, Pending>()
  #first: number | null = null
  #last = 0
  #full = false

  constructor(patience: Patience) {
    this.#patience = patience
  }

  /** Are there so many that all of the workspace must be looked at? */
  get isFull(): boolean {
    return this.#full
  }

  add(path: string, now: number): void {
    this.#first ??= now
    this.#last = now
    const first = this.#paths.get(path)?.first ?? this.#taken.get(path)?.first ?? now
    if (this.#paths.size < MOST_PATHS || this.#paths.has(path)) this.#paths.set(path, { first, last: now })
    else this.#full = true
  }

  /** How long to wait until something is to be taken; null: for ever. */
  wait(now: number): number | null {
    if (this.#first === null) return null
    const { quietMs, maxWaitMs } = this.#patience
    return Math.max(0, Math.min(this.#last + quietMs, this.#first + maxWaitMs) - now)
  }

  /** Takes the paths that are at rest, or have been waited for long enough. */
  takeQuiet(now: number): string[] {
    const { quietMs } = this.#patience
    const quiet = [...this.#paths].filter(
      ([path, { last }]) => last + quietMs <= now + 1 || !this.#mayWait(this.#paths.get(path), now),
    )
    this.#taken = new Map(quiet)
    for (const [path] of quiet) this.#paths.delete(path)
    this.#first = this.#paths.size === 0 ? null : now
    return quiet.map(([path]) => path)
  }

  /** Takes all; null when there are too many to be named. */
  takeAll(): string[] | null {
    const all = this.#full ? null : [...this.#paths.keys()]
    this.#taken = new Map(this.#paths)
    this.#paths.clear()
    this.#first = null
    this.#full = false
    return all
  }

  /** May a path that was taken last wait for its next rest? */
  mayWait(path: string, now = performance.now()): boolean {
    return this.#mayWait(this.#taken.get(path), now)
  }

  #mayWait(pending: Pending | undefined, now: number): boolean {
    return pending === undefined || now - pending.first < MOVING_WAITS * this.#patience.maxWaitMs
  }
}

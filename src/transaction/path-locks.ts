import { JournalError } from '../errors.ts'
import { aborted } from './stager.ts'

/** A longer timer would go off at once; whoever asks for one waits as long as it takes. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export type LockMode = 'shared' | 'exclusive'

/** Who holds or wants locks. */
export interface LockOwner {
  readonly id: string
  readonly actor?: string
}

interface Lock {
  exclusive: LockOwner | null
  readonly shared: Set<LockOwner>
}

interface Waiting {
  readonly owner: LockOwner
  readonly wanted: readonly (readonly [path: string, mode: LockMode])[]
  readonly grant: () => void
}

/**
 * Locks on paths, held by transactions of this process. All locks of a request are granted at once or not at all, in the order in which the requests
 * came; so requests that hold nothing cannot deadlock. A request by somebody who holds locks already is refused at once when waiting
 * would close a circle.
 */
export class PathLocks {
  readonly #locks = new Map<string, Lock>()
  readonly #held = new Map<LockOwner, Map<string, LockMode>>()
  #queue: Waiting[] = []

  /**
   * @throws JournalError `LOCKED` naming the holder after `timeoutMs`; `CONFLICT` when waiting would never end; `ABORTED`
   */
  acquire(
    owner: LockOwner,
    paths: ReadonlyMap<string, LockMode>,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const wanted = [...paths].sort(([a], [b]) => (a < b ? -1 : 1))
    // Whoever holds locks goes first: somebody in the queue may be waiting for just those.
    const turn = this.#held.has(owner) || !this.#queue.some((waiting) => overlaps(waiting.wanted, paths))
    if (turn && this.#free(owner, wanted)) {
      this.#grant(owner, wanted)
      return Promise.resolve()
    }
    if (this.#held.has(owner) && this.#circle(owner, wanted)) {
      return Promise.reject(
        new JournalError('CONFLICT', `transaction ${owner.id} and another one wait for each other's locks`, {
          hint: 'Abort this transaction and try again; lock all paths in one call.',
          tx: owner.id,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs } = options
      const stop = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
        this.#queue = this.#queue.filter((other) => other !== waiting)
      }
      const waiting: Waiting = {
        owner,
        wanted,
        grant: () => {
          stop()
          resolve()
        },
      }
      const expire = (): void => {
        const error = this.#lockedError(owner, wanted, timeoutMs)
        stop()
        this.#serve()
        reject(error)
      }
      const timer = timeoutMs > LONGEST_TIMEOUT_MS ? undefined : setTimeout(expire, timeoutMs)
      const cancel = (): void => {
        stop()
        this.#serve()
        reject(aborted(signal as AbortSignal))
      }
      signal?.addEventListener('abort', cancel, { once: true })
      this.#queue.push(waiting)
    })
  }

  /** Gives up everything that `owner` holds. */
  release(owner: LockOwner): void {
    const held = this.#held.get(owner)
    if (held === undefined) return
    this.#held.delete(owner)
    for (const path of held.keys()) {
      const lock = this.#locks.get(path)
      if (lock === undefined) continue
      if (lock.exclusive === owner) lock.exclusive = null
      lock.shared.delete(owner)
      if (lock.exclusive === null && lock.shared.size === 0) this.#locks.delete(path)
    }
    this.#serve()
  }

  #serve(): void {
    const passed: Waiting[] = []
    for (const waiting of [...this.#queue]) {
      const paths = new Map(waiting.wanted)
      const turn = this.#held.has(waiting.owner) || !passed.some((other) => overlaps(other.wanted, paths))
      if (turn && this.#free(waiting.owner, waiting.wanted)) {
        this.#grant(waiting.owner, waiting.wanted)
        waiting.grant()
      } else passed.push(waiting)
    }
  }

  #grant(owner: LockOwner, wanted: readonly (readonly [string, LockMode])[]): void {
    const held = this.#held.get(owner) ?? new Map<string, LockMode>()
    this.#held.set(owner, held)
    for (const [path, mode] of wanted) {
      const lock = this.#locks.get(path) ?? { exclusive: null, shared: new Set<LockOwner>() }
      this.#locks.set(path, lock)
      if (mode === 'exclusive') {
        lock.exclusive = owner
        held.set(path, mode)
      } else if (lock.exclusive !== owner) {
        lock.shared.add(owner)
        if (!held.has(path)) held.set(path, mode)
      }
    }
  }

  #free(owner: LockOwner, wanted: readonly (readonly [string, LockMode])[]): boolean {
    return wanted.every(([path, mode]) => this.#holders(owner, path, mode).length === 0)
  }

  /** Others whose lock on `path` is in the way. */
  #holders(owner: LockOwner, path: string, mode: LockMode): LockOwner[] {
    const lock = this.#locks.get(path)
    if (lock === undefined) return []
    const others: LockOwner[] = lock.exclusive !== null && lock.exclusive !== owner ? [lock.exclusive] : []
    if (mode === 'exclusive') for (const holder of lock.shared) if (holder !== owner) others.push(holder)
    return others
  }

  #circle(owner: LockOwner, wanted: readonly (readonly [string, LockMode])[]): boolean {
    const seen = new Set<LockOwner>()
    const visit = (who: LockOwner, wants: readonly (readonly [string, LockMode])[]): boolean =>
      wants.some(([path, mode]) =>
        this.#holders(who, path, mode).some((holder) => {
          if (holder === owner) return true
          if (seen.has(holder)) return false
          seen.add(holder)
          return this.#queue.some((waiting) => waiting.owner === holder && visit(holder, waiting.wanted))
        }),
      )
    return visit(owner, wanted)
  }

  #lockedError(owner: LockOwner, wanted: readonly (readonly [string, LockMode])[], timeoutMs: number): JournalError {
    for (const [path, mode] of wanted) {
      const [holder] = this.#holders(owner, path, mode)
      if (holder === undefined) continue
      const by = holder.actor === undefined ? '' : ` of ${holder.actor}`
      return new JournalError(
        'LOCKED',
        `${path} is locked by transaction ${holder.id}${by}, after waiting ${timeoutMs} ms`,
        {
          hint: 'Wait for it to end, or abort it; a longer lockTimeoutMs waits longer.',
          path,
          tx: owner.id,
          details: { holder: { tx: holder.id, ...(holder.actor === undefined ? {} : { actor: holder.actor }) } },
        },
      )
    }
    return new JournalError('LOCKED', `transactions before ${owner.id} did not end within ${timeoutMs} ms`, {
      hint: 'Wait for them to end; a longer lockTimeoutMs waits longer.',
      tx: owner.id,
    })
  }
}

function overlaps(wanted: readonly (readonly [string, LockMode])[], paths: ReadonlyMap<string, LockMode>): boolean {
  return wanted.some(([path, mode]) => {
    const other = paths.get(path)
    return other !== undefined && (mode === 'exclusive' || other === 'exclusive')
  })
}

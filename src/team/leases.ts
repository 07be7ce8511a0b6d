import { setTimeout as pause } from 'node:timers/promises'
import type { Meta } from '../entry/commit.ts'
import { JournalError, shown } from '../errors.ts'
import { lifeOf, pathsOf } from './claim-request.ts'
import { type Claim, LEASE } from './claims.ts'
import { staleError } from './lease-rules.ts'
import { lifeWords } from './life.ts'
import type { TeamHost } from './team-host.ts'

const DEFAULT_TTL_MS = 5 * 60 * 1000
/** Between two looks at a lease that is waited for. */
const SHORTEST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 250

export interface LeaseOptions {
  /** Default five minutes, at most a day. */
  readonly ttlMs?: number
  /** How long to wait for leases of others to end, milliseconds. Default 0. */
  readonly wait?: number
  /** It ends with this process too. Default: this one; null: only with its time. */
  readonly pid?: number | null
  readonly signal?: AbortSignal
}

/** A lease that stands. */
export interface LeaseInfo {
  readonly id: string
  readonly token: number
  readonly actor?: string
  readonly paths: readonly string[]
  /** Since it was granted or renewed, milliseconds since 1970. */
  readonly since: number
  readonly expiresInMs: number
  readonly pid?: number
  readonly host: string
}

/** Paths that one alone may write. */
export class Lease implements AsyncDisposable {
  /** Of the transaction that granted it. */
  readonly id: string
  /**
   * For `{ lease: token }` of a transaction. Greater than that of any lease before it: a holder that slept through the end of its lease is refused with its old
   * token.
   */
  readonly token: number
  readonly paths: readonly string[]
  readonly #leases: Leases
  readonly #meta: Meta

  /** @internal Use `journal.leases.acquire`. */
  constructor(
    leases: Leases,
    granted: { readonly id: string; readonly token: number; readonly paths: readonly string[] },
    meta: Meta,
  ) {
    this.id = granted.id
    this.token = granted.token
    this.paths = granted.paths
    this.#leases = leases
    this.#meta = meta
  }

  /** From now on for so long again. @throws JournalError `LOCKED` when it does not stand any more */
  renew(ttlMs?: number): Promise<void> {
    return this.#leases.renew(this.token, ttlMs === undefined ? {} : { ttlMs }, this.#meta)
  }

  /** Lets others write there. That it ended already is no error. */
  async release(): Promise<void> {
    await this.#leases.release(this.token, this.#meta)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

/** Who alone may write what, for a time. */
export class Leases {
  readonly #host: TeamHost

  /** @internal Use `journal.leases`. */
  constructor(host: TeamHost) {
    this.#host = host
  }

  /**
   * Keeps all others from writing files, or folders with all below them: their transactions are refused with `LOCKED` as long as the lease stands.
   * @throws JournalError `LOCKED` when somebody holds a lease on any of it, and goes on to for as long as is waited; `INVALID`, `PATH_OUTSIDE`, `ABORTED`
   */
  async acquire(given: readonly string[] | string, options: LeaseOptions = {}, meta: Meta = {}): Promise<Lease> {
    const { wait = 0, signal } = options
    if (typeof wait !== 'number' || !(wait >= 0)) {
      throw new JournalError('INVALID', `wait must be milliseconds, and is ${shown(wait)}`, { hint: 'Correct wait.' })
    }
    const { machine } = this.#host
    const until = performance.now() + wait
    for (let attempt = 0; ; attempt += 1) {
      // Anew each time: a life begins when it is granted, and a link may lead elsewhere now.
      const paths = pathsOf(this.#host, given)
      const life = lifeOf(machine, { ttlMs: DEFAULT_TTL_MS, ...options })
      try {
        const { tx, seq } = await this.#host.say(LEASE, { do: 'acquire', paths, ...lifeWords(life) }, meta, paths)
        return new Lease(this, { id: tx, token: seq, paths }, meta)
      } catch (error) {
        const left = until - performance.now()
        if (!(error instanceof JournalError) || error.code !== 'LOCKED' || left <= 0) throw error
        const pauseMs = Math.min(left, LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(attempt, 10))
        await pause(pauseMs, undefined, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
          throw new JournalError('ABORTED', 'waiting for a lease was cancelled', {
            hint: 'Nothing was changed.',
            cause,
          })
        })
      }
    }
  }

  /** Those that stand, oldest first. */
  async list(): Promise<readonly LeaseInfo[]> {
    const claims = await this.#host.claims()
    claims.sweep()
    return [...claims.leases.values()]
      .sort((a, b) => a.token - b.token)
      .map((claim) => infoOf(claim, claims.left(claim)))
  }

  /** @throws JournalError `LOCKED` when it does not stand any more */
  async renew(
    token: number,
    options: { readonly ttlMs?: number; readonly pid?: number | null } = {},
    meta: Meta = {},
  ): Promise<void> {
    const claims = await this.#host.claims()
    const claim = claims.standing(token)
    if (claim === null) throw staleError(token)
    const { life, paths, actor } = claim
    // With the process that it had, which may be another than this one.
    const own = life.host === this.#host.machine.host ? (life.process?.pid ?? null) : null
    const pid = options.pid === undefined ? own : options.pid
    const renewed = lifeOf(this.#host.machine, { ttlMs: options.ttlMs ?? life.ttl, pid })
    await this.#host.say(
      LEASE,
      { do: 'renew', token, paths, ...lifeWords(renewed) },
      actor === undefined ? meta : { actor, ...meta },
    )
  }

  /** Ends a lease, whoever holds it; false: it did not stand any more. */
  async release(token: number, meta: Meta = {}): Promise<boolean> {
    const claims = await this.#host.claims()
    if (claims.standing(token) === null) return false
    await this.#host.say(LEASE, { do: 'release', token }, meta)
    return true
  }
}

function infoOf({ id, token, actor, paths, time, life }: Claim, left: number): LeaseInfo {
  return {
    id,
    token,
    ...(actor === undefined ? {} : { actor }),
    paths,
    since: time,
    expiresInMs: left,
    ...(life.process === undefined ? {} : { pid: life.process.pid }),
    host: life.host,
  }
}

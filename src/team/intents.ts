import type { Meta } from '../entry/commit.ts'
import { JournalError, shown } from '../errors.ts'
import { lifeOf, pathsOf } from './claim-request.ts'
import { type Claim, INTENT } from './claims.ts'
import { lifeWords } from './life.ts'
import { meet, type Overlap, type Overlaps, overlapsOf, type Saving } from './overlaps.ts'
import type { TeamHost } from './team-host.ts'

const DEFAULT_TTL_MS = 60 * 60 * 1000
const MAX_WHAT = 10_000

export interface IntentRequest {
  /** Files, or folders with all below them. */
  readonly paths: readonly string[]
  /** What is going to be done there. */
  readonly what?: string
  /** Default an hour, at most a day. */
  readonly ttlMs?: number
  /** It ends with this process too. Default: this one; null: only with its time. */
  readonly pid?: number | null
}

/** What somebody means to write. */
export interface Intent {
  readonly id: string
  readonly actor?: string
  readonly what?: string
  readonly paths: readonly string[]
  /** Milliseconds since 1970. */
  readonly since: number
  readonly expiresInMs: number
  readonly pid?: number
  readonly host: string
}

export interface Announced {
  readonly id: string
  /** Paths of it that others mean to write too. */
  readonly overlaps: readonly Overlap[]
  /** See `Intents.overlaps`. */
  readonly saving: Saving
}

/** Who means to write what: it keeps nobody from anything, and lets everybody know. */
export class Intents {
  readonly #host: TeamHost

  /** @internal Use `journal.intents`. */
  constructor(host: TeamHost) {
    this.#host = host
  }

  /**
   * Says what is going to be written, and answers who else means to write there.
   * @throws JournalError `INVALID`, `PATH_OUTSIDE`; `NO_SPACE` when more intents stand than are kept
   */
  async announce(request: IntentRequest, meta: Meta = {}): Promise<Announced> {
    const paths = pathsOf(this.#host, request?.paths)
    const { what } = request
    if (what !== undefined && (typeof what !== 'string' || what.length > MAX_WHAT)) {
      throw new JournalError('INVALID', `what is meant must be a text of at most ${MAX_WHAT} characters`, {
        hint: 'Shorten it.',
      })
    }
    const life = lifeOf(this.#host.machine, { ttlMs: DEFAULT_TTL_MS, ...request })
    const said = { do: 'announce', paths, ...(what === undefined ? {} : { what }), ...lifeWords(life) }
    const { tx } = await this.#host.say(INTENT, said, meta)
    const claims = await this.#host.claims()
    claims.sweep()
    const near = [...claims.intents.values()].filter((claim) => claim.id === tx || meet(claim.paths, paths))
    const { overlaps, saving } = overlapsOf(near)
    return { id: tx, overlaps: overlaps.filter(({ intents }) => intents.includes(tx)), saving }
  }

  /** Those that stand, oldest first. */
  async list(): Promise<readonly Intent[]> {
    const claims = await this.#host.claims()
    claims.sweep()
    return [...claims.intents.values()].map((claim) => intentOf(claim, claims.left(claim)))
  }

  /** Files that several mean to write, and what one batch of theirs would save. */
  async overlaps(): Promise<Overlaps> {
    const claims = await this.#host.claims()
    claims.sweep()
    return overlapsOf([...claims.intents.values()])
  }

  /** Takes an intent back. @throws JournalError `NOT_FOUND` */
  async withdraw(id: string, meta: Meta = {}): Promise<void> {
    const claims = await this.#host.claims()
    claims.sweep()
    if (!claims.intents.has(id)) {
      throw new JournalError('NOT_FOUND', `no intent ${shown(id)} stands`, {
        hint: 'It may have ended by itself; `journal intent list` shows those that stand.',
      })
    }
    await this.#host.say(INTENT, { do: 'withdraw', of: id }, meta)
  }
}

function intentOf({ id, actor, what, paths, time, life }: Claim, left: number): Intent {
  return {
    id,
    ...(actor === undefined ? {} : { actor }),
    ...(what === undefined ? {} : { what }),
    paths,
    since: time,
    expiresInMs: left,
    ...(life.process === undefined ? {} : { pid: life.process.pid }),
    host: life.host,
  }
}

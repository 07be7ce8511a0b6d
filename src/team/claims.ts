import type { ChainedCommit } from '../entry/commit.ts'
import type { Json, NoteEntry } from '../entry/entry.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import { resolvePoint } from '../history/point.ts'
import { ancestorsOf } from '../workspace/safe-path.ts'
import { type Life, LONGEST_TTL_MS, readLife, remaining } from './life.ts'
import { type Machine, moment } from './machine.ts'

/** Somebody's intent, or lease: paths that they mean to write, or alone may write. */
export interface Claim {
  /** Of the transaction that made it. */
  readonly id: string
  /** Its number. */
  readonly token: number
  readonly actor?: string
  readonly what?: string
  /** Files, or folders with all below them. */
  readonly paths: readonly string[]
  /** When it was made or renewed, milliseconds since 1970. */
  readonly time: number
  readonly life: Life
  /** How long the machine was up when this process first knew of it. */
  readonly seen: number
}

/** What of a commit makes claims. */
export type Said = Pick<ChainedCommit, 'tx' | 'seq' | 'time' | 'entries' | 'actor'>

/** Notes between two clearings while the log is read. */
const SWEEP = 4096

export const INTENT = 'intent'
export const LEASE = 'lease'
export const BREACH = 'breach'
/** Only the journal itself writes notes of these. */
export const OWN_TOPICS: ReadonlySet<string> = new Set([INTENT, LEASE, BREACH])

/** Intents and leases that stand: a projection of the notes in the log, and nothing more. */
export class Claims {
  readonly intents = new Map<string, Claim>()
  readonly leases = new Map<number, Claim>()
  readonly #machine: Machine
  /** Tokens by leased path. */
  readonly #leased = new Map<string, number>()
  /** How many leased paths lie below a folder. */
  readonly #above = new Map<string, number>()

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** All that the log says of claims which may stand yet. */
  static async read(index: HistoryIndex, machine: Machine): Promise<Claims> {
    // By the clock of the log, which never goes back: what is older than the longest life is over.
    const since = (await index.head()).time - LONGEST_TTL_MS
    const { horizon } = index
    const from =
      horizon !== null && since < horizon.time ? horizon.seq : await resolvePoint(index, new Date(since), since)
    let claims = new Claims(machine)
    let seen = 0
    for (const topic of [INTENT, LEASE]) {
      const before = claims
      const take = (found: Claims, commit: ChainedCommit): boolean => {
        found.apply(commit)
        // Of many, most are over: they are forgotten on the way.
        seen += 1
        if (seen % SWEEP === 0) found.sweep()
        return true
      }
      claims = await index.noted(topic, { from, order: 'oldest' }, () => before.#copy(), take)
    }
    claims.sweep()
    return claims
  }

  #copy(): Claims {
    const copy = new Claims(this.#machine)
    for (const claim of this.intents.values()) copy.intents.set(claim.id, claim)
    return copy
  }

  /** Takes in what a transaction says. */
  apply(commit: Said): void {
    for (const entry of commit.entries) {
      if (entry.op !== 'note') continue
      if (entry.topic === INTENT) this.#intend(commit, entry)
      else if (entry.topic === LEASE) this.#lease(commit, entry)
    }
  }

  #intend(commit: Said, { value }: NoteEntry): void {
    if (value.do === 'withdraw') this.intents.delete(String(value.of))
    const claim = value.do === 'announce' ? this.#claim(commit, value, commit.seq) : null
    if (claim !== null) this.intents.set(claim.id, claim)
  }

  #lease(commit: Said, { value }: NoteEntry): void {
    const token = value.do === 'acquire' ? commit.seq : Number(value.token)
    const claim = value.do === 'release' ? null : this.#claim(commit, value, token)
    if (value.do === 'release') this.drop(token)
    if (claim === null) return
    this.drop(token)
    // Who is granted a lease has it alone: what stood in its way was over.
    for (const path of claim.paths) for (const other of this.near(path)) this.drop(other.token)
    this.leases.set(token, claim)
    for (const path of claim.paths) {
      this.#leased.set(path, token)
      for (const folder of ancestorsOf(path)) this.#above.set(folder, (this.#above.get(folder) ?? 0) + 1)
    }
  }

  #claim(commit: Said, value: NoteEntry['value'], token: number): Claim | null {
    const life = readLife(value)
    const { paths, what } = value
    if (life === null || !isTexts(paths)) return null
    const known = this.leases.get(token)
    return Object.freeze({
      id: known?.id ?? commit.tx,
      token,
      ...(commit.actor === undefined ? {} : { actor: commit.actor }),
      ...(typeof what === 'string' ? { what } : {}),
      paths,
      time: commit.time,
      life,
      seen: this.#machine.uptime(),
    })
  }

  /** Milliseconds that a claim has left; 0: it is over. */
  left({ life, time, seen }: Claim, machine: Machine = this.#machine): number {
    return remaining(life, time, seen, machine)
  }

  /** Standing intents of an actor, about: those that are over count as long as nobody looked. */
  intentsOf(actor: string | undefined): number {
    let count = 0
    for (const claim of this.intents.values()) if (claim.actor === actor) count += 1
    return count
  }

  /** Forgets a lease. */
  drop(token: number): void {
    const claim = this.leases.get(token)
    if (claim === undefined) return
    this.leases.delete(token)
    for (const path of claim.paths) {
      if (this.#leased.get(path) === token) this.#leased.delete(path)
      for (const folder of ancestorsOf(path)) {
        const left = (this.#above.get(folder) ?? 0) - 1
        if (left > 0) this.#above.set(folder, left)
        else this.#above.delete(folder)
      }
    }
  }

  /** The lease of that token, if it stands. */
  standing(token: number): Claim | null {
    const claim = this.leases.get(token)
    if (claim === undefined) return null
    if (this.left(claim) > 0) return claim
    this.drop(token)
    return null
  }

  /** The lease that covers a path: on itself, or on a folder above it. There is one at most. */
  over(path: string): Claim | null {
    if (this.#leased.size === 0) return null
    const own = this.#leased.get(path)
    if (own !== undefined) return this.standing(own)
    for (const folder of ancestorsOf(path)) {
      const token = this.#leased.get(folder)
      if (token !== undefined) return this.standing(token)
    }
    return null
  }

  /** Leases on a path, on a folder above it, or on anything below it. */
  near(path: string): Claim[] {
    const found = new Set<Claim>()
    const over = this.over(path)
    if (over !== null) found.add(over)
    if (!this.#above.has(path)) return [...found]
    for (const [leased, token] of this.#leased) {
      const claim = leased.startsWith(`${path}/`) ? this.standing(token) : null
      if (claim !== null) found.add(claim)
    }
    return [...found]
  }

  /** Forgets what is over. */
  sweep(): void {
    const now = moment(this.#machine)
    for (const claim of this.intents.values()) if (this.left(claim, now) === 0) this.intents.delete(claim.id)
    for (const claim of this.leases.values()) if (this.left(claim, now) === 0) this.drop(claim.token)
  }
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

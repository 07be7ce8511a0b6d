import type { Disk } from '../disk/disk.ts'
import type { CommitKind, Meta } from '../entry/commit.ts'
import type { NoteEntry } from '../entry/entry.ts'
import { JournalError } from '../errors.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import type { Durability } from '../log/log-writer.ts'
import type { ValidationLevel } from '../safety/validation/level.ts'
import { NOTED_VERSION } from '../store/layout.ts'
import type { Draft } from '../transaction/draft.ts'
import type { Receipt } from '../transaction/receipt.ts'
import type { Referee } from '../transaction/referee.ts'
import type { Transaction } from '../transaction/transaction.ts'
import type { TransactionRequest } from '../transaction/transaction-host.ts'
import { type DraftSite, View } from '../transaction/view.ts'
import { type Breach, breachOf, deniedError, writesOf } from './agent-rules.ts'
import { Agents, type EffectiveSettings } from './agent-settings.ts'
import { BreachNotes } from './breach-notes.ts'
import { BREACH, Claims, INTENT, LEASE, OWN_TOPICS } from './claims.ts'
import { stampOfConfig, type TeamConfig, teamConfig } from './config-file.ts'
import { Intents } from './intents.ts'
import { checkFree, checkLeases, staleError } from './lease-rules.ts'
import { Leases } from './leases.ts'
import { type Machine, thisMachine } from './machine.ts'
import type { TeamHost } from './team-host.ts'
import { WriteRates } from './write-rates.ts'

/** Standing intents: of one actor, and of all. Each takes memory in the writer as long as it stands. */
const MAX_INTENTS_OF_ONE = 1000
const MAX_INTENTS = 10_000
const MAX_LEASES = 10_000
/** Between two looks at the configuration. */
const LOOK_MS = 1000

/** What the team of an open journal works with. */
export interface TeamSite {
  readonly disk: Disk
  /** Of the settings that hold for all processes. */
  readonly configFile: string
  /** Of the journal, when it was opened. */
  readonly version: number
  readonly index: HistoryIndex
  /** The settings as they were when it was opened. */
  readonly config: TeamConfig
  /** Does this process commit? Then what stands is kept in memory. */
  readonly writes: () => boolean
  /** What drafts are worked out with. */
  readonly site: () => DraftSite
  readonly begin: (meta: Meta, kind: CommitKind) => Transaction
  /** Default: this one. */
  readonly machine?: Machine
}

/** Who means to write what, who alone may, and what each agent may at all: found in the log, and seen to when a transaction commits. */
export class Team implements Referee {
  readonly intents: Intents
  readonly leases: Leases
  readonly #site: TeamSite
  readonly #machine: Machine
  readonly #rates: WriteRates
  readonly #breaches: BreachNotes
  #claims: Claims | null
  #agents: Agents
  #config: TeamConfig
  #lookAt = performance.now() + LOOK_MS

  constructor(site: TeamSite) {
    this.#site = site
    this.#machine = site.machine ?? thisMachine(site.disk)
    this.#rates = new WriteRates(site.index, this.#machine)
    this.#breaches = new BreachNotes(site.index, this.#machine)
    // Where no note was ever written, nothing stands.
    this.#claims = site.version < NOTED_VERSION ? new Claims(this.#machine) : null
    this.#config = site.config
    this.#agents = new Agents(site.config.agents)
    const host: TeamHost = {
      machine: this.#machine,
      locate: (path) => this.#locate(path),
      claims: () => this.#standing(),
      say: (topic, value, meta, locked) => this.#say(topic, value, meta, locked),
    }
    this.intents = new Intents(host)
    this.leases = new Leases(host)
  }

  /** Forgets what stands: other processes have committed, and it is in the log. */
  reload(): void {
    this.#claims = null
  }

  /** What transactions of an actor commit with, where its settings say so. */
  durabilityOf(actor: string | undefined): Durability | undefined {
    return this.#agents.isEmpty ? undefined : this.#agents.of(actor).settings.durability
  }

  /** The level that is asked of a transaction: what its agent's settings say is the least. */
  levelOf(
    actor: string | undefined,
    kind: CommitKind,
    asked: ValidationLevel | undefined,
    usual: ValidationLevel,
  ): ValidationLevel | undefined {
    if (this.#agents.isEmpty || kind !== 'write') return asked
    const least = this.#agents.of(actor).settings.validation
    if (least === undefined) return asked
    const own = asked ?? usual
    return asked === undefined || LEVELS.indexOf(least) > LEVELS.indexOf(own) ? least : own
  }

  #locate(path: string): string {
    return new View(this.#site.site()).resolve(path, { follow: true, folder: true })
  }

  check(request: TransactionRequest, draft: Draft): void | Promise<void> {
    if (performance.now() >= this.#lookAt) {
      const changed = this.#look()
      if (changed !== undefined) return changed
    }
    if (this.#claims === null) return this.#load()
    const { kind = 'write' } = request
    if (kind === 'note') this.#checkNotes(this.#claims, request, draft)
    else this.#checkTopics(draft)
    // What is adopted stands in the workspace already: refusing to take note of it would keep nobody from anything.
    if (kind === 'adopt') return
    if (kind !== 'note' && (this.#claims.leases.size > 0 || request.lease !== undefined))
      checkLeases(this.#claims, request, draft)
    if (this.#agents.isEmpty) return
    return this.#checkRules(request, draft)
  }

  committed(request: TransactionRequest, draft: Draft, { tx, seq }: Receipt): void {
    const { kind = 'write', meta } = request
    const { actor } = meta
    if (kind !== 'note') return
    const said = { tx, seq, time: this.#machine.now(), entries: draft.entries }
    this.#claims?.apply(actor === undefined ? said : { ...said, actor })
  }

  #look(): Promise<void> | undefined {
    this.#lookAt = performance.now() + LOOK_MS
    const { disk, configFile } = this.#site
    return stampOfConfig(disk, configFile) === this.#config.stamp ? undefined : this.#reconfigure()
  }

  /** As long as the file cannot be read, nobody knows what it forbids: nothing is committed. */
  async #reconfigure(): Promise<void> {
    this.#lookAt = 0
    const { disk, configFile } = this.#site
    this.#config = await teamConfig(disk, configFile, this.#config.option)
    this.#agents = new Agents(this.#config.agents)
    this.#lookAt = performance.now() + LOOK_MS
  }

  async #load(): Promise<void> {
    const claims = await Claims.read(this.#site.index, this.#machine)
    this.#claims ??= claims
  }

  async #standing(): Promise<Claims> {
    if (!this.#site.writes()) return Claims.read(this.#site.index, this.#machine)
    while (this.#claims === null) await this.#load()
    return this.#claims
  }

  async #say(topic: string, value: NoteEntry['value'], meta: Meta, locked: readonly string[] = []): Promise<Receipt> {
    const transaction = this.#site.begin(meta, 'note')
    try {
      if (locked.length > 0) await transaction.lock(locked)
      await transaction.perform({ op: 'note', topic, value })
    } catch (error) {
      await transaction.abort()
      throw error
    }
    return transaction.commit()
  }

  #checkTopics(draft: Draft): void {
    for (const entry of draft.entries) {
      if (entry.op !== 'note' || !OWN_TOPICS.has(entry.topic)) continue
      throw new JournalError('INVALID', `notes of ${entry.topic} are the journal's own`, {
        hint: 'Use journal.intents and journal.leases, or another topic.',
      })
    }
  }

  /** Notes of the journal itself: what they claim must be free, what they renew must stand. */
  #checkNotes(claims: Claims, { id, meta }: TransactionRequest, draft: Draft): void {
    for (const entry of draft.entries) {
      if (entry.op !== 'note') continue
      const { topic, value } = entry
      const paths = Array.isArray(value.paths) ? (value.paths as readonly string[]) : []
      if (topic === LEASE && value.do === 'acquire') {
        checkFree(claims, paths, id)
        checkRoom(
          claims.leases.size < MAX_LEASES,
          () => claims.sweep(),
          () => claims.leases.size < MAX_LEASES,
          'leases',
        )
      }
      if (topic === LEASE && value.do === 'renew' && claims.standing(Number(value.token)) === null)
        throw staleError(Number(value.token), id)
      if (topic === INTENT && value.do === 'announce') {
        const room = (): boolean =>
          claims.intents.size < MAX_INTENTS && claims.intentsOf(meta.actor) < MAX_INTENTS_OF_ONE
        checkRoom(room(), () => claims.sweep(), room, 'intents')
      }
    }
  }

  #checkRules(request: TransactionRequest, draft: Draft): void | Promise<void> {
    const { kind = 'write', meta, id } = request
    const { actor } = meta
    const effective = this.#agents.of(actor)
    if (kind === 'note') {
      const path = leasedPaths(draft).find((leased) => !effective.allows(leased))
      if (path === undefined) return
      return this.#refuse(effective, { rule: 'paths', path }, id)
    }
    const breach = breachOf(effective, draft)
    if (breach !== null) return this.#refuse(effective, breach, id)
    const { writesPerMinute } = effective.settings
    if (writesPerMinute === undefined) return
    if (!this.#rates.knows(effective.actor)) return this.#rates.learn(effective.actor)
    const writes = writesOf(draft)
    const late = this.#rates.breach(effective.actor, writes, writesPerMinute)
    if (late !== null) return this.#refuse(effective, late, id)
    // Counted before it is committed: others of its agent may be on their way at the same time. One that fails counts for its minute, too.
    this.#rates.note(effective.actor, writes)
  }

  /** Refuses, once the history tells of it. That it could not be noted is no reason to let it through. */
  async #refuse(effective: EffectiveSettings, breach: Breach, tx: string): Promise<never> {
    const { actor } = effective
    try {
      const note = await this.#breaches.noteOf(actor, breach)
      if (note !== null) await this.#say(BREACH, note, actor === '' ? {} : { actor })
    } catch {
      // A full disk, a closing journal: the refusal stands.
    }
    throw deniedError(effective, breach, tx)
  }
}

const LEVELS: readonly ValidationLevel[] = ['off', 'basic', 'strict']

function checkRoom(room: boolean, sweep: () => void, roomNow: () => boolean, what: string): void {
  if (room) return
  sweep()
  if (roomNow()) return
  throw new JournalError('NO_SPACE', `more ${what} stand than are kept`, {
    hint: `At most ${MAX_INTENTS} intents (${MAX_INTENTS_OF_ONE} of one actor) and ${MAX_LEASES} leases stand at a time: withdraw or release some, or name folders.`,
  })
}

function leasedPaths(draft: Draft): readonly string[] {
  return draft.entries.flatMap((entry) =>
    entry.op === 'note' && entry.topic === LEASE && entry.value.do === 'acquire'
      ? (entry.value.paths as readonly string[])
      : [],
  )
}

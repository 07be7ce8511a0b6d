import type { ChainedCommit } from '../entry/commit.ts'
import type { Json, NoteEntry } from '../entry/entry.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import type { Breach } from './agent-rules.ts'
import { BREACH } from './claims.ts'
import type { Machine } from './machine.ts'

/** Of the same actor and rule, one note in so many milliseconds; of all together, so many within them. */
const PERIOD_MS = 60_000
const MAX_NOTES = 30
/** After so long, what was suppressed is not told any more. */
const FORGOTTEN_MS = 60 * PERIOD_MS

interface Kept {
  /** By the uptime of the machine. */
  at: number
  suppressed: number
}

/** Decides which breaches get a note, so that an agent that tries for ever does not fill the log. */
export class BreachNotes {
  readonly #index: HistoryIndex
  readonly #machine: Machine
  readonly #kept = new Map<string, Kept>()
  #known = false

  constructor(index: HistoryIndex, machine: Machine) {
    this.#index = index
    this.#machine = machine
  }

  /** The note of a breach; null when it is one too many for now. */
  async noteOf(actor: string, breach: Breach): Promise<NoteEntry['value'] | null> {
    if (!this.#known) await this.#learn()
    const now = this.#machine.uptime()
    const key = keyOf(actor, breach.rule)
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.at > now - PERIOD_MS) {
      kept.suppressed += 1
      return null
    }
    for (const [other, { at, suppressed }] of this.#kept)
      if (at <= now - (suppressed === 0 ? PERIOD_MS : FORGOTTEN_MS)) this.#kept.delete(other)
    const recent = [...this.#kept.values()].filter(({ at }) => at > now - PERIOD_MS)
    if (recent.length >= MAX_NOTES) return null
    this.#kept.set(key, { at: now, suppressed: 0 })
    const suppressed = kept?.suppressed ?? 0
    const { rule, path, limit, found } = breach
    return {
      rule,
      ...(actor === '' ? {} : { actor }),
      ...(path === undefined ? {} : { path }),
      ...(limit === undefined ? {} : { limit: limit as Json }),
      ...(found === undefined ? {} : { found: found as Json }),
      ...(suppressed === 0 ? {} : { suppressed }),
    }
  }

  /** An agent that begins a process for each try is one agent all the same. */
  async #learn(): Promise<void> {
    this.#known = true
    const { time: newest } = await this.#index.head()
    const now = Math.max(this.#machine.now(), newest)
    const up = this.#machine.uptime()
    const commits = await this.#index.noted(
      BREACH,
      { order: 'newest' },
      (): ChainedCommit[] => [],
      (found, commit) => {
        if (commit.time <= now - PERIOD_MS || found.length >= MAX_NOTES) return false
        found.push(commit)
        return true
      },
    )
    for (const { time, entries } of [...commits].reverse()) {
      for (const entry of entries) {
        if (entry.op !== 'note' || entry.topic !== BREACH) continue
        const { actor, rule } = entry.value
        this.#kept.set(keyOf(String(actor ?? ''), String(rule)), { at: up - (now - time), suppressed: 0 })
      }
    }
  }
}

function keyOf(actor: string, rule: string): string {
  return `${rule} ${actor}`
}

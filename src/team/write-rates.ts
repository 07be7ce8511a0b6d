import type { HistoryIndex } from '../history/history-index.ts'
import { receiptFiles } from '../transaction/receipt.ts'
import type { Breach } from './agent-rules.ts'
import type { Machine } from './machine.ts'

const MINUTE_MS = 60_000
/** Actors whose last minute is kept in memory; names come from callers. */
const MAX_ACTORS = 1000

interface Written {
  /** By the uptime of the machine. */
  readonly at: number
  readonly files: number
}

/** How many files each actor changed within the last minute. What other processes committed before this one is read from the history. */
export class WriteRates {
  readonly #index: HistoryIndex
  readonly #machine: Machine
  readonly #written = new Map<string, Written[]>()

  constructor(index: HistoryIndex, machine: Machine) {
    this.#index = index
    this.#machine = machine
  }

  /** Is the last minute of an actor known? */
  knows(actor: string): boolean {
    return this.#written.has(actor)
  }

  async learn(actor: string): Promise<void> {
    const { seq, time: newest } = await this.#index.head()
    // A clock that was set back has not made the last minute longer.
    const now = Math.max(this.#machine.now(), newest)
    const up = this.#machine.uptime()
    const written: Written[] = []
    for (
      let from: Parameters<HistoryIndex['commits']>[0] | null = {
        from: this.#index.dropped + 1,
        to: seq,
        order: 'newest',
        scope: '',
        actor,
      };
      from !== null;
    ) {
      const page = await this.#index.commits(from)
      from = page.next
      for (const { time, entries } of page.items) {
        if (time <= now - MINUTE_MS) {
          from = null
          break
        }
        written.push({ at: up - (now - time), files: receiptFiles(entries).length })
      }
    }
    if (this.#written.size >= MAX_ACTORS) this.#written.clear()
    this.#written.set(actor, written.reverse())
  }

  /** What is wrong with changing so many files more, now; null: nothing. */
  breach(actor: string, files: number, limit: number): Breach | null {
    const written = this.#recent(actor)
    const before = written.reduce((sum, each) => sum + each.files, 0)
    if (before + files <= limit) return null
    let free = limit - before
    let retryAfterMs = MINUTE_MS
    for (const each of written) {
      free += each.files
      if (free < files) continue
      retryAfterMs = Math.max(1, each.at + MINUTE_MS - this.#machine.uptime())
      break
    }
    return { rule: 'writesPerMinute', limit, found: before + files, retryAfterMs }
  }

  note(actor: string, files: number): void {
    this.#written.get(actor)?.push({ at: this.#machine.uptime(), files })
  }

  #recent(actor: string): readonly Written[] {
    const since = this.#machine.uptime() - MINUTE_MS
    const recent = (this.#written.get(actor) ?? []).filter(({ at }) => at > since)
    this.#written.set(actor, recent)
    return recent
  }
}

import type { EventEmitter } from 'node:events'
import { checked, FOLLOW } from './arguments.ts'
import type { ChainedCommit } from './entry/commit.ts'
import { eachWithJournalErrors } from './errors.ts'
import { type FollowOptions, follow } from './history/follow.ts'
import type { HistoryIndex } from './history/history-index.ts'
import type { HistorySource } from './history/source.ts'
import { READING } from './past.ts'
import { receiptFiles } from './transaction/receipt.ts'

export interface FollowingHost {
  /** @throws JournalError `CLOSED` */
  readonly usable: () => void
  readonly source: () => HistorySource
  /** Do other processes commit while this journal is open? */
  readonly hasOthers: () => boolean
  /** Is it a transaction of this process that has not ended yet? */
  readonly isOpen: (tx: string) => boolean
  readonly events: EventEmitter
}

/** Events that others are heard for; while they are, what they find is told too. */
const HEARD: readonly string[] = ['commit']
const FOUND = /^found while committing (t[0-9a-z]{15})$/

/** Follows a journal for who asks, and for those who listen to its events what other processes do. */
export class Following {
  readonly #index: HistoryIndex
  readonly #host: FollowingHost
  readonly #closing = new AbortController()
  #listening = false
  /** Of this process: told of already, and not heard yet; and heard before they are told of. */
  readonly #own = new Set<string>()
  readonly #early = new Set<string>()

  constructor(index: HistoryIndex, host: FollowingHost) {
    this.#index = index
    this.#host = host
  }

  follow(options: FollowOptions = {}): AsyncIterable<ChainedCommit> {
    this.#host.usable()
    const asked = checked('the options', options, FOLLOW)
    return this.#follow(asked, true)
  }

  /** Somebody listens to an event from now on. */
  listen(event: string): void {
    if (this.#listening || !HEARD.includes(event) || !this.#host.hasOthers() || this.#closing.signal.aborted) return
    this.#listening = true
    this.#hear().catch((error: unknown) => {
      this.#listening = false
      // Without a listener an 'error' event would end the process.
      if (this.#host.events.listenerCount('error') > 0) this.#host.events.emit('error', error)
    })
  }

  /** A transaction of this process, which is told of already. */
  passOver(tx: string): void {
    if (!this.#early.delete(tx) && this.#listening) this.#own.add(tx)
  }

  close(): void {
    this.#closing.abort()
  }

  #follow(options: FollowOptions, holds: boolean): AsyncIterable<ChainedCommit> {
    const host = { signal: this.#closing.signal, holds }
    return eachWithJournalErrors(READING, follow(this.#host.source(), this.#index, options, host))
  }

  async #hear(): Promise<void> {
    const { events } = this.#host
    // What was dropped before it was heard is no event any more.
    for await (const commit of this.#follow({ onGap: () => {} }, false)) {
      const { tx, seq, chain, entries, kind, message = '' } = commit
      if (this.#own.delete(tx)) continue
      if (this.#host.isOpen(tx)) {
        this.#early.add(tx)
        continue
      }
      events.emit('commit', { tx, seq, chain, files: receiptFiles(entries) }, { local: false, commit })
      if (kind !== 'recovery') continue
      const [, during = tx] = FOUND.exec(message) ?? []
      for (const entry of entries) {
        if (entry.op === 'preserve') events.emit('conflict', { tx: during, path: entry.path }, { local: false, commit })
      }
    }
  }
}

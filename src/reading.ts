import { checked, HISTORY } from './arguments.ts'
import { NodeDisk } from './disk/node-disk.ts'
import type { ChainedCommit } from './entry/commit.ts'
import { eachWithJournalErrors, withJournalErrors } from './errors.ts'
import { type FollowOptions, follow } from './history/follow.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { history } from './history/log.ts'
import type { HistoryQuery } from './history/query.ts'
import type { Status } from './journal-types.ts'
import { openIndex } from './open-index.ts'
import type { Progress } from './options.ts'
import { scanLog } from './recovery/log-scan.ts'
import { statusOf } from './status.ts'
import { asOpeningError, locateRoot, openStore, type Store } from './store/opening.ts'

/**
 * A journal that is only looked at, beside any writer: answers as a `Journal` opened with `readOnly` does. It is there for the command line: what a journal needs
 * for writing takes longer to load than most questions take to answer.
 */
export class Reading {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #onProgress: (progress: Progress) => void

  constructor(store: Store, index: HistoryIndex, onProgress: (progress: Progress) => void) {
    this.#store = store
    this.#index = index
    this.#onProgress = onProgress
  }

  /** Number of the newest transaction. */
  async newest(): Promise<number> {
    return withJournalErrors('reading the history', async () => (await this.#index.head()).seq)
  }

  history(query: HistoryQuery): AsyncIterable<ChainedCommit> {
    const asked = checked('the query', query, HISTORY)
    return eachWithJournalErrors('reading the history', history(this.#index, asked, this.#store.disk.now()))
  }

  /** See `Journal.follow`. */
  follow(options: FollowOptions): AsyncIterable<ChainedCommit> {
    const { disk, layout, format, reader, contents } = this.#store
    const { root, directory } = layout
    const source = { disk, root, directory, journalId: format.journal, reader, contents }
    const host = { signal: new AbortController().signal, holds: true }
    return eachWithJournalErrors('following the history', follow(source, this.#index, options, host))
  }

  async status(): Promise<Status> {
    const site = { store: this.#store, index: this.#index, writing: false, onProgress: this.#onProgress }
    return withJournalErrors('looking at the workspace', () => statusOf({ ...site, inFlight: () => this.#inFlight() }))
  }

  /** Most journals have nothing in flight: only for one that has, the rest is loaded. */
  async #inFlight(): Promise<readonly string[]> {
    const { disk, layout, reader, format, contents } = this.#store
    const scan = scanLog(disk, layout, reader, format.journal, contents, (done) =>
      this.#onProgress({ phase: 'reading the log', done, total: 0 }),
    )
    if (scan.inFlight.length === 0 && scan.uncommitted.length === 0 && scan.tail === null) return []
    const { planRecovery } = await import('./open-journal.ts')
    return (await planRecovery(layout.root, { onProgress: this.#onProgress })).replayed
  }

  close(): Promise<void> {
    return this.#index.close()
  }
}

/** @throws JournalError as `openJournal` does */
export async function openReading(root: string, onProgress: (progress: Progress) => void): Promise<Reading> {
  const disk = new NodeDisk()
  const layout = locateRoot(disk, root)
  try {
    const store = openStore(disk, layout)
    return new Reading(store, openIndex(store, { onProgress }), onProgress)
  } catch (error) {
    throw asOpeningError(error, layout)
  }
}

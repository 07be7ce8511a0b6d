import { JournalError } from '../errors.ts'
import {
  type IndexDatabase,
  type OpenDatabase,
  openLevel,
  openMemory,
  openScratch,
  removeDatabase,
} from './index-database.ts'
import { IndexFault } from './index-record.ts'

export interface IndexStoreOptions {
  /** The folder `index/`. */
  readonly location: string
  readonly openDatabase?: OpenDatabase
  /** Opens one that goes with this process, while the one in the folder cannot be had. */
  readonly openScratch?: () => Promise<IndexDatabase>
  /** Removes that folder with all that is in it. */
  readonly removeFolder?: (location: string) => Promise<void>
  /** Brings a database that was just opened up to date; an `IndexFault` makes the store throw it away and begin anew. */
  readonly prepare: (database: IndexDatabase) => Promise<void>
  /** Called before an orderly close. */
  readonly finish: (database: IndexDatabase) => Promise<void>
  /** Closed after being idle for so long, so that other processes get their turn. */
  readonly idleMs?: number
}

const IDLE_MS = 1000
/** Waits for another process to let go of the index, before doing without it. */
const LOCKED_DELAYS_MS = [25, 50, 100, 200]
const RUNS = 3

function codes(error: unknown): string[] {
  const found: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string') found.push(code)
  }
  return found
}

function isLocked(error: unknown): boolean {
  return codes(error).includes('LEVEL_LOCKED')
}

/** Is it the index that is broken, not the log or the caller? */
function isIndexFault(error: unknown): boolean {
  return error instanceof IndexFault || codes(error).some((code) => code.startsWith('LEVEL_'))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * The index's life: opened on demand, closed when idle, thrown away and rebuilt when it is broken, replaced by one of this process's own while
 * another one holds it or it cannot be written. Whoever gets a database from it gets one that agrees with the log.
 */
export class IndexStore {
  readonly #options: Required<IndexStoreOptions>
  #current: Promise<IndexDatabase> | null = null
  #closing: Promise<void> = Promise.resolve()
  #volatile = false
  #users = 0
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: IndexStoreOptions) {
    this.#options = { openDatabase: openLevel, openScratch, removeFolder: removeDatabase, idleMs: IDLE_MS, ...options }
  }

  /** True while the index is one that goes with this process. */
  get volatile(): boolean {
    return this.#volatile
  }

  get isOpen(): boolean {
    return this.#current !== null
  }

  /** Runs `work` on the database; once more on a rebuilt one when the database turns out to be broken. `work` must be repeatable. */
  async run<T>(work: (database: IndexDatabase) => Promise<T>): Promise<T> {
    for (let run = 1; ; run += 1) {
      if (this.#closed) throw closedError()
      this.#users += 1
      this.#stopTimer()
      this.#current ??= this.#open()
      const current = this.#current
      try {
        return await work(await current)
      } catch (error) {
        if (this.#current === current && (await current.then(() => false).catch(() => true))) this.#current = null
        if (run === RUNS || !isIndexFault(error)) throw error
        await this.#discard(current)
      } finally {
        this.#users -= 1
        if (this.#users === 0) this.#startTimer()
      }
    }
  }

  /** Looks into the database as it lies there, unless it is in use already; null when that cannot be done. */
  async peek<T>(look: (database: IndexDatabase) => Promise<T>): Promise<T | null> {
    if (this.#closed || this.#current !== null) return null
    let database: IndexDatabase | null = null
    try {
      await this.#closing
      database = await this.#options.openDatabase(this.#options.location)
      return await look(database)
    } catch {
      // It is broken, or another process has it: then it bears no witness.
      return null
    } finally {
      await database?.close().catch(() => undefined)
    }
  }

  /** Closes it for good. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopTimer()
    await this.#release()
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #startTimer(): void {
    this.#stopTimer()
    // One of this process's own would have to be rebuilt.
    if (this.#current === null || this.#volatile || this.#closed) return
    this.#timer = setTimeout(() => void this.#release(), this.#options.idleMs)
    this.#timer.unref()
  }

  async #release(): Promise<void> {
    const current = this.#current
    this.#current = null
    if (current !== null) {
      this.#closing = Promise.all([this.#closing, current.then((database) => this.#finish(database))]).then(
        () => undefined,
        () => undefined,
      )
    }
    await this.#closing
  }

  async #finish(database: IndexDatabase): Promise<void> {
    try {
      if (!this.#volatile) await this.#options.finish(database)
    } finally {
      await database.close()
    }
  }

  async #discard(broken: Promise<IndexDatabase>): Promise<void> {
    if (this.#current !== broken) return
    this.#current = null
    const wasVolatile = this.#volatile
    this.#closing = Promise.all([this.#closing, broken.then((database) => database.close())])
      .catch(() => undefined)
      .then(() => (wasVolatile ? undefined : this.#options.removeFolder(this.#options.location)))
      .catch(() => undefined)
    await this.#closing
  }

  async #open(): Promise<IndexDatabase> {
    await this.#closing
    const { location, removeFolder, prepare, openScratch } = this.#options
    const ways: readonly (() => Promise<IndexDatabase>)[] = [
      () => this.#openPatiently(),
      async () => {
        await removeFolder(location)
        return this.#openPatiently()
      },
      openScratch,
      openMemory,
    ]
    const own = ways.indexOf(openScratch)
    for (let way = 0; ; way += 1) {
      let database: IndexDatabase | null = null
      try {
        database = await (ways[way] as () => Promise<IndexDatabase>)()
        this.#volatile = way >= own
        await prepare(database)
        return database
      } catch (error) {
        await database?.close().catch(() => undefined)
        if (way === ways.length - 1 || (database !== null && !isIndexFault(error))) throw error
        // What another process uses is not broken: leave it alone.
        if (isLocked(error) && way < own) way = own - 1
      }
    }
  }

  async #openPatiently(): Promise<IndexDatabase> {
    for (const delay of LOCKED_DELAYS_MS) {
      try {
        return await this.#options.openDatabase(this.#options.location)
      } catch (error) {
        if (!isLocked(error)) throw error
        await pause(delay)
      }
    }
    return this.#options.openDatabase(this.#options.location)
  }
}

function closedError(): JournalError {
  return new JournalError('CLOSED', 'the journal is closed', { hint: 'Open it again with openJournal.' })
}

import type { ContentLocation, Purged } from '../content/content-frame.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import type { Head } from '../entry/chain.ts'
import type { ChainedCommit, CommitKind } from '../entry/commit.ts'
import type { Horizon } from '../entry/horizon.ts'
import type { ContentHash } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { droppedError } from '../store/base.ts'
import { CommitReader } from './commit-reader.ts'
import { type OpenDatabase, openMemory } from './index-database.ts'
import { prune } from './index-pruning.ts'
import {
  COMMITS_A_PAGE,
  commitsOf,
  currentsOf,
  isForgotten,
  type KnownState,
  LAST_SEQ,
  type Page,
  type PathState,
  type Remembered,
  recordOf,
  rememberedOf,
  type Stamped,
  stampCurrents,
  stampNew,
  stateAt,
  type TransactionQuery,
} from './index-query.ts'
import {
  type CurrentRecord,
  decodeCurrent,
  decodeLocation,
  decodeNumber,
  decodeText,
  type IndexHead,
  KEY,
  LOST_TX,
  seqOfKey,
  type TransactionRecord,
} from './index-record.ts'
import { IndexStore } from './index-store.ts'
import { type Claim, Projection, storedHead } from './projection.ts'
import type { HistorySource, OnHistoryProgress } from './source.ts'

export interface HistoryIndexOptions {
  readonly openDatabase?: OpenDatabase
  readonly idleMs?: number
  readonly onProgress?: OnHistoryProgress
  /** Answer from what stands before the damage instead of failing with `CORRUPT` when the log is damaged. */
  readonly tolerant?: boolean
}

function lostError(seq: number): JournalError {
  return new JournalError('NOT_FOUND', `transaction number ${seq} was lost: a salvage left a gap in its place`, {
    hint: "'journal verify' lists the gaps; what was cut out is in .journal/broken.",
    details: { seq },
  })
}

/** Answers questions about the history, by way of an index that is always brought up to date with the log first. */
export class HistoryIndex {
  readonly #source: HistorySource
  readonly #projection: Projection
  readonly #store: IndexStore
  readonly #tolerant: boolean

  constructor(source: HistorySource, options: HistoryIndexOptions = {}) {
    this.#source = source
    this.#tolerant = options.tolerant === true
    const projection = new Projection(source, options.onProgress)
    this.#projection = projection
    const real = source.disk instanceof NodeDisk
    const openDatabase = options.openDatabase ?? (real ? undefined : openMemory)
    this.#store = new IndexStore({
      location: `${source.directory}/index`,
      ...(openDatabase === undefined ? {} : { openDatabase }),
      ...(real ? {} : { openScratch: openMemory, removeFolder: async () => {} }),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
      prepare: (database) => projection.prepare(database),
      finish: (database) => projection.finish(database),
    })
  }

  /** True while the index is one that goes with this process: another one holds that of the journal, or it cannot be written. */
  get volatile(): boolean {
    return this.#store.volatile
  }

  /** Brings the index up to date and says where the history ends. `CORRUPT` when the log is damaged before its end. */
  async head(): Promise<Head> {
    const { seq, chain, time } = await this.fullHead()
    return { seq, chain, time }
  }

  async fullHead(): Promise<IndexHead> {
    const head = await this.#store.run(async (database) => {
      await this.#projection.catchUp(database)
      return this.#projection.head
    })
    if (this.#projection.damage !== null && !this.#tolerant) throw this.#projection.damage
    return head
  }

  /**
   * What the stored index knew to be durable of the log, without bringing it up to date; null when there is none, or another process has it.
   * Never throws: it is a witness, not a part of the journal.
   */
  claim(): Promise<Claim | null> {
    const { disk, directory, journalId } = this.#source
    if (disk instanceof NodeDisk && disk.lstat(`${directory}/index`) === null) return Promise.resolve(null)
    return this.#store.peek((database) => storedHead(database, journalId))
  }

  /** What the stored index remembers of transactions that the log may not have any more: a help to name them, and nothing to rely on. */
  async remembered(from: number, to: number): Promise<readonly Remembered[]> {
    const { disk, directory } = this.#source
    if (disk instanceof NodeDisk && disk.lstat(`${directory}/index`) === null) return []
    return (await this.#store.peek((database) => rememberedOf(database, from, to))) ?? []
  }

  /** Up to where the history was dropped; null: nothing was. As of the last look at the log. */
  get horizon(): Horizon | null {
    return this.#projection.beginning.horizon
  }

  /** Number of the last transaction that was dropped; 0: none was. */
  get dropped(): number {
    return this.horizon?.seq ?? 0
  }

  /** The record of transaction `seq`, which must be between 1 and the head. @throws JournalError `NOT_FOUND` for one that was dropped */
  record(seq: number): Promise<TransactionRecord> {
    return this.#store.run((database) => {
      this.#refuseDropped(seq)
      return recordOf(database, seq)
    })
  }

  #refuseDropped(seq: number): void {
    const { horizon } = this
    if (horizon !== null && seq <= horizon.seq) throw droppedError(`there is no transaction ${seq} any more`, horizon)
  }

  /** @throws JournalError `NOT_FOUND` for a point that is lost, or before the horizon */
  async requirePoint(seq: number): Promise<void> {
    const { horizon } = this
    if (horizon !== null && seq < horizon.seq)
      throw droppedError(`what was there after transaction ${seq} is not known any more`, horizon)
    if (seq === this.dropped) return
    if ((await this.record(seq)).tx === LOST_TX) throw lostError(seq)
  }

  commit(seq: number): Promise<ChainedCommit> {
    return this.#store.run(async (database) => {
      const frames = new CommitReader(this.#source)
      try {
        this.#refuseDropped(seq)
        const record = await recordOf(database, seq)
        if (record.tx === LOST_TX) throw lostError(seq)
        return frames.commit(record)
      } finally {
        frames.close()
      }
    })
  }

  /** Transactions whose id begins with `prefix`, at most `limit`, in the order of their ids. */
  byId(prefix: string, limit: number): Promise<{ readonly tx: string; readonly seq: number }[]> {
    return this.#store.run(async (database) => {
      const found: { tx: string; seq: number }[] = []
      for await (const [key, value] of database.iterator({ gte: KEY.tx(prefix), lt: `${KEY.tx(prefix)}~` })) {
        const seq = decodeNumber(value)
        if (seq > this.dropped) found.push({ tx: key.slice(1), seq })
        if (found.length === limit) break
      }
      return found
    })
  }

  /** Is there a transaction of that id? Of a history that cannot be read any more, as far as is known. */
  async has(tx: string): Promise<boolean> {
    await this.head().catch(() => undefined)
    return this.byId(tx, 1).then(
      ([found]) => found?.tx === tx,
      () => false,
    )
  }

  /** Transactions that undo, redo or revert `tx`, oldest first. */
  about(tx: string): Promise<{ readonly seq: number; readonly kind: CommitKind }[]> {
    return this.#store.run(async (database) => {
      const rows = await database.iterator({ gt: `o${tx}\0`, lt: `o${tx}\x01` }).all()
      return rows.map(([key, value]) => ({ seq: seqOfKey(key), kind: decodeText(value) as CommitKind }))
    })
  }

  /** Commits that match, in order; `next` is the query for the rest. */
  commits(query: TransactionQuery, limit = COMMITS_A_PAGE): Promise<Page<ChainedCommit, TransactionQuery>> {
    return this.#store.run(async (database) => {
      // A list that was begun before a horizon came has a hole now.
      this.#refuseDropped(query.from)
      const frames = new CommitReader(this.#source)
      try {
        return await commitsOf(database, query, Math.min(limit, COMMITS_A_PAGE), (place) => frames.commit(place))
      } finally {
        frames.close()
      }
    })
  }

  /** The newest state by the journal; null when no entry names the path. */
  current(path: string): Promise<CurrentRecord | null> {
    return this.#store.run(async (database) => {
      const value = await database.get(KEY.current(path))
      const current = value === undefined ? null : decodeCurrent(value)
      return current === null || isForgotten(current, this.dropped) ? null : current
    })
  }

  /** The state of a path after transaction `seq`. */
  stateAt(path: string, seq: number): Promise<KnownState> {
    return this.#store.run((database) => stateAt(database, path, seq, this.dropped))
  }

  /**
   * Newest states of the paths within `scope` that entries name, those that are gone now included, in the order of paths; those
   * behind `after` when it is given.
   */
  currents(scope: string, after: string | null): Promise<Page<CurrentRecord & { readonly path: string }, string>> {
    return this.#store.run((database) => currentsOf(database, scope, after, this.dropped))
  }

  /**
   * Notes with current records what the files looked like that were found to be as they say: for the next look at them. Those that were set anew meanwhile are
   * passed over; so is all of it where the index goes with this process.
   */
  async stamp(found: readonly Stamped[]): Promise<void> {
    if (found.length === 0) return
    await this.#store.run(async (database) => {
      if (this.volatile) return
      await this.#projection.alone(() => stampCurrents(database, found))
    })
  }

  /** The same for paths that transaction `seq` set, when they are still as it says: what they looked like before it and after. */
  async stampNew(seq: number, found: readonly { readonly path: string; readonly stamp: string }[]): Promise<void> {
    if (found.length === 0) return
    await this.head()
    await this.#store.run(async (database) => {
      if (this.volatile) return
      await this.#projection.alone(() => stampNew(database, seq, found))
    })
  }

  /** States after transaction `seq` of the same paths; `unknown` never occurs. */
  statesAt(scope: string, seq: number, after: string | null): Promise<Page<PathState, string>> {
    return this.#store.run(async (database) => {
      const page = await currentsOf(database, scope, after, this.dropped)
      const items: PathState[] = []
      for (const current of page.items) {
        const known: KnownState =
          current.seq <= seq
            ? { state: current.state, origin: 'entry' }
            : await stateAt(database, current.path, seq, this.dropped)
        items.push({ path: current.path, ...known })
      }
      return { items, next: page.next }
    })
  }

  /** Where a content stands in the log: for `ContentStore.locateWith`. */
  locate(hash: ContentHash): Promise<ContentLocation | Purged | null> {
    return this.#store.run(async (database) => {
      const find = async () => {
        const value = await database.get(KEY.content(hash))
        return value === undefined ? null : decodeLocation(value)
      }
      const known = await find()
      if (known !== null) return known
      await this.#projection.catchUp(database)
      return find()
    })
  }

  /** How many paths are named, how many of them are there now, and who has written. */
  counts(): Promise<{ readonly paths: number; readonly present: number; readonly actors: readonly string[] }> {
    return this.#store.run(async (database) => {
      let paths = 0
      let present = 0
      for await (const value of database.values({ gt: 'f', lt: 'g' })) {
        const current = decodeCurrent(value)
        if (isForgotten(current, this.dropped)) continue
        paths += 1
        if (current.state !== null) present += 1
      }
      const actors: string[] = []
      for (const actor of (await database.values({ gt: 'n', lt: 'o' }).all()).map(decodeText)) {
        const first = { gt: KEY.actor(actor, this.dropped), lte: KEY.actor(actor, LAST_SEQ), limit: 1 }
        if ((await database.keys(first).all()).length > 0) actors.push(actor)
      }
      return { paths, present, actors: actors.sort() }
    })
  }

  /**
   * Removes what the index has of transactions that were dropped, a few keys at a time: answers do not change, it only becomes smaller. `rest` is called
   * between the steps. `inUse`: only while somebody has it open, since opening it may take a while.
   */
  async prune(rest: () => Promise<void>, inUse: boolean): Promise<void> {
    if (inUse && !this.#store.isOpen) return
    await this.#store.run(async (database) => {
      await this.#projection.catchUp(database)
      await prune(database, this.#projection.beginning, { rest, alone: (step) => this.#projection.alone(step) })
    })
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

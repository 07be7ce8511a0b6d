import type { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import { BEGIN, CHANGE, COMPACT, checked, checkedPaths, checkListener, REPLAY, VERIFY } from './arguments.ts'
import { Capture, type Watching } from './capture/capture.ts'
import type { Collected, CollectRequest } from './capture/collect-options.ts'
import type { RunOptions, RunResult } from './capture/run.ts'
import type { WatchOptions } from './capture/watch.ts'
import { CheckpointSchedule } from './checkpoint-schedule.ts'
import { genesis, type Head } from './entry/chain.ts'
import type { ChainedCommit, CommitKind, Of } from './entry/commit.ts'
import type { State } from './entry/state.ts'
import { asJournalError, eachWithJournalErrors, JournalError, withJournalErrors } from './errors.ts'
import { Following } from './following.ts'
import { GoingBack } from './going-back.ts'
import type { DiffQuery, FileDiff } from './history/diff.ts'
import { exportHistory } from './history/export.ts'
import type { FollowOptions } from './history/follow.ts'
import type { HistoryIndex } from './history/history-index.ts'
import type { At, HistoryQuery } from './history/query.ts'
import { type ReplayResult, replay } from './history/replay.ts'
import { type Stats, stats } from './history/stats.ts'
import type { TransactionSelection } from './history/undo/selection.ts'
import { type VerifyReport, verify } from './history/verify.ts'
import type {
  CheckOptions,
  CompactOptions,
  JournalEvents,
  PurgeOptions,
  RestoreOptions,
  RestoreResult,
  Status,
  TransactionOptions,
  UndoOptions,
  UndoPreview,
  UndoReceipt,
} from './journal-types.ts'
import { metaOf } from './meta.ts'
import { OpenTransactions } from './open-transactions.ts'
import { type OpenOptions, progressOf } from './options.ts'
import { Past, READING } from './past.ts'
import type { PurgeRequest, Upkeep as UpkeepWork } from './processes/message.ts'
import { NOTHING_RECOVERED, type RecoveryReport } from './recovery/report.ts'
import type { CompactResult } from './retention/compact.ts'
import type { PurgeResult } from './retention/purge.ts'
import { Safeguards } from './safeguards.ts'
import type { SafetyReport } from './safety/checks/report.ts'
import type { IntegrityReport } from './safety/integrity.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { ValidationReport } from './safety/validation/validation.ts'
import type { Seat } from './seat.ts'
import { Shorthands } from './shorthands.ts'
import type { Store } from './store/opening.ts'
import type { TeamConfig } from './team/config-file.ts'
import type { Coordinated } from './team/coordination.ts'
import type { Intents } from './team/intents.ts'
import type { Leases } from './team/leases.ts'
import { Team } from './team/team.ts'
import type { TeamPlan } from './team/team-plan.ts'
import type { TeamRequest } from './team/team-task.ts'
import { readerSite } from './transaction/reader-site.ts'
import type { Receipt } from './transaction/receipt.ts'
import type { Transaction } from './transaction/transaction.ts'
import { Upkeep } from './upkeep.ts'
import type { Writer } from './writer.ts'

/** A folder's journal, open. See the README for what it promises. */
export class Journal extends Shorthands implements AsyncDisposable {
  /** @internal Rules, claims and settings of the agents that write here. */
  readonly team: Team
  readonly #store: Store
  readonly #index: HistoryIndex
  /** Null: it is open for reading. */
  readonly #seat: Seat | null
  readonly #options: OpenOptions
  readonly #events: EventEmitter
  readonly #transactions: OpenTransactions
  readonly #upkeep: Upkeep
  readonly #safeguards: Safeguards
  readonly #past: Past
  readonly #back: GoingBack
  readonly #capture: Capture
  readonly #following: Following
  #ending: Promise<void> | null = null
  #closing: Promise<void> | null = null
  readonly #checkpoints = new CheckpointSchedule(() => this.#writer)

  /** @internal Use `openJournal`. */
  constructor(
    store: Store,
    index: HistoryIndex,
    seat: Seat | null,
    options: OpenOptions,
    events: EventEmitter,
    config: TeamConfig,
  ) {
    super()
    this.#store = store
    this.#index = index
    this.#seat = seat
    this.#options = options
    this.#events = events
    this.#safeguards = new Safeguards(store, options, { writer: () => this.#writer, usable: () => this.#usable() })
    this.#upkeep = new Upkeep(store, index, options, {
      writer: () => this.#here(),
      reading: () => {
        this.#usable()
        return this.#writer
      },
      open: () => this.#transactions.ids,
      committed: (receipt) => this.#committed(receipt),
    })
    this.#past = new Past(store, index, options, {
      usable: () => this.#usable(),
      writer: () => this.#writer,
      external: (changes) => events.emit('external', changes),
    })
    this.#back = new GoingBack(store, index, options, this.#past, {
      writing: () => this.#writing(),
      begin: (meta, kind, of, validation) => this.#begin(meta, kind, of, validation),
    })
    this.#capture = new Capture(store, index, options, {
      where: (request, here) => {
        const { actor } = options
        const asked = actor === undefined || request.actor !== undefined ? request : { ...request, actor }
        return this.#writing().upkeep('collect', asked, here) as Promise<Collected>
      },
      writing: () => this.#writing(),
      begin: (meta, kind, of, validation) => this.#begin(meta, kind, of, validation),
    })
    this.#following = new Following(index, {
      usable: () => this.#usable(),
      source: () => this.#source(),
      hasOthers: () => seat?.isShared !== false,
      isOpen: (tx) => this.#transactions.isOwn(tx),
      events,
    })
    this.team = new Team({
      disk: store.disk,
      configFile: store.layout.config,
      version: store.format.version,
      index,
      config,
      writes: () => this.#writer !== null,
      site: () => this.#writing().parts().site(),
      begin: (meta, kind) => this.#begin(meta, kind),
    })
    this.#transactions = new OpenTransactions({
      options,
      team: this.team,
      guards: this.#safeguards.guards,
      usable: () => this.#usable(),
      seat: () => this.#writing(),
      writer: () => this.#here(),
      committed: (receipt) => this.#committed(receipt),
      ended: () => {
        if (this.#closing !== null) return
        this.#writer?.keeper.poke()
        this.#checkpoints.committed()
      },
    })
    seat?.seat({
      begin: (foreign, guard) => this.#transactions.beginForeign(foreign, guard),
      upkeep: (work, asked) => this.#upkeepFor(work, asked),
      takeover: () => this.team.reload(),
    })
    const { recovery } = this
    if (recovery !== NOTHING_RECOVERED) queueMicrotask(() => events.emit('recovered', recovery))
  }

  /** The workspace: absolute, symbolic links resolved. */
  get root(): string {
    return this.#store.layout.root
  }

  /** The journal's id, 32 hex digits. */
  get id(): string {
    return this.#store.format.journal
  }

  get readOnly(): boolean {
    return this.#seat === null
  }

  /** Does this process write the journal now? If not, another one does it for this one, until it is gone. */
  get isWriter(): boolean {
    return this.#writer !== null
  }

  get #writer(): Writer | null {
    return this.#seat?.writer ?? null
  }

  /** What opening found and did. */
  get recovery(): RecoveryReport {
    return this.#seat?.recovery ?? NOTHING_RECOVERED
  }

  /** The newest transaction: number, chain value and time. Only the process that writes knows it; another one asks `anchor`. */
  get head(): Head {
    return this.#writer?.committer.head ?? genesis(this.id)
  }

  on<E extends keyof JournalEvents>(event: E, listener: (...args: JournalEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.on(event, listener as (...args: unknown[]) => void)
    this.#following.listen(event)
    return this
  }

  off<E extends keyof JournalEvents>(event: E, listener: (...args: JournalEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.off(event, listener as (...args: unknown[]) => void)
    return this
  }

  /** Who means to write what. */
  get intents(): Intents {
    this.#usable()
    return this.team.intents
  }

  /** Who alone may write what, for a time. */
  get leases(): Leases {
    this.#usable()
    return this.team.leases
  }

  /**
   * Puts the work of several agents in order: levels by what depends on what, groups by shared files, and what that is expected to save. Changes nothing.
   * @throws JournalError `INVALID`, `PATH_OUTSIDE`
   */
  async planTeam(request: TeamRequest): Promise<TeamPlan> {
    this.#usable()
    const { planTeam } = await import('./team/team-plan.ts')
    const site = this.#writer?.draftSite() ?? readerSite(this.#store)
    return withJournalErrors('planning', () => planTeam(site, request))
  }

  /**
   * Does what was planned: each agent's part is a transaction of its own, whose `actor` it is and whose `parent` is the plan.
   * @throws JournalError that of the first step that fails; `details.done` and `details.left` say how far it came
   */
  async coordinate(plan: TeamPlan): Promise<Coordinated> {
    this.#writing()
    const { coordinate } = await import('./team/coordination.ts')
    return coordinate(plan, (meta, fn) => this.transact(meta, fn))
  }

  /** Begins a transaction. Nothing changes before its `commit`. */
  begin(meta: TransactionOptions = {}): Transaction {
    if (typeof meta !== 'object' || meta === null) {
      throw new JournalError('INVALID', 'what is said of a transaction must be an object', {
        hint: 'Give { actor?, message?, tags?, parent? }.',
      })
    }
    const { validation } = checked('what is said of a transaction', meta, BEGIN)
    return this.#begin(meta, 'write', undefined, validation)
  }

  /**
   * Runs `fn` with a fresh transaction and commits it; when `fn` throws, nothing is changed and the error goes on.
   */
  async transact(fn: (tx: Transaction) => unknown): Promise<Receipt>
  async transact(meta: TransactionOptions, fn: (tx: Transaction) => unknown): Promise<Receipt>
  async transact(
    first: TransactionOptions | ((tx: Transaction) => unknown),
    second?: (tx: Transaction) => unknown,
  ): Promise<Receipt> {
    const [meta, fn] = typeof first === 'function' ? [{}, first] : [first, second]
    if (typeof fn !== 'function') {
      throw new JournalError('INVALID', 'transact needs a function', {
        hint: 'Call transact(meta, async (tx) => { … }).',
      })
    }
    const transaction = this.begin(meta)
    try {
      await fn(transaction)
    } catch (error) {
      await transaction.abort()
      throw error
    }
    return transaction.commit()
  }

  /** Transactions, newest first unless asked otherwise. */
  history(query: HistoryQuery = {}): AsyncIterable<ChainedCommit> {
    return this.#past.history(query)
  }

  /** One transaction by id, unambiguous beginning of an id, or number. */
  show(tx: string | number): Promise<ChainedCommit> {
    return this.#past.show(tx)
  }

  /**
   * Transactions as they are committed, by any process: each once, in order, from a point on, and without end. Only such that no crash can take back.
   * @throws JournalError `NOT_FOUND` for a point that is not there any more, `CORRUPT`
   */
  follow(options: FollowOptions = {}): AsyncIterable<ChainedCommit> {
    return this.#following.follow(options)
  }

  /** The number of the last transaction at a point in the history. */
  resolve(at: At): Promise<number> {
    return this.#past.resolve(at)
  }

  /** What was at a path after a point, by the journal's record. */
  stateAt(path: string, at: At = 'head'): Promise<State> {
    return this.#past.stateAt(path, at)
  }

  /** The content of a file at a point. */
  readAt(path: string, at: At = 'head'): Promise<Uint8Array> {
    return this.#past.readAt(path, at)
  }

  /** The same in chunks, each valid until the next; throws `CORRUPT` at the end when they do not hash right. */
  streamAt(path: string, at: At = 'head'): Promise<AsyncIterable<Uint8Array>> {
    return this.#past.streamAt(path, at)
  }

  diff(query: DiffQuery = {}): AsyncIterable<FileDiff> {
    return this.#past.diff(query)
  }

  /**
   * Takes transactions back, whichever they are, by one new transaction. What others changed elsewhere in the same texts since stays.
   * @throws JournalError `CONFLICT` when others changed the same since, with all such paths; `NOT_FOUND`, `INVALID` when nothing is meant, or left to take back
   */
  undo(selection: TransactionSelection, options: UndoOptions & { readonly dryRun: true }): Promise<UndoPreview>
  undo(selection: TransactionSelection, options?: UndoOptions & { readonly dryRun?: false }): Promise<UndoReceipt>
  undo(selection: TransactionSelection, options?: UndoOptions): Promise<UndoReceipt | UndoPreview>
  undo(selection: TransactionSelection, options: UndoOptions = {}): Promise<UndoReceipt | UndoPreview> {
    return this.#back.undo(selection, options)
  }

  /** Makes again what was taken back: names transactions, or their undo. @throws JournalError as `undo` does */
  redo(selection: TransactionSelection, options: UndoOptions & { readonly dryRun: true }): Promise<UndoPreview>
  redo(selection: TransactionSelection, options?: UndoOptions & { readonly dryRun?: false }): Promise<UndoReceipt>
  redo(selection: TransactionSelection, options?: UndoOptions): Promise<UndoReceipt | UndoPreview>
  redo(selection: TransactionSelection, options: UndoOptions = {}): Promise<UndoReceipt | UndoPreview> {
    return this.#back.redo(selection, options)
  }

  /** Brings paths back to what they were. Only touches what the journal wrote; never deletes what it does not know. */
  restore(options: RestoreOptions): Promise<RestoreResult> {
    return this.#back.restore(options)
  }

  /** Writes the tree as it was at a point into another folder, which must be missing or empty. */
  async replay(options: { readonly to: string; readonly at?: At }): Promise<ReplayResult> {
    const { to, at = 'head' } = checked('the options', { ...options, to: options?.to ?? null }, REPLAY)
    const seq = await this.resolve(at)
    try {
      return await replay(this.#index, this.#source(), { to: resolve(to), seq, ...progressOf(this.#options) })
    } catch (error) {
      throw asJournalError(error, 'replaying', to)
    }
  }

  status(): Promise<Status> {
    return this.#past.status()
  }

  /** What a recovery begun now would do. */
  planRecovery(mode: 'replay' | 'revert'): Promise<RecoveryReport> {
    return this.#past.planRecovery(mode)
  }

  /** Takes edits made behind the journal's back into the history: those of `paths`, or all. Null when there are none. */
  adopt(paths?: readonly string[], meta: TransactionOptions = {}): Promise<Receipt | null> {
    return this.#back.adopt(paths, meta)
  }

  /**
   * Compares the workspace with the journal's record and takes whatever is different into the history, as one transaction: made, changed, removed and moved files,
   * permissions, links, folders; undone like any other. Files that the journal does not know are looked for too, but for those that are left out (see
   * `CollectOptions`), which it reports. Before a command that is to be undone, collect with `baseline`: what is there must be in the journal before it changes.
   * @throws JournalError `NO_SPACE` and the like; then nothing is recorded, and the next collect finds it
   */
  collect(options: CollectRequest = {}): Promise<Collected> {
    return this.#capture.collect(options)
  }

  /**
   * Runs a command in the workspace. Whatever it changed there becomes one transaction, also when it fails or is killed; the result tells how it ended. What it was
   * and how it ended stand in the history: the command line in the message, `run` and `exit:0` (or `signal:SIGTERM`, `timeout`) among the tags.
   * @throws JournalError `NOT_FOUND`, `PERMISSION` when it cannot be started; what `collect` throws
   */
  run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    return this.#capture.run(command, args, options)
  }

  /**
   * Takes what anybody changes in the workspace into the history as it comes: transactions are made of what changes together, and nothing of what the journal
   * itself writes. First what has changed before is taken in, as a baseline. Ends with `close`, of the watch or of the journal.
   */
  async watch(options: WatchOptions = {}): Promise<Watching> {
    return this.#capture.watch(options)
  }

  /**
   * The newest transaction, read from the log. Its chain value, kept outside of the journal, anchors the history: `verify` tells whether it is still
   * part of it.
   */
  async anchor(): Promise<Head> {
    this.#usable()
    return withJournalErrors(READING, () => this.#index.head())
  }

  /**
   * Checks every frame, the chain, every content; with `workspace` also what is on disk now, with `head` whether that chain value is in the history.
   * @throws JournalError `INVALID` when `head` is no chain value
   */
  async verify(options: { readonly workspace?: boolean; readonly head?: string } = {}): Promise<VerifyReport> {
    this.#usable()
    const asked = checked('the options', options, VERIFY)
    return withJournalErrors('verifying', () =>
      verify(this.#source(), { ...asked, index: this.#index, ...progressOf(this.#options) }),
    )
  }

  /**
   * Works out what `run` makes of a transaction, says what speaks for and against committing it, and drops it. Nothing is written, so a journal that is
   * open for reading does too. Operations that fail are part of the report.
   */
  check(run: (tx: Transaction) => unknown, options: CheckOptions = {}): Promise<SafetyReport> {
    return this.#safeguards.check(run, options)
  }

  /**
   * Looks at files as they are: those of `paths`, and all below folders. Default: the workspace, without `node_modules` and the like.
   * @throws JournalError `NOT_FOUND`, `VALIDATOR`
   */
  validate(paths?: readonly string[], options: CheckOptions = {}): Promise<ValidationReport> {
    return this.#safeguards.validate(paths, options)
  }

  /** Does what a transaction wrote stand in the workspace as it was meant? Every file is read; times prove nothing. */
  async confirm(tx: string | number): Promise<IntegrityReport> {
    return this.#safeguards.confirm(await this.show(tx))
  }

  /** The whole history as plain objects, for JSON Lines. */
  export(): AsyncIterable<Record<string, unknown>> {
    this.#usable()
    return eachWithJournalErrors(READING, exportHistory(this.#index, this.#source()))
  }

  stats(): Promise<Stats> {
    this.#usable()
    return withJournalErrors(READING, () => stats(this.#index, this.#source()))
  }

  /**
   * Erases every content that files (or folders, with all below them) ever had, for a secret that slipped in. The history keeps that there was
   * something, and its chain can still be verified. Contents that other paths have too stay. Cannot be undone; leaves the workspace alone.
   * @throws JournalError `NOT_FOUND` for a path that the history does not name
   */
  async purge(paths: string | readonly string[], options: PurgeOptions = {}): Promise<PurgeResult> {
    const given = checkedPaths(typeof paths === 'string' ? [paths] : paths)
    checked('the options', options, CHANGE)
    if (options.dryRun === true) return withJournalErrors('purging', () => this.#upkeep.purge(given, options))
    const { actor } = this.#options
    const asked = {
      ...(actor === undefined ? options : { ...metaOf(options), actor: options.actor ?? actor }),
      paths: given,
    }
    return (await this.#writing().upkeep('purge', asked, () => this.#upkeepFor('purge', asked))) as PurgeResult
  }

  /**
   * Drops transactions that are beyond the limits, and frees the space of what the history does not need: contents that no transaction names, leftovers,
   * what repairs cut off long ago.
   */
  async compact(options: CompactOptions = {}): Promise<CompactResult> {
    const asked = checked('the options', options, COMPACT)
    if (asked.dryRun === true) return withJournalErrors('compacting', () => this.#upkeep.compact(asked))
    const work = () => this.#upkeepFor('compact', asked)
    return (await this.#writing().upkeep('compact', asked, work)) as CompactResult
  }

  /** Makes durable what was materialized, and moves the start of recovery forward. */
  async checkpoint(): Promise<void> {
    await this.#writing().upkeep('checkpoint', null, () => this.#upkeepFor('checkpoint', null))
  }

  /** What this process does as the writer, for itself or for another one. */
  #upkeepFor(work: UpkeepWork, asked: unknown): Promise<unknown> {
    switch (work) {
      case 'checkpoint':
        return withJournalErrors('making a checkpoint', () => this.#here().checkpointer.run())
      case 'collect':
        return this.#capture.collectHere(asked as CollectRequest)
      case 'compact':
        return withJournalErrors('compacting', () => this.#upkeep.compact(asked as CompactOptions))
      case 'purge': {
        const { paths, ...options } = asked as PurgeRequest
        return withJournalErrors('purging', () => this.#upkeep.purge(paths, options))
      }
    }
  }

  /** Aborts open transactions, waits for those that commit, and closes everything. Closing twice is no error. */
  close(): Promise<void> {
    // Who watches takes in what has changed until now.
    this.#ending ??= this.#capture.isWatching ? this.#capture.close().finally(() => this.#end()) : this.#end()
    return this.#ending
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #end(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#checkpoints.stop()
    this.#following.close()
    await this.#transactions.abortOwn()
    try {
      await this.#seat?.close()
    } catch (error) {
      throw asJournalError(error, 'closing the journal')
    } finally {
      await this.#safeguards.guards.close()
      await this.#index.close()
    }
  }

  #begin(meta: TransactionOptions, kind: CommitKind, of?: Of, validation?: ValidationLevel): Transaction {
    try {
      return this.#transactions.begin(meta, kind, of, validation)
    } catch (error) {
      throw asJournalError(error, 'beginning a transaction')
    }
  }

  #committed(receipt: Receipt): void {
    this.#following.passOver(receipt.tx)
    this.#events.emit('commit', receipt, { local: true })
  }

  #source(): Parameters<typeof verify>[0] {
    const { disk, layout, format, reader, contents } = this.#store
    const readable = () => this.#writer?.log.acknowledged ?? Number.POSITIVE_INFINITY
    const durable = () => this.#writer?.log.durable ?? 0
    return {
      disk,
      root: layout.root,
      directory: layout.directory,
      journalId: format.journal,
      reader,
      contents,
      readable,
      durable,
    }
  }

  #usable(): void {
    if (this.#closing === null) return
    throw new JournalError('CLOSED', 'the journal is closed', { hint: 'Open it again.' })
  }

  #writing(): Seat {
    this.#usable()
    if (this.#seat !== null) return this.#seat
    throw new JournalError('INVALID', 'the journal is open for reading only', { hint: 'Open it without readOnly.' })
  }

  /** The writing half, in this process. What only it does is handed to it, so this is never seen. */
  #here(): Writer {
    this.#writing()
    if (this.#writer !== null) return this.#writer
    throw new JournalError('LOCKED', 'another process has become the writer', { hint: 'Try again.' })
  }
}

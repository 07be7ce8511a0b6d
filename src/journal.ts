import type { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import {
  BEGIN,
  CHANGE,
  COMPACT,
  checked,
  checkedPaths,
  checkedPoint,
  checkListener,
  DIFF,
  HISTORY,
  REPLAY,
  RESTORE,
  VERIFY,
} from './arguments.ts'
import { purgedError } from './content/blob-store.ts'
import type { FileStat } from './disk/disk.ts'
import { genesis, type Head } from './entry/chain.ts'
import type { ChainedCommit, CommitKind, Meta } from './entry/commit.ts'
import { hashOf, type State } from './entry/state.ts'
import { asJournalError, eachWithJournalErrors, JournalError, withJournalErrors } from './errors.ts'
import { type DiffQuery, diff, type FileDiff } from './history/diff.ts'
import { exportHistory } from './history/export.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { history } from './history/log.ts'
import { resolvePoint, resolveTransaction } from './history/point.ts'
import type { At, HistoryQuery } from './history/query.ts'
import { type ReplayResult, replay } from './history/replay.ts'
import { planRestore, sparingOccupied } from './history/restore-plan.ts'
import { type Stats, stats } from './history/stats.ts'
import { type ExternalChange, externalChanges } from './history/status.ts'
import { planRedo, planUndo } from './history/undo-plan.ts'
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
} from './journal-types.ts'
import { checkedMeta, metaOf } from './meta.ts'
import type { OpenOptions, Progress } from './options.ts'
import { examine } from './recovery/recovery.ts'
import { NOTHING_RECOVERED, type RecoveryReport } from './recovery/report.ts'
import { relativePath } from './relative-path.ts'
import type { CompactResult } from './retention/compact.ts'
import type { PurgeResult } from './retention/purge.ts'
import { Safeguards } from './safeguards.ts'
import type { SafetyReport } from './safety/checks/report.ts'
import type { IntegrityReport } from './safety/integrity.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { ValidationReport } from './safety/validation/validation.ts'
import { Shorthands } from './shorthands.ts'
import type { Store } from './store/opening.ts'
import { WriterLock } from './store/writer-lock.ts'
import type { Operation } from './transaction/operation.ts'
import type { Receipt } from './transaction/receipt.ts'
import { Transaction } from './transaction/transaction.ts'
import { newTransactionId } from './transaction/transaction-id.ts'
import { Upkeep } from './upkeep.ts'
import { recoverySite, scanStore, type Writer } from './writer.ts'

/** Log bytes after which a checkpoint is made in the background, and idle time after which one is made anyway. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINT_IDLE_MS = 1000
const LOCK_TIMEOUT_MS = 30_000
const READING = 'reading the history'

/** A folder's journal, open. See the README for what it promises. */
export class Journal extends Shorthands implements AsyncDisposable {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #writer: Writer | null
  readonly #options: OpenOptions
  readonly #events: EventEmitter
  readonly #open = new Set<Transaction>()
  readonly #upkeep: Upkeep
  readonly #safeguards: Safeguards
  #closing: Promise<void> | null = null
  #idle: NodeJS.Timeout | null = null
  #checkpointing = false

  /** @internal Use `openJournal`. */
  constructor(store: Store, index: HistoryIndex, writer: Writer | null, options: OpenOptions, events: EventEmitter) {
    super()
    this.#store = store
    this.#index = index
    this.#writer = writer
    this.#options = options
    this.#events = events
    this.#safeguards = new Safeguards(store, options, { writer, usable: () => this.#usable() })
    this.#upkeep = new Upkeep(store, index, options, {
      writer: () => this.#writing(),
      reading: () => {
        this.#usable()
        return writer
      },
      open: () => new Set([...this.#open].map(({ id }) => id)),
      committed: (receipt) => events.emit('commit', receipt),
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
    return this.#writer === null
  }

  /** What opening found and did. */
  get recovery(): RecoveryReport {
    return this.#writer?.recovery ?? NOTHING_RECOVERED
  }

  /** The newest transaction: number, chain value and time. A reader asks `status` instead. */
  get head(): Head {
    return this.#writer?.committer.head ?? genesis(this.id)
  }

  on<E extends keyof JournalEvents>(event: E, listener: (...args: JournalEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.on(event, listener as (...args: unknown[]) => void)
    return this
  }

  off<E extends keyof JournalEvents>(event: E, listener: (...args: JournalEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.off(event, listener as (...args: unknown[]) => void)
    return this
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
    this.#usable()
    const asked = checked('the query', query, HISTORY)
    return eachWithJournalErrors(READING, history(this.#index, asked, this.#store.disk.now()))
  }

  /** One transaction by id, unambiguous beginning of an id, or number. */
  async show(tx: string | number): Promise<ChainedCommit> {
    this.#usable()
    return withJournalErrors(READING, async () => this.#index.commit(await resolveTransaction(this.#index, tx)))
  }

  /** The number of the last transaction at a point in the history. */
  async resolve(at: At): Promise<number> {
    this.#usable()
    return withJournalErrors(READING, () => resolvePoint(this.#index, checkedPoint(at), this.#store.disk.now()))
  }

  /** What was at a path after a point, by the journal's record. */
  async stateAt(path: string, at: At = 'head'): Promise<State> {
    const seq = await this.resolve(at)
    const [given] = checkedPaths([path])
    const relative = relativePath(this.root, given as string)
    return (await withJournalErrors(READING, () => this.#index.stateAt(relative, seq))).state
  }

  /** The content of a file at a point. */
  async readAt(path: string, at: At = 'head'): Promise<Uint8Array> {
    return withJournalErrors(READING, async () => this.#store.contents.read(await this.#contentAt(path, at)))
  }

  /** The same in chunks, each valid until the next; throws `CORRUPT` at the end when they do not hash right. */
  async streamAt(path: string, at: At = 'head'): Promise<AsyncIterable<Uint8Array>> {
    const hash = await withJournalErrors(READING, () => this.#contentAt(path, at))
    return eachWithJournalErrors(READING, this.#store.contents.stream(hash))
  }

  diff(query: DiffQuery = {}): AsyncIterable<FileDiff> {
    this.#usable()
    const { disk, contents } = this.#store
    const asked = checked('the query', query, DIFF)
    return eachWithJournalErrors(READING, diff(this.#index, { disk, root: this.root, contents }, asked))
  }

  /** Takes a transaction back, whichever it is; `CONFLICT` when somebody changed one of its paths since. */
  async undo(tx: string | number, options: UndoOptions = {}): Promise<Receipt> {
    this.#writing()
    checked('the options', options, CHANGE)
    const plan = await withJournalErrors(READING, () => planUndo(this.#index, tx))
    return this.#put(plan.operations, options, plan.kind, plan.of)
  }

  /** Makes again what was taken back: names the transaction, or the undo. */
  async redo(tx: string | number, options: UndoOptions = {}): Promise<Receipt> {
    this.#writing()
    checked('the options', options, CHANGE)
    const plan = await withJournalErrors(READING, () => planRedo(this.#index, tx))
    return this.#put(plan.operations, options, plan.kind, plan.of)
  }

  /** Brings paths back to what they were. Only touches what the journal wrote; never deletes what it does not know. */
  async restore(options: RestoreOptions): Promise<RestoreResult> {
    const { to, paths, dryRun } = checked('the options', options, RESTORE)
    if (dryRun !== true) this.#writing()
    const seq = await this.resolve(to)
    const within = paths?.map((path) => relativePath(this.root, path))
    const { operations } = await withJournalErrors(READING, async () =>
      sparingOccupied(await planRestore(this.#index, seq, within), this.#store.disk, this.root),
    )
    const changes = operations.map(({ path, from, state }) => ({ path, before: from ?? null, after: state }))
    if (dryRun === true || operations.length === 0) return { changes, receipt: null }
    return { changes, receipt: await this.#put(operations, options, 'restore') }
  }

  /** Writes the tree as it was at a point into another folder, which must be missing or empty. */
  async replay(options: { readonly to: string; readonly at?: At }): Promise<ReplayResult> {
    const { to, at = 'head' } = checked('the options', { ...options, to: options?.to ?? null }, REPLAY)
    const seq = await this.resolve(at)
    try {
      return await replay(this.#index, this.#source(), { to: resolve(to), seq, ...this.#progress() })
    } catch (error) {
      throw asJournalError(error, 'replaying', to)
    }
  }

  async status(): Promise<Status> {
    this.#usable()
    return withJournalErrors('looking at the workspace', () => this.#status())
  }

  async #status(): Promise<Status> {
    const { disk, layout, format } = this.#store
    const head = await this.#index.head()
    const changed: ExternalChange[] = []
    const walk = externalChanges(this.#index, disk, this.root, this.#progress())
    let step = await walk.next()
    for (; !step.done; step = await walk.next()) changed.push(step.value)
    const writer = this.#writer === null ? WriterLock.holder(disk, layout.lock) : { pid: process.pid }
    const inFlight = this.#writer === null && writer === null ? (await this.planRecovery('replay')).replayed : []
    if (changed.length > 0) this.#events.emit('external', changed)
    return {
      journal: format.journal,
      root: this.root,
      seq: head.seq,
      chain: head.chain,
      time: head.time,
      writer,
      needsRecovery: inFlight.length > 0,
      inFlight,
      changed,
      tracked: step.value,
    }
  }

  /** What a recovery begun now would do. */
  async planRecovery(mode: 'replay' | 'revert'): Promise<RecoveryReport> {
    this.#usable()
    if (this.#writer !== null) return NOTHING_RECOVERED
    return withJournalErrors('planning a recovery', async () => {
      const scan = scanStore(this.#store, this.#options)
      const { plan } = await examine(recoverySite(this.#store, this.#index, process.umask(), false), scan, mode)
      return plan.report
    })
  }

  /** Takes edits made behind the journal's back into the history: those of `paths`, or all. Null when there are none. */
  async adopt(paths?: readonly string[], meta: TransactionOptions = {}): Promise<Receipt | null> {
    this.#writing()
    if (paths !== undefined) checkedPaths(paths)
    checked('the meta', meta, BEGIN)
    const operations = await withJournalErrors('looking at the workspace', () => this.#toAdopt(paths))
    return operations.length === 0
      ? null
      : this.#perform(operations, { message: 'adopted from outside', ...meta }, 'adopt')
  }

  async #toAdopt(paths?: readonly string[]): Promise<Operation[]> {
    const operations: Operation[] = []
    const scoped = paths?.map((path) => relativePath(this.root, path))
    const options = { ...(scoped === undefined ? {} : { paths: scoped }), ...this.#progress() }
    for await (const { path, recorded } of externalChanges(this.#index, this.#store.disk, this.root, options)) {
      operations.push({ op: 'adopt', path, recorded })
    }
    for (const path of scoped ?? []) {
      const known = await this.#index.current(path)
      const found = this.#lstat(path)
      if (known === null && found !== null && found.kind !== 'dir')
        operations.push({ op: 'adopt', path, recorded: null })
    }
    return operations
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
      verify(this.#source(), { ...asked, index: this.#index, ...this.#progress() }),
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
    return withJournalErrors('purging', () => this.#upkeep.purge(given, options))
  }

  /**
   * Drops transactions that are beyond the limits, and frees the space of what the history does not need: contents that no transaction names, leftovers,
   * what repairs cut off long ago.
   */
  async compact(options: CompactOptions = {}): Promise<CompactResult> {
    const asked = checked('the options', options, COMPACT)
    return withJournalErrors('compacting', () => this.#upkeep.compact(asked))
  }

  /** Makes durable what was materialized, and moves the start of recovery forward. */
  async checkpoint(): Promise<void> {
    const { checkpointer } = this.#writing()
    await withJournalErrors('making a checkpoint', () => checkpointer.run())
  }

  /** Aborts open transactions, waits for those that commit, and closes everything. Closing twice is no error. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle)
    await Promise.all([...this.#open].map((transaction) => transaction.abort()))
    try {
      await this.#writer?.close()
    } catch (error) {
      throw asJournalError(error, 'closing the journal')
    } finally {
      await this.#safeguards.guards.close()
      await this.#index.close()
    }
  }

  #begin(meta: Meta, kind: CommitKind, of?: string, validation?: ValidationLevel): Transaction {
    try {
      return this.#newTransaction(meta, kind, of, validation)
    } catch (error) {
      throw asJournalError(error, 'beginning a transaction')
    }
  }

  #newTransaction(meta: Meta, kind: CommitKind, of?: string, validation?: ValidationLevel): Transaction {
    const writer = this.#writing()
    const { actor, durability = 'full', lockTimeoutMs = LOCK_TIMEOUT_MS, signal } = this.#options
    const request = {
      id: newTransactionId(),
      meta: checkedMeta(actor === undefined ? meta : { actor, ...meta }),
      kind,
      of,
    }
    const transaction = new Transaction(
      {
        site: () => writer.draftSite(),
        stager: (tx) => writer.stager(tx),
        committer: writer.committer,
        locks: writer.locks,
        lockTimeoutMs,
        durability,
        signal,
        guard: this.#safeguards.guards.of(kind, validation),
        usable: () => this.#usable(),
        ended: (ended, receipt) => this.#ended(ended, receipt),
      },
      request,
    )
    this.#open.add(transaction)
    return transaction
  }

  #ended(transaction: Transaction, receipt: Receipt | null): void {
    this.#open.delete(transaction)
    if (receipt === null) return
    this.#events.emit('commit', receipt)
    const writer = this.#writer
    if (writer === null || this.#closing !== null) return
    writer.keeper.poke()
    if (this.#checkpointing) return
    if (writer.checkpointer.behind > CHECKPOINT_BYTES) this.#checkpointSoon()
    else if (this.#idle === null) {
      this.#idle = setTimeout(() => {
        this.#idle = null
        if (this.#closing === null) this.#checkpointSoon()
      }, CHECKPOINT_IDLE_MS).unref()
    } else this.#idle.refresh()
  }

  #checkpointSoon(): void {
    this.#checkpointing = true
    // A failure has poisoned the journal: the next commit reports it.
    this.#writer?.checkpointer
      .run()
      .catch(() => undefined)
      .finally(() => {
        this.#checkpointing = false
      })
  }

  async #refusePurged(path: string, state: State): Promise<void> {
    const hash = hashOf(state)
    const by = hash === null ? null : await this.#store.contents.purgedBy(hash)
    if (hash !== null && by !== null) throw purgedError(hash, by, path)
  }

  async #put(operations: readonly Operation[], options: UndoOptions, kind: CommitKind, of?: string): Promise<Receipt> {
    await withJournalErrors(READING, async () => {
      for (const operation of operations) {
        if (operation.op === 'put') await this.#refusePurged(operation.path, operation.state)
      }
    })
    const { force } = options
    const free = (operation: Operation): Operation => {
      if (operation.op !== 'put' || force !== true) return operation
      return { op: 'put', path: operation.path, state: operation.state }
    }
    return this.#perform(operations.map(free), options, kind, of)
  }

  async #perform(
    operations: readonly Operation[],
    options: TransactionOptions,
    kind: CommitKind,
    of?: string,
  ): Promise<Receipt> {
    const transaction = this.#begin(metaOf(options), kind, of, options.validation)
    try {
      const conflicts: unknown[] = []
      for (const operation of operations) {
        await transaction.perform(operation).catch((error: unknown) => {
          // All of them are named, not only the first.
          if (!(error instanceof JournalError) || error.details?.conflicts === undefined) throw error
          conflicts.push(...(error.details.conflicts as unknown[]))
        })
      }
      if (conflicts.length > 0) throw conflictError(conflicts, of)
    } catch (error) {
      await transaction.abort()
      throw error
    }
    return transaction.commit()
  }

  async #contentAt(path: string, at: At): Promise<string> {
    const state = await this.stateAt(path, at)
    if (state?.kind === 'file') {
      await this.#refusePurged(path, state)
      return state.hash
    }
    throw new JournalError('NOT_FOUND', `the journal has no file ${path} at ${String(at)}`, {
      hint: `'journal log ${path}' shows when it was written.`,
      path,
    })
  }

  #source(): Parameters<typeof verify>[0] {
    const { disk, layout, format, reader, contents } = this.#store
    const readable = () => this.#writer?.log.acknowledged ?? Number.POSITIVE_INFINITY
    return {
      disk,
      root: layout.root,
      directory: layout.directory,
      journalId: format.journal,
      reader,
      contents,
      readable,
    }
  }

  #lstat(path: string): FileStat | null {
    try {
      return this.#store.disk.lstat(`${this.root}/${path}`)
    } catch (error) {
      throw asJournalError(error, 'looking at the workspace', path)
    }
  }

  #progress(): { onProgress?: (progress: Progress) => void } {
    const { onProgress } = this.#options
    return onProgress === undefined ? {} : { onProgress }
  }

  #usable(): void {
    if (this.#closing === null) return
    throw new JournalError('CLOSED', 'the journal is closed', { hint: 'Open it again.' })
  }

  #writing(): Writer {
    this.#usable()
    if (this.#writer !== null) return this.#writer
    throw new JournalError('INVALID', 'the journal is open for reading only', { hint: 'Open it without readOnly.' })
  }
}

function conflictError(conflicts: readonly unknown[], of?: string): JournalError {
  const paths = conflicts.map((conflict) => (conflict as { path: string }).path)
  return new JournalError(
    'CONFLICT',
    `changed since: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`,
    {
      hint: "Look at 'journal diff' and 'journal log PATH'; take later changes back first, or force it (what is there is kept in the history).",
      path: paths[0],
      tx: of,
      details: { conflicts },
    },
  )
}

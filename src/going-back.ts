import { BEGIN, checked, checkedPaths, RESTORE } from './arguments.ts'
import type { FileStat } from './disk/disk.ts'
import type { CommitKind, Of } from './entry/commit.ts'
import { asJournalError, JournalError, withJournalErrors } from './errors.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { planRestore, sparingOccupied } from './history/restore-plan.ts'
import { externalChanges } from './history/status.ts'
import type { TransactionSelection } from './history/undo/selection.ts'
import type {
  RestoreOptions,
  RestoreResult,
  TransactionOptions,
  UndoOptions,
  UndoPreview,
  UndoReceipt,
} from './journal-types.ts'
import { leasedMeta } from './meta.ts'
import { type OpenOptions, progressOf } from './options.ts'
import { type Past, READING } from './past.ts'
import { relativePath } from './relative-path.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { Store } from './store/opening.ts'
import { TakingBack } from './taking-back.ts'
import type { Operation } from './transaction/operation.ts'
import type { Receipt } from './transaction/receipt.ts'
import type { Transaction } from './transaction/transaction.ts'

/** What going back asks of the journal that it belongs to. */
export interface GoingBackHost {
  /** @throws JournalError when the journal is closed, or open for reading only */
  readonly writing: () => unknown
  readonly begin: (meta: TransactionOptions, kind: CommitKind, of?: Of, validation?: ValidationLevel) => Transaction
}

/** Undo, redo, restore, and the adoption of what others did: transactions that are made of the history. */
export class GoingBack {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #past: Past
  readonly #host: GoingBackHost
  readonly #takingBack: TakingBack

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, past: Past, host: GoingBackHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#past = past
    this.#host = host
    this.#takingBack = new TakingBack(store, index, options, past, host)
  }

  undo(selection: TransactionSelection, options: UndoOptions = {}): Promise<UndoReceipt | UndoPreview> {
    return this.#takingBack.run('undo', selection, options)
  }

  redo(selection: TransactionSelection, options: UndoOptions = {}): Promise<UndoReceipt | UndoPreview> {
    return this.#takingBack.run('redo', selection, options)
  }

  async restore(options: RestoreOptions): Promise<RestoreResult> {
    const { to, paths, dryRun } = checked('the options', options, RESTORE)
    if (dryRun !== true) this.#host.writing()
    const seq = await this.#past.resolve(to)
    const within = paths?.map((path) => relativePath(this.#store.layout.root, path))
    const { operations } = await withJournalErrors(READING, async () =>
      sparingOccupied(await planRestore(this.#index, seq, within), this.#store.disk, this.#store.layout.root),
    )
    const changes = operations.map(({ path, from, state }) => ({ path, before: from ?? null, after: state }))
    if (dryRun === true || operations.length === 0) return { changes, receipt: null }
    return { changes, receipt: await this.#put(operations, options, 'restore') }
  }

  async adopt(paths?: readonly string[], meta: TransactionOptions = {}): Promise<Receipt | null> {
    this.#host.writing()
    if (paths !== undefined) checkedPaths(paths)
    checked('the meta', meta, BEGIN)
    const operations = await withJournalErrors('looking at the workspace', () => this.#toAdopt(paths))
    if (operations.length === 0) return null
    try {
      return await this.#perform(operations, { message: 'adopted from outside', ...meta }, 'adopt')
    } catch (error) {
      if (error instanceof JournalError && error.details?.nothing === true) return null
      throw error
    }
  }

  async #toAdopt(paths?: readonly string[]): Promise<Operation[]> {
    const operations: Operation[] = []
    const scoped = paths?.map((path) => relativePath(this.#store.layout.root, path))
    const options = { ...(scoped === undefined ? {} : { paths: scoped }), ...progressOf(this.#options) }
    for await (const { path, recorded } of externalChanges(
      this.#index,
      this.#store.disk,
      this.#store.layout.root,
      options,
    )) {
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

  async #put(operations: readonly Operation[], options: RestoreOptions, kind: CommitKind): Promise<Receipt> {
    await withJournalErrors(READING, async () => {
      for (const operation of operations) {
        if (operation.op === 'put') await this.#past.refusePurged(operation.path, operation.state)
      }
    })
    const { force } = options
    const free = (operation: Operation): Operation => {
      if (operation.op !== 'put' || force !== true) return operation
      return { op: 'put', path: operation.path, state: operation.state }
    }
    return this.#perform(operations.map(free), options, kind)
  }

  async #perform(operations: readonly Operation[], options: TransactionOptions, kind: CommitKind): Promise<Receipt> {
    const transaction = this.#host.begin(leasedMeta(options), kind, undefined, options.validation)
    try {
      const conflicts: unknown[] = []
      for (const operation of operations) {
        await transaction.perform(operation).catch((error: unknown) => {
          // All of them are named, not only the first.
          if (!(error instanceof JournalError) || error.details?.conflicts === undefined) throw error
          conflicts.push(...(error.details.conflicts as unknown[]))
        })
      }
      if (conflicts.length > 0) throw conflictError(conflicts)
    } catch (error) {
      await transaction.abort()
      throw error
    }
    return transaction.commit()
  }

  #lstat(path: string): FileStat | null {
    try {
      return this.#store.disk.lstat(`${this.#store.layout.root}/${path}`)
    } catch (error) {
      throw asJournalError(error, 'looking at the workspace', path)
    }
  }
}

function conflictError(conflicts: readonly unknown[]): JournalError {
  const paths = conflicts.map((conflict) => (conflict as { path: string }).path)
  return new JournalError(
    'CONFLICT',
    `changed since: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`,
    {
      hint: "Look at 'journal diff' and 'journal log PATH'; take later changes back first, or force it (what is there is kept in the history).",
      path: paths[0],
      details: { conflicts },
    },
  )
}

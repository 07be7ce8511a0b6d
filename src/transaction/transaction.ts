import { CHANGE, checked, checkedPaths, TEXTUAL } from '../arguments.ts'
import type { CellEdit } from '../edit/cell-edit.ts'
import { checkLeniency } from '../edit/edits.ts'
import type { ImportChange } from '../edit/imports/import-change.ts'
import type { ImportsOptions } from '../edit/imports/imports.ts'
import type { PatchOptions } from '../edit/patch/patch-set.ts'
import type { Change, ReviserName } from '../edit/revisers.ts'
import type { SettingChange } from '../edit/settings/setting-change.ts'
import type { SettingsOptions } from '../edit/settings/settings.ts'
import type { Meta } from '../entry/commit.ts'
import type { NoteEntry, TextEdit } from '../entry/entry.ts'
import type { State } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { ancestorsOf } from '../workspace/safe-path.ts'
import { checkedOperation } from './checked-operation.ts'
import { Draft } from './draft.ts'
import { type Guard, Proposal } from './guard.ts'
import type { Operation, StagedContent } from './operation.ts'
import type { EditOptions, ExpectOptions, RemoveOptions, TextOptions, WriteOptions } from './operation-options.ts'
import type { LockMode, LockOwner, PathLocks } from './path-locks.ts'
import { type PlainTransaction, type Seen, unlockedError } from './plain-transaction.ts'
import type { Receipt } from './receipt.ts'
import type { Revision } from './revision.ts'
import { aborted, type ContentInput, type Stager } from './stager.ts'
import type { TransactionHost, TransactionRequest } from './transaction-host.ts'
import { seenBy, workedOut } from './worked-out.ts'

/** How often a transaction is worked out anew because the workspace changed under it. */
const ATTEMPTS = 20

/**
 * Operations that commit as a whole or not at all. Nothing in the workspace changes before `commit`. An operation that throws leaves the
 * transaction as it was before it. Calls may overlap; they are carried out in the order in which they were made.
 */
export class Transaction {
  readonly id: string
  readonly meta: Meta
  readonly #host: TransactionHost
  readonly #request: TransactionRequest
  readonly #stager: Stager
  readonly #operations: Operation[] = []
  readonly #owner: LockOwner
  readonly #locked = new Map<string, LockMode>()
  #draft: Draft
  #turn: Promise<unknown> = Promise.resolve()
  #state: 'open' | 'committing' | 'committed' | 'aborted' = 'open'

  constructor(host: TransactionHost, request: TransactionRequest) {
    this.id = request.id
    this.meta = request.meta
    this.#host = host
    this.#request = request
    this.#stager = host.stager(request.id)
    this.#draft = new Draft(host.site(), this.#stager)
    this.#owner = { id: request.id, ...(request.meta.actor === undefined ? {} : { actor: request.meta.actor }) }
  }

  /** Writes a file, replacing what it had; missing folders are made. Text is UTF-8; a stream is not held in memory. */
  async write(path: string, content: ContentInput, options: WriteOptions = {}): Promise<void> {
    const { mode, expect, merge, encoding } = checked('options', options, TEXTUAL)
    await this.#next(() => {
      const operation = (staged: StagedContent): Operation | Promise<Operation> => {
        const plain: Operation = { op: 'write', path, content: staged, mode, expect }
        return merge === true ? checkedOperation({ ...plain, merge, encoding }) : plain
      }
      const taken = this.#stager.take(content, this.#host.signal)
      return taken instanceof Promise ? taken.then(operation) : operation(taken)
    })
  }

  /** Adds to the end of a file, which is made when it is not there. */
  async append(path: string, content: ContentInput, options: ExpectOptions = {}): Promise<void> {
    const { expect } = checked('options', options)
    await this.#next(async () => {
      const staged = await this.#stager.take(content, this.#host.signal)
      return { op: 'append', path, content: staged, expect }
    })
  }

  /** Replaces texts in a file, in order; each must stand there exactly once unless it has `all`. */
  async edit(path: string, edits: readonly TextEdit[], options: EditOptions = {}): Promise<Revision> {
    const { expect, encoding, merge, lenient } = checked('options', options, TEXTUAL)
    return this.#revision({ op: 'edit', path, edits, expect, encoding, merge, lenient: checkLeniency(lenient) })
  }

  /** Applies a unified diff of one file. */
  async patch(path: string, patch: string, options: TextOptions = {}): Promise<Revision> {
    const { expect, encoding, merge } = checked('options', options, TEXTUAL)
    return this.#revision({ op: 'patch', path, patch, expect, encoding, merge })
  }

  /**
   * Applies a patch to the files that it names: a unified diff of any number of files, with renamed, new and deleted ones, or an `apply_patch` text. All of it, or
   * nothing: the error names every hunk that does not fit.
   */
  async applyPatch(patch: string, options: PatchOptions = {}): Promise<readonly Revision[]> {
    const { format, strip } = checked('options', options)
    return this.#next(() => checkedOperation({ op: 'apply', patch, format, strip }))
  }

  /** Replaces, inserts and deletes cells of a Jupyter notebook, in order. */
  async notebook(path: string, cells: readonly CellEdit[], options: TextOptions = {}): Promise<Revision> {
    return this.#revise(path, 'notebook', { cells: cells as readonly unknown[] as readonly Change[] }, options)
  }

  /** Sets, merges and deletes values by key path in a JSON, YAML, TOML or INI file. */
  async set(
    path: string,
    changes: readonly SettingChange[],
    options: TextOptions & SettingsOptions = {},
  ): Promise<Revision> {
    const { format, document } = checked('options', options, TEXTUAL)
    const named = { ...(format === undefined ? {} : { format }), ...(document === undefined ? {} : { document }) }
    return this.#revise(path, 'set', { changes: changes as readonly unknown[] as readonly Change[], ...named }, options)
  }

  /** Adds and removes import statements of a source file. */
  async imports(
    path: string,
    changes: readonly ImportChange[],
    options: TextOptions & ImportsOptions = {},
  ): Promise<Revision> {
    const { language } = checked('options', options, TEXTUAL)
    const named = language === undefined ? {} : { language }
    return this.#revise(
      path,
      'imports',
      { changes: changes as readonly unknown[] as readonly Change[], ...named },
      options,
    )
  }

  /** Removes a file or a symbolic link, or with `recursive` a folder and all in it. */
  async remove(path: string, options: RemoveOptions = {}): Promise<void> {
    const { recursive, expect } = checked('options', options, CHANGE)
    await this.#next(() => ({ op: 'remove', path, recursive, expect }))
  }

  /** Moves a file, a link or a folder; a file at the new path is replaced. */
  async rename(path: string, to: string, options: ExpectOptions = {}): Promise<void> {
    const { expect } = checked('options', options)
    await this.#next(() => ({ op: 'rename', path, to, expect }))
  }

  async mkdir(path: string, options: { readonly mode?: number } = {}): Promise<void> {
    const { mode } = checked('options', options)
    await this.#next(() => ({ op: 'mkdir', path, mode }))
  }

  /** Removes an empty folder. */
  async rmdir(path: string): Promise<void> {
    await this.#next(() => ({ op: 'rmdir', path }))
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.#next(() => ({ op: 'chmod', path, mode }))
  }

  /** Makes a symbolic link at `path` to `target`. */
  async symlink(path: string, target: string): Promise<void> {
    await this.#next(() => ({ op: 'symlink', path, target }))
  }

  /**
   * Says something in the history, of no path: who did which part of it, and why. `topic`: small letters, digits and `-`; `value`: what JSON can hold. Topics of
   * the journal's own (`intent`, `lease`, `breach`) are refused.
   */
  async note(topic: string, value: NoteEntry['value']): Promise<void> {
    await this.#next(() => checkedOperation({ op: 'note', topic, value }))
  }

  /** The content of a file as this transaction sees it. The commit fails with `CONFLICT` when somebody else changes it meanwhile. */
  read(path: string): Promise<Uint8Array> {
    return this.#inTurn(() => this.#draft.read(path))
  }

  /** What stands in the end at the paths that it changes so far; null: nothing. */
  changes(): Promise<ReadonlyMap<string, State>> {
    return this.#inTurn(() => new Map(this.#draft.changes))
  }

  /** One operation as a plain value. For callers that already have values; the methods above check more. */
  async perform(operation: Operation): Promise<void> {
    await this.#next(() => checkedOperation(operation))
  }

  /** How many entries it makes, as far as its operations are worked out. */
  get size(): number {
    return this.#draft.entries.length
  }

  /**
   * Keeps others from writing these paths, and everything below them, until this transaction ends.
   * @throws JournalError `LOCKED` naming the holder after the timeout, `CONFLICT` when two transactions would wait for each other
   */
  lock(paths: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const located = checkedPaths(paths).map((path) => this.#draft.locate(path))
      for (const path of located) addLock(this.#locked, path, 'exclusive')
      const { local, elsewhere, lockTimeoutMs } = this.#host
      if (local !== null) await this.#acquire(local.locks, this.#locked)
      else await elsewhere?.lock({ id: this.id, meta: this.meta, lockTimeoutMs }, located)
    })
  }

  /**
   * Makes everything durable and puts it into the workspace.
   * @throws JournalError; then the workspace is as it was
   */
  async commit(): Promise<Receipt> {
    await this.#turn
    if (this.#state !== 'open') this.#checkOpen()
    this.#state = 'committing'
    const turn = this.#finish()
    this.#turn = turn.catch(settled)
    return turn
  }

  async #finish(): Promise<Receipt> {
    try {
      this.#host.usable()
      const receipt = await this.#commit()
      this.#end('committed', receipt)
      return receipt
    } catch (error) {
      this.#end('aborted', null)
      throw asJournalError(error, 'committing')
    }
  }

  /** Forgets everything. Aborting twice is no error. */
  async abort(): Promise<void> {
    await this.#turn.catch(() => undefined)
    if (this.#state === 'open') this.#end('aborted', null)
  }

  async #commit(): Promise<Receipt> {
    const { local, elsewhere } = this.#host
    if (local === null) return this.#commitElsewhere(false)
    try {
      return await this.#commitHere(local)
    } catch (error) {
      // Another process has become the writer meanwhile. It knows whether the transaction is in the log.
      if (elsewhere?.away() !== true) throw error
      local.locks.release(this.#owner)
      return this.#commitElsewhere(true)
    }
  }

  async #commitElsewhere(mayBeThere: boolean): Promise<Receipt> {
    const { elsewhere, guard, signal, durability, lockTimeoutMs } = this.#host
    const { kind = 'write', of, meta, id, lease } = this.#request
    let tried = mayBeThere
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (signal?.aborted && !tried) throw aborted(signal)
      // Its locks went with the writer that this process was: somebody else may have relied on having them since.
      const unlocked = tried && this.#locked.size > 0 && this.#host.local !== null
      let examined: PlainTransaction['examined'] = guard === undefined && !unlocked ? 'needless' : 'not yet'
      if (guard !== undefined && !tried) {
        if (!(await this.#draft.isFresh())) await this.#redraft()
        if (!(await this.#examined(guard))) continue
        examined = seenBy(this.#draft, this.#draft.base.keys())
      }
      const plain: PlainTransaction = {
        ...{ id, kind, of, meta, lease, operations: this.#operations, reads: seenBy(this.#draft, this.#draft.reads) },
        ...{ examined, durability, lockTimeoutMs, umask: process.umask() },
      }
      const answer = await elsewhere?.commit(plain, tried)
      if (answer !== undefined && answer !== 'stale') return answer
      if (unlocked) throw unlockedError(id)
      tried = false
    }
    throw this.#restless()
  }

  /**
   * Takes over what a transaction of another process asks for.
   * @throws JournalError `CONFLICT` when it cannot be done on what is there now: it could be when it was asked for
   */
  takeOver({ operations, reads }: Pick<PlainTransaction, 'operations' | 'reads'>): Promise<void> {
    return this.#inTurn(async () => {
      this.#draft = await this.#workedOut(operations, reads)
      this.#operations.push(...operations)
    })
  }

  async #commitHere({ committer, locks }: NonNullable<TransactionHost['local']>): Promise<Receipt> {
    const { durability, guard, referee, signal } = this.#host
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (signal?.aborted) throw aborted(signal)
      const wanted = this.#wanted()
      await this.#acquire(locks, wanted)
      let covered = true
      if (!(await this.#draft.isFresh())) {
        await this.#redraft()
        for (const [path, mode] of this.#wanted())
          if (wanted.get(path) !== 'exclusive' && wanted.get(path) !== mode) covered = false
      }
      // What was examined is what is committed: examining takes its time, and others do not stand still meanwhile.
      if (covered && guard !== undefined) covered = await this.#examined(guard)
      if (!covered) {
        // Holding nothing, a request cannot deadlock; who locked paths beforehand keeps them.
        if (this.#locked.size === 0) locks.release(this.#owner)
        continue
      }
      // Nothing awaits between what the referee finds and the commit, unless it has to look something up: then all is looked at again.
      const finding = referee?.check(this.#request, this.#draft)
      if (finding !== undefined) {
        await finding
        if (this.#locked.size === 0) locks.release(this.#owner)
        continue
      }
      const { kind = 'write', of, meta, id } = this.#request
      if (kind === 'adopt' && this.size === 0) throw nothingLeft(id)
      const receipt = await committer.commit({ tx: id, kind, of, meta, draft: this.#draft, durability })
      referee?.committed(this.#request, this.#draft, receipt)
      return receipt
    }
    throw this.#restless()
  }

  #restless(): JournalError {
    return new JournalError('CONFLICT', `the workspace kept changing under transaction ${this.id}`, {
      hint: 'Try again, or lock the paths first.',
      tx: this.id,
    })
  }

  /** False when the workspace changed meanwhile. */
  async #examined(guard: Guard): Promise<boolean> {
    const { signal, site } = this.#host
    try {
      await guard(new Proposal(this.id, this.#draft, site(), signal))
    } catch (error) {
      // A verdict on what is not so any more is none.
      if (signal?.aborted || (await this.#draft.isFresh())) throw error
      return false
    }
    if (signal?.aborted) throw aborted(signal)
    return this.#draft.isFresh()
  }

  /** The workspace changed since the operations were worked out: they are, on what is there now. */
  async #redraft(): Promise<void> {
    this.#draft = await this.#workedOut(this.#operations, seenBy(this.#draft, this.#draft.reads))
  }

  #workedOut(operations: readonly Operation[], reads: readonly Seen[]): Promise<Draft> {
    return workedOut(new Draft(this.#host.site(), this.#stager), { tx: this.id, operations, reads })
  }

  #wanted(): Map<string, LockMode> {
    const wanted = new Map(this.#locked)
    for (const path of this.#draft.touched) addLock(wanted, path, 'exclusive')
    for (const path of this.#draft.base.keys()) addLock(wanted, path, 'shared')
    for (const path of this.#draft.folders) addLock(wanted, path, 'shared')
    return wanted
  }

  #acquire(locks: PathLocks, wanted: ReadonlyMap<string, LockMode>): Promise<void> {
    const { lockTimeoutMs, signal } = this.#host
    return locks.acquire(this.#owner, wanted, { timeoutMs: lockTimeoutMs, signal })
  }

  #revise(path: string, by: ReviserName, change: Change, options: TextOptions): Promise<Revision> {
    const { expect, encoding, merge } = checked('options', options, TEXTUAL)
    return this.#revision({ op: 'revise', path, by, change, expect, encoding, merge })
  }

  async #revision(operation: Operation): Promise<Revision> {
    const [revision] = await this.#next(() => checkedOperation(operation))
    return revision as Revision
  }

  #next(make: () => Operation | Promise<Operation>): Promise<readonly Revision[]> {
    return this.#inTurn(() => {
      const operation = make()
      return operation instanceof Promise ? operation.then((made) => this.#work(made)) : this.#work(operation)
    })
  }

  /** What need not wait does not: of a batch, most operations are worked out without a turn of their own. */
  #work(operation: Operation): readonly Revision[] | Promise<readonly Revision[]> {
    const applying = this.#draft.apply(operation)
    const applied = (revisions: readonly Revision[]): readonly Revision[] => {
      this.#operations.push(operation)
      return revisions
    }
    return applying instanceof Promise ? applying.then(applied) : applied(applying)
  }

  #inTurn<T>(action: () => T | Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      this.#checkOpen()
      try {
        const acting = action()
        return acting instanceof Promise ? acting.catch(notPrepared) : acting
      } catch (error) {
        return notPrepared(error)
      }
    })
    this.#turn = turn.catch(settled)
    return turn
  }

  #checkOpen(): void {
    this.#host.usable()
    const { signal } = this.#host
    if (signal?.aborted) throw aborted(signal)
    if (this.#state === 'open') return
    throw new JournalError('CLOSED', `transaction ${this.id} is ${this.#state} already`, {
      hint: 'Begin a new one.',
      tx: this.id,
    })
  }

  #end(state: 'committed' | 'aborted', receipt: Receipt | null): void {
    this.#state = state
    this.#host.local?.locks.release(this.#owner)
    if (state === 'aborted' && this.#locked.size > 0) this.#host.elsewhere?.forget(this.id)
    this.#stager.release()
    this.#host.ended(this, receipt)
  }
}

/** What was to be adopted was a commit on its way into the workspace, or is as it was again. */
function nothingLeft(tx: string): JournalError {
  return new JournalError('CONFLICT', 'there is nothing left to adopt', {
    hint: 'The workspace is as the journal has it.',
    tx,
    details: { nothing: true },
  })
}

function notPrepared(error: unknown): never {
  throw asJournalError(error, 'preparing the transaction')
}

/** Whoever made the call is told of its failure. */
function settled(): undefined {}

/** A lock on a path holds the folders above it in place too. */
function addLock(wanted: Map<string, LockMode>, path: string, mode: LockMode): void {
  if (mode === 'exclusive' || !wanted.has(path)) wanted.set(path, mode)
  for (const folder of ancestorsOf(path)) if (!wanted.has(folder)) wanted.set(folder, 'shared')
}

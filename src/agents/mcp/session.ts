import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { OpenOptions } from '../../options.ts'
import { AllowedFolders } from './allowed-folders.ts'
import { FileView } from './file-view.ts'
import { OpenTransaction, type WorkspaceCommit } from './open-transaction.ts'
import { type Workspace, Workspaces } from './workspaces.ts'

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** What a call does: `looks` at files as they are; `changes` some; `settles` what becomes of a transaction; or goes on `beside` all that. */
export type Role = 'looks' | 'changes' | 'settles' | 'beside'

/** One call of a tool. */
export interface Call {
  readonly signal: AbortSignal
  /** Who and why, for what it commits. */
  meta(message?: string): TransactionOptions
  /** Tells the client how far it is, if it asked to be told. @throws JournalError `ABORTED` once the client has cancelled the call */
  progress(done: number, message?: string): Promise<void>
}

export interface SessionOptions {
  /** Who writes; default: the name of the client. */
  readonly actor?: string
  readonly tags?: readonly string[]
  readonly parent?: string
  readonly journal?: OpenOptions
}

export interface Changed<T> {
  readonly value: T
  /** It is part of a transaction that is open. */
  readonly pending: boolean
  /** Of each directory that changed. */
  readonly commits: readonly WorkspaceCommit[]
}

/** Progress is told no more often than this. */
const PROGRESS_MS = 100

/** What one client may use, and the transaction that it has open. */
export class Session {
  readonly folders = new AllowedFolders()
  readonly workspaces: Workspaces
  /** Resolves when it is known which folders are allowed and what a crash left behind is finished: no call is carried out before. */
  ready: Promise<void> = Promise.resolve()
  /** Called after each commit in any of the journals. */
  committed: () => void = () => {}
  /** The name that the client gives itself, once it has. */
  client: () => string | undefined = () => undefined
  readonly #options: SessionOptions
  /** Resolves when every call so far that changes something is done. */
  #changing: Promise<void> = Promise.resolve()
  /** Calls that look at files, and are not done. */
  readonly #looking = new Set<Promise<void>>()
  #transaction: OpenTransaction | null = null
  /** Why a transaction that was open is not any more. */
  #lost: string | null = null

  constructor(options: SessionOptions) {
    this.#options = options
    this.workspaces = new Workspaces(options.journal ?? {}, (journal) => journal.on('commit', () => this.committed()))
  }

  get transaction(): OpenTransaction | null {
    return this.#transaction
  }

  /** Does what changes files belong to a transaction over several calls? @throws JournalError `CLOSED` when that is no more */
  get joins(): boolean {
    this.#checkLost()
    return this.#transaction !== null
  }

  /** The allowed folders have changed: journals of those that are gone are closed, and a transaction in them is aborted. */
  async settle(): Promise<readonly string[]> {
    const gone = this.workspaces.allow(await this.folders.roots())
    if (this.#transaction?.workspaces.some((workspace) => gone.includes(workspace)) === true) {
      await this.#transaction.abort()
      this.#transaction = null
      this.#lost = 'the transaction was aborted: a directory that it wrote to is not allowed any more'
    }
    await Promise.all(gone.map((workspace) => workspace.close()))
    return this.workspaces.recover()
  }

  async call(tool: string, extra: Extra): Promise<Call> {
    await this.ready
    const { signal, _meta } = extra
    let told = 0
    let progress = 0
    return {
      signal,
      meta: (message) => this.#meta(tool, message, _meta),
      progress: async (done, message) => {
        checkSignal(signal)
        const token = _meta?.progressToken
        const now = Date.now()
        if (token === undefined || done <= progress || now - told < PROGRESS_MS) return
        told = now
        progress = done
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken: token, progress: done, ...(message === undefined ? {} : { message }) },
        })
      },
    }
  }

  /**
   * Runs calls in the order in which they came, as far as that can be told from outside: each waits for those before it that change something, and what ends
   * a transaction also for those that look at it. So a client need not wait for the answer to `begin_transaction`.
   */
  inOrder<T>(role: Role, work: () => Promise<T>): Promise<T> {
    const before = role === 'settles' ? Promise.all([this.#changing, ...this.#looking]) : this.#changing
    const turn = before.then(work)
    const ended = turn.then(
      () => {},
      () => {},
    )
    if (role === 'looks') {
      this.#looking.add(ended)
      void ended.then(() => this.#looking.delete(ended))
    } else if (role !== 'beside') this.#changing = ended
    return turn
  }

  #meta(tool: string, message: string | undefined, meta: Readonly<Record<string, unknown>> = {}): TransactionOptions {
    const { actor = this.client() || 'mcp', tags = [], parent: general } = this.#options
    const given = meta['write-journal/parent']
    const parent = typeof given === 'string' ? given : general
    return {
      actor,
      tags: [...tags, `mcp:${tool}`],
      ...(message === undefined ? {} : { message }),
      ...(parent === undefined ? {} : { parent }),
    }
  }

  /** The files as the client sees them. */
  async view(): Promise<FileView> {
    const transaction = this.#transaction
    if (transaction === null) return new FileView()
    return new FileView(await transaction.changes(), async (path) => {
      const workspace = this.workspaces.of(path)
      return (await transaction.part(workspace)).read(workspace.path(path))
    })
  }

  /**
   * Runs `change` in the transaction that is open (and there are no receipts), or in one of its own, which it commits. When it throws, nothing has changed. What
   * fails half-way in an open transaction takes that with it: there is no way back into the middle of one.
   */
  async change<T>(
    call: Call,
    message: string | undefined,
    change: (transaction: OpenTransaction) => Promise<T>,
  ): Promise<Changed<T>> {
    checkSignal(call.signal)
    this.#checkLost()
    if (this.#transaction !== null)
      return { value: await this.#join(this.#transaction, change), pending: true, commits: [] }
    const own = new OpenTransaction(call.meta(message))
    try {
      const value = await change(own)
      checkSignal(call.signal)
      return { value, pending: false, commits: await own.commit() }
    } catch (error) {
      await own.abort()
      throw error
    }
  }

  async #join<T>(transaction: OpenTransaction, change: (transaction: OpenTransaction) => Promise<T>): Promise<T> {
    const before = await transaction.changes()
    try {
      return await change(transaction)
    } catch (error) {
      const after = await transaction.changes()
      if (after.size !== before.size || [...after].some(([path, state]) => before.get(path) !== state)) {
        await transaction.abort()
        this.#transaction = null
        this.#lost = 'the transaction was aborted: a call failed half-way'
        if (error instanceof JournalError) throw withHint(error, 'The transaction that was open is aborted.')
      }
      throw error
    }
  }

  /** Begins a transaction over several calls. @throws JournalError `INVALID` when one is open */
  async begin(meta: TransactionOptions): Promise<OpenTransaction> {
    if (this.#transaction !== null) {
      throw new JournalError('INVALID', 'a transaction is open already', { hint: 'Commit it, or abort it, first.' })
    }
    this.#lost = null
    const transaction = new OpenTransaction(meta)
    this.#transaction = transaction
    const [only] = this.workspaces.all
    try {
      // That the journal cannot be written is better known at once.
      if (only !== undefined && this.workspaces.all.length === 1) await transaction.part(only)
    } catch (error) {
      this.#transaction = null
      throw error
    }
    return transaction
  }

  /** A transaction to try things in, for the caller to abort. @throws JournalError `INVALID` while one is open, which it would not see */
  rehearsal(): OpenTransaction {
    if (this.#transaction === null) return new OpenTransaction({})
    throw new JournalError('INVALID', 'nothing can be tried while a transaction is open', {
      hint: 'Do it: abort_transaction forgets it again.',
    })
  }

  /** The transaction that is open, which is not any more from now on. @throws JournalError `NOT_FOUND` */
  takeTransaction(): OpenTransaction {
    const transaction = this.#transaction
    this.#transaction = null
    if (transaction !== null) return transaction
    const lost = this.#lost
    this.#lost = null
    throw new JournalError('NOT_FOUND', lost ?? 'no transaction is open', { hint: 'Begin one with begin_transaction.' })
  }

  /** Ends the transaction without a trace; one that was aborted already, too. @throws JournalError `NOT_FOUND` when there is none */
  async abort(): Promise<void> {
    const lost = this.#lost
    this.#lost = null
    if (lost === null) await this.takeTransaction().abort()
  }

  /** Whoever believes in a transaction that is no more must not change files one by one. @throws JournalError `CLOSED` */
  #checkLost(): void {
    if (this.#lost === null) return
    throw new JournalError('CLOSED', this.#lost, {
      hint: 'Nothing of it has happened. Call abort_transaction, or begin_transaction to start again.',
    })
  }

  /** @throws JournalError `INVALID` while a transaction is open: what goes back in history is a transaction of its own */
  async alone<T>(workspace: Workspace, work: (journal: Journal) => Promise<T>): Promise<T> {
    this.#checkLost()
    if (this.#transaction !== null) {
      throw new JournalError('INVALID', 'this is a transaction of its own, and another one is open', {
        hint: 'Commit that, or abort it, first.',
      })
    }
    return work(await workspace.open())
  }

  /** The client is gone: what it did not commit has not happened. */
  async end(): Promise<void> {
    await this.#changing
    await this.#transaction?.abort()
    this.#transaction = null
    await this.workspaces.close()
  }
}

function withHint(error: JournalError, more: string): JournalError {
  const { code, message, hint, path, tx, details } = error
  return new JournalError(code, message, { hint: `${hint} ${more}`, path, tx, details, cause: error })
}

/** @throws JournalError `ABORTED` */
export function checkSignal(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new JournalError('ABORTED', 'the client cancelled the call', { hint: 'Nothing was changed.' })
}

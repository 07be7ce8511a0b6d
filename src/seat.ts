import { asJournalError, JournalError } from './errors.ts'
import type { HistoryIndex } from './history/history-index.ts'
import type { OpenOptions } from './options.ts'
import { packed } from './processes/carried-contents.ts'
import { Channel } from './processes/channel.ts'
import { ClientFolder, removeDeadClients } from './processes/client-folder.ts'
import { type Foreign, ForeignTransactions } from './processes/foreign-transactions.ts'
import { type Committed, type Ending, type Request, type Upkeep, WriterLost } from './processes/message.ts'
import { Service } from './processes/service.ts'
import { NOTHING_RECOVERED, type RecoveryReport } from './recovery/report.ts'
import { isolate } from './store/isolation.ts'
import { settleLayout } from './store/layout.ts'
import type { Store } from './store/opening.ts'
import { type Writer as Signature, WriterLock } from './store/writer-lock.ts'
import type { Guard } from './transaction/guard.ts'
import { type Elsewhere, type PlainTransaction, unlockedError } from './transaction/plain-transaction.ts'
import { readerSite } from './transaction/reader-site.ts'
import type { Receipt } from './transaction/receipt.ts'
import { Stager, StagingLimits } from './transaction/stager.ts'
import type { Transaction } from './transaction/transaction.ts'
import type { TransactionHost } from './transaction/transaction-host.ts'
import { VERSION } from './version.ts'
import { Writer, type WriterEvents } from './writer.ts'

/** A writer that has said nothing for so long is taken for frozen, and another process takes its place. */
const SILENT_MS = 10_000
/** Between two looks for a writer. */
const SHORTEST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 100
/** How often a writer that does not write for others is asked: a command that asks who writes holds the lock for a moment. */
const ATTEMPTS = 4
export const LOCK_TIMEOUT_MS = 30_000

type Role =
  /** This process writes, and others through it. */
  | { readonly kind: 'writer'; readonly writer: Writer; readonly service: Service | null }
  /** Another process writes for this one. */
  | { readonly kind: 'client'; readonly channel: Channel; readonly signature: Signature }

export interface SeatSite {
  readonly store: Store
  readonly index: HistoryIndex
  readonly options: OpenOptions
  /** May other processes write through this one, and this one through others? */
  readonly shared: boolean
  readonly events: WriterEvents & {
    /** This process has become the writer because another one is gone. */
    readonly onTakeover: (report: RecoveryReport) => void
  }
}

/** What the seat asks of the journal that sits on it. */
export interface Sitter {
  readonly begin: (foreign: Foreign, guard: Guard) => Transaction
  readonly upkeep: (work: Upkeep, options: unknown) => Promise<unknown>
  /** Told that this process has become the writer: what others did is to be found in the log. */
  readonly takeover: () => void
}

/**
 * Where this process sits among those that have the journal open for writing: one of them is the writer, elected by the operating system's lock on
 * `LOCK`; the others have it write for them. When the writer is gone, another one becomes it, recovers, and everybody goes on.
 */
export class Seat {
  readonly #site: SeatSite
  readonly #limits = new StagingLimits()
  readonly #foreign: ForeignTransactions
  #sitter: Sitter | null = null
  #role: Role | null = null
  /** Who holds the locks of transactions: they go with it. */
  readonly #lockedBy = new Map<string, Role>()
  #seeking: Promise<Role> | null = null
  #folder: ClientFolder | null = null
  #closing = false
  #recovery: RecoveryReport = NOTHING_RECOVERED

  private constructor(site: SeatSite) {
    this.#site = site
    const { store, index } = site
    this.#foreign = new ForeignTransactions({
      disk: store.disk,
      index,
      clients: store.layout.clients,
      begin: (foreign, guard) => this.#sat.begin(foreign, guard),
      upkeep: (work, options) => this.#sat.upkeep(work, options),
      isOver: () => this.writer === null || this.writer.log.poison !== null || this.writer.isDeposed,
      onOver: () => this.#yield(),
    })
  }

  /** `lock`: who has it already becomes the writer. @throws JournalError as `openJournal` does */
  static async take(site: SeatSite, lock: WriterLock | null): Promise<Seat> {
    const seat = new Seat(site)
    if (lock === null) await seat.#settled()
    else seat.#role = await seat.#becomeWriter(lock)
    return seat
  }

  /** To be called before anything else: who carries out what other processes ask for. */
  seat(sitter: Sitter): void {
    this.#sitter = sitter
  }

  get #sat(): Sitter {
    if (this.#sitter === null) throw new WriterLost('closed')
    return this.#sitter
  }

  /** The writing half, when it is in this process. */
  get writer(): Writer | null {
    return this.#role?.kind === 'writer' ? this.#role.writer : null
  }

  /** Do other processes commit while this one has the journal open? */
  get isShared(): boolean {
    return this.#site.shared
  }

  /** What opening the journal, or becoming its writer, found and did. */
  get recovery(): RecoveryReport {
    return this.#recovery
  }

  /** What a new transaction works with. */
  parts(): Pick<TransactionHost, 'site' | 'stager' | 'local' | 'elsewhere'> {
    const { writer } = this
    if (writer !== null) {
      const { committer, locks } = writer
      const away = (): boolean => {
        if (this.writer === writer && writer.isDeposed) this.#lose(this.#role, 'closed')
        return this.writer !== writer
      }
      return {
        site: () => writer.draftSite(),
        stager: (tx) => writer.stager(tx),
        local: { committer, locks },
        ...(this.#site.shared ? { elsewhere: this.#elsewhere(away) } : {}),
      }
    }
    const { store } = this.#site
    const folder = this.#ownFolder()
    return {
      site: () => readerSite(store),
      stager: (tx) => new Stager(store.disk, `${folder.path}/${tx}`, this.#limits),
      local: null,
      elsewhere: this.#elsewhere(() => true),
    }
  }

  #ownFolder(): ClientFolder {
    this.#folder ??= new ClientFolder(this.#site.store.disk, this.#site.store.layout)
    return this.#folder
  }

  #elsewhere(away: () => boolean): Elsewhere {
    return {
      away,
      commit: (transaction, tried) => this.#commit(transaction, tried),
      lock: async (transaction, paths) => {
        const request = { ask: 'lock', transaction, paths } as const
        await this.#ask(
          (role) => {
            this.#lockedBy.set(transaction.id, role)
            return request
          },
          () => this.#foreign.answer(request, this.#name),
        )
      },
      forget: (transaction) => {
        this.#lockedBy.delete(transaction)
        if (this.#role?.kind === 'client') this.#role.channel.tell({ ask: 'forget', transaction })
        else void this.#foreign.answer({ ask: 'forget', transaction }, this.#name).catch(() => undefined)
      },
    }
  }

  get #name(): string {
    return this.#ownFolder().name
  }

  /** Resolves when somebody has committed it: whoever writes by then. */
  async #commit(transaction: PlainTransaction, mayBeThere: boolean): Promise<Receipt | 'stale'> {
    const sent = { ...transaction, operations: packed(transaction.operations) }
    const lockedBy = this.#lockedBy.get(transaction.id)
    this.#lockedBy.delete(transaction.id)
    let tried = mayBeThere
    let unlocked = false
    const requestOf = (role: Role): Request & { readonly ask: 'commit' } => {
      unlocked = lockedBy !== undefined && lockedBy !== role
      return { ask: 'commit', transaction: unlocked ? { ...sent, examined: 'not yet' } : sent, tried }
    }
    const answer = await this.#ask(
      requestOf,
      (role) => this.#foreign.commit(requestOf(role).transaction, tried, this.#name),
      () => {
        tried = true
      },
    )
    if (answer === 'stale' && unlocked) throw unlockedError(transaction.id)
    if (answer === 'stale') return answer
    const { receipt, conflicts } = answer as Committed
    for (const path of conflicts) this.#site.events.onConflict(receipt.tx, path)
    return receipt
  }

  /** What only the writer does: here, or in the process that writes. */
  upkeep(work: Upkeep, options: unknown, here: () => Promise<unknown>): Promise<unknown> {
    return this.#ask({ ask: 'upkeep', work, options }, here)
  }

  /** Asks whoever writes, again when it is lost before it answers. */
  async #ask(
    request: Request | ((role: Role) => Request),
    here: (role: Role) => Promise<unknown>,
    again: () => void = () => undefined,
  ): Promise<unknown> {
    for (;;) {
      const role = await this.#settled()
      try {
        if (role.kind === 'client')
          return await role.channel.request(typeof request === 'function' ? request(role) : request)
        return await here(role)
      } catch (error) {
        const deposed = role.kind === 'writer' && this.#site.shared && role.writer.isDeposed
        if (deposed) this.#lose(role, 'closed')
        else if (!(error instanceof WriterLost)) throw error
        again()
      }
    }
  }

  /** The role of this process, once it has one. */
  #settled(): Promise<Role> {
    if (this.#role !== null) return Promise.resolve(this.#role)
    this.#seeking ??= this.#seek(null)
    return this.#seeking
  }

  /** This process can write no more. After a failed sync its own callers must open the journal anew; others need not wait for that. */
  #yield(): void {
    const role = this.#role
    if (role?.kind !== 'writer') return
    if (role.writer.isDeposed) this.#lose(role, 'closed')
    else {
      role.service?.end()
      void role.writer.close().catch(() => undefined)
    }
  }

  /** The writer is gone, or is not this process any more. */
  #lose(role: Role | null, ending: Ending): void {
    if (role === null || this.#role !== role) return
    this.#role = null
    if (role.kind === 'writer') {
      role.service?.end()
      role.writer.abandon()
      this.#site.store.contents.forgetAll()
    }
    if (this.#closing) return
    this.#seeking = this.#seek(ending === 'silent' && role.kind === 'client' ? role.signature.term : null)
    // Whoever asks next is told.
    this.#seeking.catch(() => undefined)
  }

  async #seek(silent: number | null): Promise<Role> {
    try {
      this.#role = await this.#sought(silent)
      return this.#role
    } catch (error) {
      throw asJournalError(error, 'looking for the process that writes', this.#site.store.layout.directory)
    } finally {
      this.#seeking = null
    }
  }

  async #sought(silentTerm: number | null): Promise<Role> {
    const { store, shared, options } = this.#site
    const { disk, layout } = store
    const deadline = performance.now() + (options.lockTimeoutMs ?? LOCK_TIMEOUT_MS)
    let silent = silentTerm
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closing) throw new JournalError('CLOSED', 'the journal is closed', { hint: 'Open it again.' })
      let lock = WriterLock.attempt(disk, layout)
      if (lock === null && silent !== null) lock = WriterLock.depose(disk, layout, silent)
      if (lock !== null) return this.#takeOver(lock)
      const signature = WriterLock.signer(disk, layout.lock)
      const { address } = signature ?? { address: 'soon' }
      if (shared && typeof address === 'object' && address !== null) {
        const found = await this.#join(signature as Signature)
        if (typeof found === 'object') return found
        if (found === 'silent') silent = (signature as Signature).term
      }
      const alone = !shared || address === null || address === undefined || address === 'unreachable'
      if ((alone && attempt >= ATTEMPTS) || performance.now() > deadline)
        throw lockedError(signature, layout.lock, alone)
      const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** attempt)
      await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)))
    }
  }

  /** Has a writer write for this process. */
  async #join(signature: Signature): Promise<Role | Ending> {
    const { store, options } = this.#site
    const { layout } = store
    try {
      let role: Role | null = null
      const channel = await Channel.open(
        layout.directory,
        signature,
        this.#name,
        options.writerTimeoutMs ?? SILENT_MS,
        (ending) => this.#lose(role, ending),
      )
      role = { kind: 'client', channel, signature }
      return channel.isOpen ? role : 'closed'
    } catch (error) {
      if (error instanceof WriterLost) return error.ending
      if (error instanceof JournalError) throw error
      // Its socket is not there: it is about to end, or has ended.
      return 'closed'
    }
  }

  /** Who made the journal may have gone before the names in it were durable. */
  async #takeOver(lock: WriterLock): Promise<Role> {
    const { disk, layout } = this.#site.store
    try {
      await settleLayout(disk, layout)
    } catch (error) {
      lock.release()
      throw error
    }
    return this.#becomeWriter(lock)
  }

  async #becomeWriter(lock: WriterLock): Promise<Role> {
    const { store, index, options, shared, events } = this.#site
    const { disk, layout, segments } = store
    try {
      if (shared) {
        lock.announceSoon(VERSION)
        await isolate(disk, layout, segments)
        removeDeadClients(disk, layout)
      }
      const writer = await Writer.open(
        store,
        index,
        lock,
        { ...options, shared },
        {
          ...events,
          onConflict: (tx, path) => this.#foreign.conflict(tx, path) || events.onConflict(tx, path),
        },
      )
      let service: Service | null = null
      try {
        if (shared) service = await Service.begin(layout.directory, writer.term, this.#foreign, lock.left)
        const role: Role = { kind: 'writer', writer, service }
        this.#recovery = writer.recovery
        if (this.#sitter !== null) {
          this.#sitter.takeover()
          events.onTakeover(writer.recovery)
        }
        if (shared) writer.announce(service?.address ?? 'unreachable')
        return role
      } catch (error) {
        service?.end()
        await writer.close()
        throw error
      }
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Ends writing. Whoever had this process write for them finds another one. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#seeking?.catch(() => undefined)
    const role = this.#role
    this.#role = null
    try {
      if (role?.kind === 'client') role.channel.close()
      if (role?.kind === 'writer') {
        await role.service?.drain()
        await closed(role.writer).finally(() => role.service?.end())
      }
    } finally {
      this.#folder?.remove()
    }
  }
}

/** Ends a writer; one whose place another process took has nothing more to say. */
async function closed(writer: Writer): Promise<void> {
  try {
    await writer.close()
  } catch (error) {
    if (!writer.isDeposed) throw error
  }
}

function lockedError(signature: Signature | null, path: string, alone: boolean): JournalError {
  const who = signature === null ? 'another process' : `process ${signature.pid}`
  const { pid, host, since } = signature ?? {}
  return new JournalError(
    'LOCKED',
    alone ? `the journal is being written by ${who}` : `the journal is held by ${who}, which does not answer`,
    {
      hint: hintOf(signature, alone),
      path,
      details: signature === null ? {} : { holder: { pid, host, since } },
    },
  )
}

function hintOf(signature: Signature | null, alone: boolean): string {
  if (signature?.address === 'unreachable')
    return 'It found no place for a socket, neither in the folder for temporary files (TMPDIR) nor in the journal, so it cannot share the journal. Wait for it to finish.'
  return alone
    ? 'Wait for it to finish, or end it; reading commands work meanwhile.'
    : 'Look whether that process is stopped or hangs, and end it; reading commands work meanwhile.'
}

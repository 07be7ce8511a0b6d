import type { CommitKind, Of } from './entry/commit.ts'
import type { TransactionOptions } from './journal-types.ts'
import { checkedMeta } from './meta.ts'
import type { OpenOptions } from './options.ts'
import type { Foreign } from './processes/foreign-transactions.ts'
import type { Safeguards } from './safeguards.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { Seat } from './seat.ts'
import type { Team } from './team/team.ts'
import type { Guard } from './transaction/guard.ts'
import type { Receipt } from './transaction/receipt.ts'
import { Transaction } from './transaction/transaction.ts'
import { newTransactionId } from './transaction/transaction-id.ts'
import type { Writer } from './writer.ts'

const LOCK_TIMEOUT_MS = 30_000

/** What transactions need of their journal. */
export interface TransactionsHost {
  readonly options: OpenOptions
  readonly team: Team
  readonly guards: Safeguards['guards']
  /** @throws JournalError `CLOSED` */
  readonly usable: () => void
  readonly seat: () => Seat
  /** @throws JournalError `LOCKED` when another process writes */
  readonly writer: () => Writer
  /** Called with what this process itself has committed. */
  readonly committed: (receipt: Receipt) => void
  /** Called when anything has been committed here. */
  readonly ended: () => void
}

/** The transactions that have begun and not ended. */
export class OpenTransactions {
  readonly #host: TransactionsHost
  readonly #own = new Set<Transaction>()
  /** Of other processes. */
  readonly #served = new Set<Transaction>()

  constructor(host: TransactionsHost) {
    this.#host = host
  }

  get ids(): Set<string> {
    return new Set([...this.#own, ...this.#served].map(({ id }) => id))
  }

  isOwn(tx: string): boolean {
    return [...this.#own].some(({ id }) => id === tx)
  }

  async abortOwn(): Promise<void> {
    await Promise.all([...this.#own].map((transaction) => transaction.abort()))
  }

  begin(meta: TransactionOptions, kind: CommitKind, of?: Of, validation?: ValidationLevel): Transaction {
    const { options, team, guards, usable } = this.#host
    const seat = this.#host.seat()
    const { actor, durability = 'full', lockTimeoutMs = LOCK_TIMEOUT_MS, signal } = options
    const { lease } = meta
    const request = {
      id: newTransactionId(),
      meta: checkedMeta(actor === undefined ? meta : { actor, ...meta }),
      kind,
      of,
      lease: typeof lease === 'number' ? [lease] : lease,
    }
    const who = request.meta.actor
    const transaction = new Transaction(
      {
        ...seat.parts(),
        lockTimeoutMs,
        durability: team.durabilityOf(who) ?? durability,
        signal,
        guard: guards.of(kind, team.levelOf(who, kind, validation, guards.level)),
        referee: team,
        usable,
        ended: (ended, receipt) => this.#ended(ended, receipt, true),
      },
      request,
    )
    this.#own.add(transaction)
    return transaction
  }

  /** A transaction of another process, which this one carries out as the writer. */
  beginForeign(foreign: Foreign, guard: Guard): Transaction {
    const { team, guards } = this.#host
    const writer = this.#host.writer()
    const { committer, locks } = writer
    const { actor } = foreign.plain.meta
    // What its author examined may be less than what holds for all.
    const least = team.levelOf(actor, foreign.plain.kind ?? 'write', undefined, 'off')
    const ours = least === undefined ? undefined : guards.of('write', least)
    const transaction = new Transaction(
      {
        site: () => writer.draftSite(foreign.plain.umask),
        stager: (tx) => writer.stager(tx),
        local: { committer, locks },
        lockTimeoutMs: foreign.plain.lockTimeoutMs,
        get durability() {
          return team.durabilityOf(actor) ?? foreign.plain.durability ?? 'full'
        },
        guard: ours === undefined ? guard : (proposal) => guard(proposal).then(() => ours(proposal)),
        referee: team,
        // It is finished, though this process is about to close.
        usable: () => undefined,
        ended: (ended, receipt) => this.#ended(ended, receipt, false),
      },
      {
        id: foreign.plain.id,
        meta: foreign.plain.meta,
        get kind() {
          return foreign.plain.kind ?? 'write'
        },
        get of() {
          return foreign.plain.of
        },
        get lease() {
          return foreign.plain.lease
        },
      },
    )
    this.#served.add(transaction)
    return transaction
  }

  /** `own`: of this process; what others asked for is heard as what others do. */
  #ended(transaction: Transaction, receipt: Receipt | null, own: boolean): void {
    this.#own.delete(transaction)
    this.#served.delete(transaction)
    if (receipt === null) return
    if (own) this.#host.committed(receipt)
    this.#host.ended()
  }
}

import type { CommitKind, Meta, Of } from '../entry/commit.ts'
import type { Durability } from '../log/log-writer.ts'
import type { Committer } from './committer.ts'
import type { Guard } from './guard.ts'
import type { PathLocks } from './path-locks.ts'
import type { Elsewhere } from './plain-transaction.ts'
import type { Receipt } from './receipt.ts'
import type { Referee } from './referee.ts'
import type { Stager } from './stager.ts'
import type { Transaction } from './transaction.ts'
import type { DraftSite } from './view.ts'

/** What a transaction needs of the journal it belongs to. */
export interface TransactionHost {
  readonly site: () => DraftSite
  readonly stager: (tx: string) => Stager
  /** Null: another process writes. */
  readonly local: { readonly committer: Committer; readonly locks: PathLocks } | null
  /** Undefined: no other process can. */
  readonly elsewhere?: Elsewhere | undefined
  readonly lockTimeoutMs: number
  readonly durability: Durability
  readonly signal?: AbortSignal | undefined
  /** Has the last word before anything is kept. */
  readonly guard?: Guard | undefined
  /** Says who may write what. */
  readonly referee?: Referee | undefined
  readonly ended: (transaction: Transaction, receipt: Receipt | null) => void
  readonly usable: () => void
}

export interface TransactionRequest {
  readonly id: string
  readonly meta: Meta
  readonly kind?: CommitKind
  readonly of?: Of | undefined
  /** Tokens of the leases that it writes under. */
  readonly lease?: readonly number[] | undefined
}

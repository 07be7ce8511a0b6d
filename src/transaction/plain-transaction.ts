import type { CommitKind, Meta, Of } from '../entry/commit.ts'
import type { State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { Durability } from '../log/log-writer.ts'
import type { Operation } from './operation.ts'
import type { Receipt } from './receipt.ts'

/** What was at a path when somebody looked. */
export type Seen = readonly [path: string, state: State]

/** A transaction as a plain value: what was asked for, on which conditions. Any process that writes the journal can carry it out. */
export interface PlainTransaction {
  readonly id: string
  readonly kind: CommitKind
  /** The transaction that this one is about. */
  readonly of?: Of | undefined
  readonly meta: Meta
  /** Tokens of the leases that it writes under. */
  readonly lease?: readonly number[] | undefined
  readonly operations: readonly Operation[]
  /** What it read; `CONFLICT` when something else is there. */
  readonly reads: readonly Seen[]
  /**
   * What everything that was looked at was when the outcome was examined: when something else is there it must be examined anew. `not yet`: only whether it
   * is committed already is asked.
   */
  readonly examined: readonly Seen[] | 'needless' | 'not yet'
  readonly durability: Durability
  readonly lockTimeoutMs: number
  /** Of the process that asks. */
  readonly umask: number
}

/** Whoever commits for a process that is not the writer. */
export interface Elsewhere {
  /** Does this process not write (any more)? */
  readonly away: () => boolean
  /**
   * Resolves with `stale` when something else is there than what was examined. `tried`: it may have been committed by somebody already, who did not
   * live to say so.
   */
  readonly commit: (transaction: PlainTransaction, tried: boolean) => Promise<Receipt | 'stale'>
  readonly lock: (
    transaction: Pick<PlainTransaction, 'id' | 'meta' | 'lockTimeoutMs'>,
    paths: readonly string[],
  ) => Promise<void>
  /** The transaction has ended without a commit, and may have held locks. */
  readonly forget: (id: string) => void
}

/** Nobody may have come between a transaction and the paths that it locked. */
export function unlockedError(tx: string): JournalError {
  return new JournalError(
    'CONFLICT',
    `the process that held the locks of transaction ${tx} is gone, and they with it`,
    {
      hint: 'Nothing was changed. Run the transaction again.',
      tx,
    },
  )
}

import type { ChainedCommit, Meta } from './entry/commit.ts'
import type { State } from './entry/state.ts'
import type { JournalError } from './errors.ts'
import type { FileDiff } from './history/diff.ts'
import type { At } from './history/query.ts'
import type { ExternalChange } from './history/status.ts'
import type { UndoConflict } from './history/undo/plan.ts'
import type { ConflictChoice } from './history/undo/reversal.ts'
import type { RecoveryReport } from './recovery/report.ts'
import type { Dropped } from './retention/drop.ts'
import type { RetentionLimits } from './retention/policy.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { Receipt } from './transaction/receipt.ts'

/** Who and why, and what is asked of the contents. */
export interface TransactionOptions extends Meta {
  /** Instead of the level that the journal was opened with. */
  readonly validation?: ValidationLevel
  /** Tokens of the leases that it writes under: `LOCKED` when one does not stand any more. */
  readonly lease?: number | readonly number[]
}

export interface CheckOptions {
  /** Of `check`: what a commit would be asked, by default that of the journal. Of `validate`: default `basic`. */
  readonly validation?: ValidationLevel
}

/** Without `validation`, what is gone back to is not looked at: it was there before. What is merged is. */
export interface UndoOptions extends TransactionOptions {
  /** Set every path to what it was, whatever was done to it since. What is there is kept in the history. */
  readonly force?: boolean
  /**
   * Where others changed the same since. `refuse` (default): nothing happens, `CONFLICT` names all such paths. `keep`: these paths are left as they are, and count
   * as not taken back. `ours`: what is there now wins; `theirs`: what was there before the change wins. Both only decide about the places of a text that overlap; the rest is
   * merged. Where nothing can be merged, the winner's path stands as a whole.
   */
  readonly onConflict?: ConflictChoice
  /** Take a change out of a text that others changed elsewhere since. Default true; false: that is a conflict. */
  readonly merge?: boolean
  /** Only say what would be done. */
  readonly dryRun?: boolean
}

/** What an undo or a redo did. Keys with nothing to say are absent. */
export interface UndoReceipt extends Receipt {
  /** The transactions that were taken back, newest first, or made again, oldest first, when they are several. */
  readonly transactions?: readonly string[]
  /** Those that were meant too, and were undone already or without effect. */
  readonly passedOver?: readonly string[]
  /** Paths of texts that others changed elsewhere since: both are in them now. */
  readonly merged?: readonly string[]
  /** Paths where `ours` or `theirs` decided. */
  readonly decided?: readonly string[]
  /** Paths that were left as they are, and are not taken back. */
  readonly kept?: readonly string[]
}

/** What an undo or a redo would do: plain values. */
export interface UndoPreview {
  readonly kind: 'undo' | 'redo'
  /** `paths`: null: all that it changed. */
  readonly transactions: readonly {
    readonly tx: string
    readonly seq: number
    readonly paths: readonly string[] | null
  }[]
  readonly passedOver: readonly string[]
  readonly changes: readonly (FileDiff & { readonly merged: boolean; readonly decided: boolean })[]
  readonly kept: readonly string[]
  /** With any of these, nothing would happen. */
  readonly conflicts: readonly UndoConflict[]
}

export interface RestoreOptions extends TransactionOptions {
  /** Go on although somebody changed a path since. What is there is kept in the history. */
  readonly force?: boolean
  readonly to: At
  /** Files, or folders with all in them. Default: every path that the journal knows. */
  readonly paths?: readonly string[]
  /** Only say what would change. */
  readonly dryRun?: boolean
}

export interface RestoreResult {
  readonly changes: readonly { readonly path: string; readonly before: State; readonly after: State }[]
  /** Null when there was nothing to do, or with `dryRun`. */
  readonly receipt: Receipt | null
}

export interface PurgeOptions extends Meta {
  /** Only say what would be erased. */
  readonly dryRun?: boolean
}

/** Without any limit: those that the journal was opened with, if any. */
export interface CompactOptions extends RetentionLimits {
  /** Only say what would be dropped and removed; files in `staging/` and `broken/` are not counted. */
  readonly dryRun?: boolean
  /** Keep what repairs cut off for so many days. Default 30. */
  readonly brokenDays?: number
}

export interface Status {
  readonly journal: string
  readonly root: string
  readonly seq: number
  readonly chain: string
  /** Of the newest transaction, milliseconds since 1970; 0: there is none. */
  readonly time: number
  /** Who writes now; null: nobody. */
  readonly writer: { readonly pid: number | null; readonly host?: string; readonly since?: number } | null
  readonly needsRecovery: boolean
  /** Transactions that a crash left in flight. */
  readonly inFlight: readonly string[]
  /** Paths changed behind the journal's back. */
  readonly changed: readonly ExternalChange[]
  /** How many paths the journal has recorded as being there. */
  readonly tracked: number
}

/** Who it was: this process, or another, with all that the history says of it. */
export type EventOrigin = { readonly local: true } | { readonly local: false; readonly commit: ChainedCommit }

export interface JournalEvents {
  commit: [receipt: Receipt, origin: EventOrigin]
  /** Somebody's edit was found where a transaction wrote; it is kept in the history. */
  conflict: [found: { readonly tx: string; readonly path: string }, origin: EventOrigin]
  /** What other processes do cannot be heard any more. */
  error: [error: JournalError]
  recovered: [report: RecoveryReport]
  /** Old transactions were dropped in the background (`dropped`), or could not be (`error`). */
  retention: [outcome: { readonly dropped: Dropped | null; readonly error: JournalError | null }]
  /** Edits made behind the journal's back were found by `status`. */
  external: [changes: readonly ExternalChange[]]
}

import type { Meta } from './entry/commit.ts'
import type { State } from './entry/state.ts'
import type { JournalError } from './errors.ts'
import type { At } from './history/query.ts'
import type { ExternalChange } from './history/status.ts'
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

/** Without `validation`, what is gone back to is not looked at: it was there before. */
export interface UndoOptions extends TransactionOptions {
  /** Go on although somebody changed a path since. What is there is kept in the history. */
  readonly force?: boolean
}

export interface RestoreOptions extends UndoOptions {
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

export interface JournalEvents {
  commit: [receipt: Receipt]
  /** Somebody's edit was found where a transaction wrote; it is kept in the history. */
  conflict: [found: { readonly tx: string; readonly path: string }]
  recovered: [report: RecoveryReport]
  /** Old transactions were dropped in the background (`dropped`), or could not be (`error`). */
  retention: [outcome: { readonly dropped: Dropped | null; readonly error: JournalError | null }]
  /** Edits made behind the journal's back were found by `status`. */
  external: [changes: readonly ExternalChange[]]
}

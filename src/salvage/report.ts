import type { LostTransaction } from './naming.ts'

export type { LostTransaction }

/** A content that transactions name and that is nowhere any more. */
export interface LostVersion {
  readonly hash: string
  /** The first transaction to name it, and its path there; '' when none does. */
  readonly tx: string
  readonly path: string
}

/** What a salvage kept, and what it could not. */
export interface SalvageReport {
  /** Transactions that the history has. */
  readonly salvaged: number
  /** Transactions that it has no more. */
  readonly lost: readonly LostTransaction[]
  /** Contents that it names and that cannot be read any more. */
  readonly versions: readonly LostVersion[]
  /** Contents that were damaged, and that a file in the workspace still had. */
  readonly restored: readonly LostVersion[]
  /** Beginning of the names, in `.journal`, of the copies of what was damaged; null: nothing was damaged. */
  readonly kept: string | null
}

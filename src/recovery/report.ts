/** What opening a journal found and did. */
export interface RecoveryReport {
  /** Transactions that were in flight and are now wholly in the workspace. */
  readonly replayed: readonly string[]
  /** Transactions that were in flight and have been taken back. */
  readonly reverted: readonly string[]
  /** Transactions that had not been committed. */
  readonly discarded: readonly string[]
  /** Paths left alone because somebody had changed them; what was found there is in the history. */
  readonly conflicts: readonly { readonly tx: string; readonly path: string }[]
  /** Bytes of an unfinished write cut off the end of the log, kept in `broken/`. */
  readonly tornBytes: number
}

export const NOTHING_RECOVERED: RecoveryReport = Object.freeze({
  replayed: [],
  reverted: [],
  discarded: [],
  conflicts: [],
  tornBytes: 0,
})

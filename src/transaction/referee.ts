import type { Draft } from './draft.ts'
import type { Receipt } from './receipt.ts'
import type { TransactionRequest } from './transaction-host.ts'

/** Says who may write what, in the process that commits, when all locks of a transaction are held. */
export interface Referee {
  /**
   * Asked before anything of a transaction is kept. A promise only where something must be looked up, or written down: when it resolves, the referee is asked
   * once more.
   * @throws JournalError; then nothing is changed
   */
  check(request: TransactionRequest, draft: Draft): void | Promise<void>
  /** Told of what was committed, before its locks are free. */
  committed(request: TransactionRequest, draft: Draft, receipt: Receipt): void
}

/** `write-journal/apply-patch`: the apply_patch format, as a text and as operations. A patch is one transaction: nothing of it is left when a part does not fit. */
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { type PatchOperation, patchOf } from './operation.ts'
import { failureOf, successOf } from './patch-output.ts'

export type { PatchOperation } from './operation.ts'

export interface PatchOutcome {
  readonly status: 'completed' | 'failed'
  /** What the format says: for the model to read. */
  readonly output: string
  /** Of the transaction, when there is one. */
  readonly tx?: string
}

/** Faults that no other patch can mend are thrown. */
const FATAL: ReadonlySet<string> = new Set(['CLOSED', 'POISONED', 'CORRUPT', 'NO_SPACE', 'IO'])

/** Applies patches to a workspace. */
export class ApplyPatch {
  readonly #journal: Journal
  readonly #meta: TransactionOptions

  constructor(journal: Journal, meta: TransactionOptions = {}) {
    this.#journal = journal
    this.#meta = meta
  }

  /**
   * Applies a whole patch, `*** Begin Patch` to `*** End Patch`.
   * @throws JournalError `CLOSED`, `POISONED`, `CORRUPT`, `NO_SPACE`, `IO`
   */
  async apply(patch: string, meta: TransactionOptions = {}): Promise<PatchOutcome> {
    if (typeof patch !== 'string') return { status: 'failed', output: 'A patch is a text.' }
    try {
      const { tx } = await this.#journal.applyPatch(patch, { ...this.#meta, ...meta, format: 'apply_patch' })
      return { status: 'completed', output: successOf(patch), tx }
    } catch (error) {
      if (!(error instanceof JournalError) || FATAL.has(error.code)) throw error
      return { status: 'failed', output: failureOf(error, patch) }
    }
  }

  /** One operation. @throws JournalError as `apply` does */
  async operation(operation: PatchOperation, meta: TransactionOptions = {}): Promise<PatchOutcome> {
    return this.operations([operation], meta)
  }

  /** Several operations as one transaction. @throws JournalError as `apply` does */
  async operations(operations: readonly PatchOperation[], meta: TransactionOptions = {}): Promise<PatchOutcome> {
    let patch: string
    try {
      patch = patchOf(operations)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      return { status: 'failed', output: error.message }
    }
    return this.apply(patch, meta)
  }

  /** The same by the names that editors of agent kits have. */
  readonly createFile = (operation: PatchOperation): Promise<PatchOutcome> => this.operation(operation)
  readonly updateFile = (operation: PatchOperation): Promise<PatchOutcome> => this.operation(operation)
  readonly deleteFile = (operation: PatchOperation): Promise<PatchOutcome> => this.operation(operation)
}

/** `meta`: who and why, of every transaction. */
export function createApplyPatch(journal: Journal, meta: TransactionOptions = {}): ApplyPatch {
  return new ApplyPatch(journal, meta)
}

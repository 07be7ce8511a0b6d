import { sep } from 'node:path'
import type { TransactionOptions } from '../../journal-types.ts'
import { canonical } from './found.ts'
import type { JournalThread } from './journal-thread.ts'
import type { Mutation, Mutator } from './mutation.ts'

/** Has mutations carried out by the thread that has the journal open. */
export class ThreadMutator implements Mutator {
  readonly #thread: JournalThread
  readonly #meta: TransactionOptions
  readonly #idleMs: number | null

  constructor(thread: JournalThread, meta: TransactionOptions, idleMs: number | null) {
    this.#thread = thread
    this.#meta = meta
    this.#idleMs = idleMs
  }

  covers(path: string): boolean {
    const { root } = this.#thread
    const named = canonical(path)
    return named === root || named.startsWith(root.endsWith(sep) ? root : root + sep)
  }

  perform(mutation: Mutation): Promise<unknown> {
    return this.#thread.perform(mutation, this.#meta, this.#idleMs)
  }

  performSync(mutation: Mutation): unknown {
    return this.#thread.performSync(mutation, this.#meta, this.#idleMs)
  }
}

import { sep } from 'node:path'
import type { TransactionOptions } from '../../journal-types.ts'
import { canonical } from './found.ts'
import { JournalThread } from './journal-thread.ts'
import type { Mutation, Mutator } from './mutation.ts'
import type { ThreadOptions } from './thread-messages.ts'

/** Has mutations carried out by the thread that has the journal open. */
export class ThreadMutator implements Mutator {
  readonly #root: string
  readonly #options: ThreadOptions | null
  readonly #meta: TransactionOptions
  readonly #idleMs: number | null

  /** `options`: null where it does not matter with which the journal is opened. */
  constructor(root: string, options: ThreadOptions | null, meta: TransactionOptions, idleMs: number | null) {
    this.#root = root
    this.#options = options
    this.#meta = meta
    this.#idleMs = idleMs
  }

  covers(path: string): boolean {
    const root = this.#root
    const named = canonical(path)
    return named === root || named.startsWith(root.endsWith(sep) ? root : root + sep)
  }

  async perform(mutation: Mutation): Promise<unknown> {
    return JournalThread.of(this.#root, this.#options).perform(mutation, this.#meta, this.#idleMs)
  }

  performSync(mutation: Mutation): unknown {
    return JournalThread.of(this.#root, this.#options).performSync(mutation, this.#meta, this.#idleMs)
  }
}

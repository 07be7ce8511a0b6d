import type { TransactionOptions } from '../../journal-types.ts'
import type { OpenOptions } from '../../options.ts'
import type { Mutation } from './mutation.ts'
import type { Fault } from './node-error.ts'

/** What can be handed to a thread of the options with which a journal is opened. */
export type ThreadOptions = Pick<
  OpenOptions,
  'actor' | 'durability' | 'recover' | 'lockTimeoutMs' | 'create' | 'legacy' | 'retention' | 'limits' | 'segmentSize'
> & { readonly validation?: 'off' | 'basic' | 'strict' }

/** `open` and `close` of the journal itself; a mutation opens it too. */
export type Task = Mutation | { readonly op: 'open' } | { readonly op: 'close' }

export interface Request {
  readonly id: number
  readonly task: Task
  readonly meta: TransactionOptions
  /** Close the journal after so long without a request, so that other processes can write. Null: keep it open. */
  readonly idleMs: number | null
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly fault?: Fault
}

export interface ThreadData {
  readonly root: string
  readonly options: ThreadOptions
  readonly port: import('node:worker_threads').MessagePort
  /** Counts answers, for those who wait for one. */
  readonly signal: Int32Array
}

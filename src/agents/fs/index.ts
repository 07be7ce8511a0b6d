/** `write-journal/fs`: what `node:fs` has, journaled, for any library that takes an `fs`. */
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { facadeOf, type NodeFs } from './facade.ts'
import { JournalMutator } from './journal-mutator.ts'
import { type OutsidePolicy, outsideOf } from './outside.ts'

export type { NodeFs } from './facade.ts'
export type { OpenFsOptions } from './opened-fs.ts'
export { OpenedFs, openFs, openFsSync } from './opened-fs.ts'
export type { OutsidePolicy } from './outside.ts'

export interface FsOptions {
  /** Who and why, of every transaction. */
  readonly meta?: TransactionOptions
  /** Writing to paths outside of the workspace: refuse it with `EACCES` (default), or let Node do it, unjournaled. Reading is never refused. */
  readonly outside?: OutsidePolicy
}

/**
 * A file system over an open journal. Every call that changes something is a transaction. Of the functions that end in `Sync`, those that read work; those
 * that write throw `ENOSYS`: see `openFs`.
 */
export function createFs(journal: Journal, options: FsOptions = {}): NodeFs {
  const { meta = {}, outside = 'refuse' } = options
  return facadeOf(outsideOf(new JournalMutator(journal, meta), outside))
}

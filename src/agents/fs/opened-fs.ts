import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { facadeOf, type NodeFs } from './facade.ts'
import { JournalThread } from './journal-thread.ts'
import { FsRefusal } from './node-error.ts'
import { type OutsidePolicy, outsideOf } from './outside.ts'
import type { ThreadOptions } from './thread-messages.ts'
import { ThreadMutator } from './thread-mutator.ts'

export interface OpenFsOptions extends ThreadOptions {
  /** Who and why, of every transaction. */
  readonly meta?: TransactionOptions
  /** See `FsOptions`. */
  readonly outside?: OutsidePolicy
}

/** A file system whose journal is open in a thread of its own, so that the functions that end in `Sync` write too. */
export class OpenedFs implements AsyncDisposable {
  readonly fs: NodeFs
  readonly root: string

  /** @internal Use `openFs`. */
  constructor(root: string, options: ThreadOptions, { meta = {}, outside = 'refuse' }: OpenFsOptions) {
    this.root = root
    this.fs = facadeOf(outsideOf(new ThreadMutator(root, options, meta, null), outside))
  }

  /** Closes the journal. Whoever writes again opens it again. Closing twice is no error. */
  async close(): Promise<void> {
    await JournalThread.known(this.root)?.close().catch(asJournalError)
  }

  /** The same, done when it returns. */
  closeSync(): void {
    try {
      JournalThread.known(this.root)?.closeSync()
    } catch (error) {
      asJournalError(error)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Opens the journal of a folder in a thread, for whoever needs functions that write before they return.
 * @throws JournalError as `openJournal` does; `LOCKED` when this process has the journal open itself
 */
export async function openFs(root: string, given: OpenFsOptions = {}): Promise<OpenedFs> {
  const { folder, options } = asked(root, given)
  await JournalThread.of(folder, options).perform({ op: 'open' }, {}, null).catch(asJournalError)
  return new OpenedFs(folder, options, given)
}

/** The same, done when it returns. */
export function openFsSync(root: string, given: OpenFsOptions = {}): OpenedFs {
  const { folder, options } = asked(root, given)
  try {
    JournalThread.of(folder, options).performSync({ op: 'open' }, {}, null)
  } catch (error) {
    asJournalError(error)
  }
  return new OpenedFs(folder, options, given)
}

function asked(root: string, { meta: _meta, outside: _outside, ...options }: OpenFsOptions) {
  try {
    return { folder: realpathSync.native(resolve(root)), options: options satisfies ThreadOptions }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const hint = 'Make it first.'
    throw new JournalError('NOT_FOUND', `there is no folder ${root}`, { hint, path: root, cause: error })
  }
}

function asJournalError(error: unknown): never {
  if (error instanceof JournalError) throw error
  const { journal, code } = error instanceof FsRefusal ? error.fault : { journal: undefined, code: 'IO' }
  if (journal !== undefined) throw new JournalError(journal.code as 'IO', journal.message, { hint: journal.hint })
  throw new JournalError('IO', `opening or closing the journal failed: ${code}`, {
    hint: 'Look at the cause.',
    cause: error,
  })
}

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
  readonly #thread: JournalThread

  /** @internal Use `openFs`. */
  constructor(thread: JournalThread, { meta = {}, outside = 'refuse' }: OpenFsOptions) {
    this.root = thread.root
    this.#thread = thread
    this.fs = facadeOf(outsideOf(new ThreadMutator(thread, meta, null), outside))
  }

  /** Closes the journal. Whoever writes again opens it again. */
  async close(): Promise<void> {
    await this.#thread.perform({ op: 'close' }, {}, null).catch(asJournalError)
  }

  /** The same, done when it returns. */
  closeSync(): void {
    try {
      this.#thread.performSync({ op: 'close' }, {}, null)
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
export async function openFs(root: string, options: OpenFsOptions = {}): Promise<OpenedFs> {
  const thread = threadOf(root, options)
  await thread.perform({ op: 'open' }, {}, null).catch(asJournalError)
  return new OpenedFs(thread, options)
}

/** The same, done when it returns. */
export function openFsSync(root: string, options: OpenFsOptions = {}): OpenedFs {
  const thread = threadOf(root, options)
  try {
    thread.performSync({ op: 'open' }, {}, null)
  } catch (error) {
    asJournalError(error)
  }
  return new OpenedFs(thread, options)
}

function threadOf(root: string, { meta: _meta, outside: _outside, ...options }: OpenFsOptions): JournalThread {
  try {
    return JournalThread.of(realpathSync.native(resolve(root)), options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new JournalError('NOT_FOUND', `there is no folder ${root}`, {
      hint: 'Make it first.',
      path: root,
      cause: error,
    })
  }
}

function asJournalError(error: unknown): never {
  const { journal, code } = error instanceof FsRefusal ? error.fault : { journal: undefined, code: 'IO' }
  if (journal !== undefined) throw new JournalError(journal.code as 'IO', journal.message, { hint: journal.hint })
  throw new JournalError('IO', `opening or closing the journal failed: ${code}`, {
    hint: 'Look at the cause.',
    cause: error,
  })
}

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TransactionOptions } from '../../journal-types.ts'
import { canonical } from './found.ts'
import type { Mutation, Mutator } from './mutation.ts'
import { FsRefusal } from './node-error.ts'
import { ThreadMutator } from './thread-mutator.ts'

/** Setting it to anything but `0` or nothing: what knows nothing of journals writes without them, as if there were none. */
const OFF_VARIABLE = 'WRITE_JOURNAL_OFF'
/** So long after the last write the journal is closed, and other processes can write. */
const IDLE_MS = 250

/** The nearest folder above a path that has a journal; null when there is none. */
function workspaceOf(path: string): string | null {
  if (!['', '0'].includes(process.env[OFF_VARIABLE] ?? '')) return null
  for (let folder = canonical(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.journal', 'FORMAT'))) return folder
    if (dirname(folder) === folder) return null
  }
}

export interface AmbientOptions {
  /** Who and why, of every transaction. */
  readonly meta?: TransactionOptions
  /** Write as if there were no journals, as the variable `WRITE_JOURNAL_OFF` does for all. */
  readonly off?: boolean
}

/** For callers that know nothing of journals: each mutation goes to the journal of the workspace that its path is in. */
export class AmbientMutator implements Mutator {
  readonly #meta: TransactionOptions
  readonly #off: boolean

  constructor({ meta = {}, off = false }: AmbientOptions) {
    this.#meta = meta
    this.#off = off
  }

  covers(path: string): boolean {
    return this.#rootOf(path) !== null
  }

  async perform(mutation: Mutation): Promise<unknown> {
    return this.#chosen(mutation).perform(mutation)
  }

  performSync(mutation: Mutation): unknown {
    return this.#chosen(mutation).performSync(mutation)
  }

  #chosen(mutation: Mutation): ThreadMutator {
    const path = mutation.op === 'copyFile' ? mutation.to : mutation.path
    const root = this.#rootOf(path)
    if (root === null) throw new FsRefusal('EACCES', mutation.op)
    if (mutation.op === 'rename' && this.#rootOf(mutation.to) !== root) throw new FsRefusal('EXDEV', 'rename')
    return new ThreadMutator(root, null, this.#meta, IDLE_MS)
  }

  #rootOf(path: string): string | null {
    return this.#off ? null : workspaceOf(path)
  }
}

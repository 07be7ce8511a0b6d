import type { State } from '../../entry/state.ts'
import { JournalError } from '../../errors.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import type { Workspace } from './workspaces.ts'

export interface WorkspaceCommit {
  readonly workspace: Workspace
  readonly receipt: Receipt
}

/** A transaction that a client keeps open over several calls: a part for each workspace that it comes to. */
export class OpenTransaction {
  readonly meta: TransactionOptions
  readonly #parts = new Map<Workspace, Promise<Transaction>>()

  constructor(meta: TransactionOptions) {
    this.meta = meta
  }

  get workspaces(): readonly Workspace[] {
    return [...this.#parts.keys()]
  }

  /** Its part in a workspace, begun when it is not yet. */
  async part(workspace: Workspace): Promise<Transaction> {
    const known = this.#parts.get(workspace)
    if (known !== undefined) return known
    const beginning = workspace.open().then((journal) => journal.begin(this.meta))
    this.#parts.set(workspace, beginning)
    try {
      return await beginning
    } catch (error) {
      this.#parts.delete(workspace)
      throw error
    }
  }

  /** What stands in the end at the paths that it changes, by absolute path; null: nothing. */
  async changes(): Promise<ReadonlyMap<string, State>> {
    const changes = new Map<string, State>()
    for (const [workspace, part] of this.#parts) {
      for (const [path, state] of await (await part).changes()) changes.set(workspace.absolute(path), state)
    }
    return changes
  }

  /**
   * Commits part by part. Each is atomic by itself; when one fails, those before it are taken back.
   * @throws JournalError of the part that failed; `details.committed` names what could not be taken back
   */
  async commit(): Promise<readonly WorkspaceCommit[]> {
    const parts = await Promise.all([...this.#parts].map(async ([workspace, part]) => [workspace, await part] as const))
    const committed: WorkspaceCommit[] = []
    try {
      for (const [workspace, part] of parts) {
        if ((await part.changes()).size === 0) await part.abort()
        else committed.push({ workspace, receipt: await part.commit() })
      }
    } catch (error) {
      await this.abort()
      const left = await takeBack(committed, this.meta)
      if (left.length === 0 || !(error instanceof JournalError)) throw error
      const { code, message, hint, path, tx, details } = error
      throw new JournalError(code, message, {
        hint: `${hint} Not taken back in other directories: ${left.join(', ')}.`,
        path,
        tx,
        cause: error,
        details: { ...details, committed: left },
      })
    }
    return committed
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#parts.values()].map((part) => part.then((begun) => begun.abort()).catch(() => {})))
  }
}

/** Returns the transactions that stay. */
async function takeBack(committed: readonly WorkspaceCommit[], { actor }: TransactionOptions): Promise<string[]> {
  const left: string[] = []
  for (const { workspace, receipt } of [...committed].reverse()) {
    try {
      const journal = await workspace.open()
      await journal.undo(receipt.tx, {
        message: 'another directory refused its part',
        ...(actor === undefined ? {} : { actor }),
      })
    } catch {
      left.push(receipt.tx)
    }
  }
  return left
}

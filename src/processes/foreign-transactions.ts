import type { Disk } from '../disk/disk.ts'
import { sameState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import type { Guard } from '../transaction/guard.ts'
import type { PlainTransaction, Seen } from '../transaction/plain-transaction.ts'
import { type Receipt, receiptFiles } from '../transaction/receipt.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { isTransactionId } from '../transaction/transaction-id.ts'
import { unpacked } from './carried-contents.ts'
import { type Committed, type Request, type Upkeep, WriterLost } from './message.ts'
import type { Servant } from './service.ts'

/** A transaction of another process, as far as it is known here. Until its commit comes only its locks are. */
export interface Foreign {
  readonly client: string
  plain: Pick<PlainTransaction, 'id' | 'meta' | 'lockTimeoutMs'> & Partial<PlainTransaction>
}

export interface ForeignHost {
  readonly disk: Disk
  readonly index: HistoryIndex
  /** Folder of all processes' folders. */
  readonly clients: string
  /** A transaction that is worked out and committed here; what is said in `foreign` counts when it commits. `guard` has its say besides. */
  readonly begin: (foreign: Foreign, guard: Guard) => Transaction
  readonly upkeep: (work: Upkeep, options: unknown) => Promise<unknown>
  /** Can this process not write any more: has another one taken its place, or is the log poisoned? Then nothing can be said about what happened here. */
  readonly isOver: () => boolean
  /** Told when that is so. */
  readonly onOver: () => void
}

/** Not an error: what a process examined is not there any more. */
class Stale extends Error {}

/** Carries out, in the writer, what other processes ask for. A transaction is done once, however often its author asks. */
export class ForeignTransactions implements Servant {
  readonly #host: ForeignHost
  readonly #running = new Map<string, Promise<Committed | 'stale'>>()
  readonly #conflicts = new Map<string, string[]>()
  /** Those that hold locks. */
  readonly #begun = new Map<string, { readonly transaction: Transaction; readonly foreign: Foreign }>()

  constructor(host: ForeignHost) {
    this.#host = host
  }

  async answer(request: Request, client: string): Promise<unknown> {
    try {
      return await this.#answer(request, client)
    } catch (error) {
      if (!this.#host.isOver()) throw error
      this.#host.onOver()
      throw new WriterLost('closed')
    }
  }

  #answer(request: Request, client: string): Promise<unknown> {
    switch (request.ask) {
      case 'commit':
        return this.commit(request.transaction, request.tried, client)
      case 'lock':
        return this.#lock(request.transaction, request.paths, client)
      case 'forget':
        return this.#forget(request.transaction, client)
      case 'upkeep':
        return this.#host.upkeep(request.work, request.options)
      case 'ping':
        return Promise.resolve(null)
    }
  }

  gone(client: string): void {
    this.#drop((foreign) => foreign.client === client)
  }

  ending(): void {
    this.#drop(() => true)
  }

  #drop(which: (foreign: Foreign) => boolean): void {
    for (const { foreign, transaction } of [...this.#begun.values()]) {
      if (!which(foreign)) continue
      this.#begun.delete(foreign.plain.id)
      void transaction.abort()
    }
  }

  /** Once: who asks again for what is being done waits for that. */
  commit(plain: PlainTransaction, tried: boolean, client: string): Promise<Committed | 'stale'> {
    const running = this.#running.get(plain.id)
    if (running !== undefined) return running
    const committing = this.#commit(plain, tried, client).finally(() => this.#running.delete(plain.id))
    this.#running.set(plain.id, committing)
    return committing
  }

  async #commit(plain: PlainTransaction, tried: boolean, client: string): Promise<Committed | 'stale'> {
    if (!isTransactionId(plain.id))
      throw new JournalError('INVALID', 'a transaction needs an id', { hint: 'Use the library.' })
    const known = tried ? await outcomeOf(this.#host.index, plain.id) : null
    if (known !== null) return { receipt: known, conflicts: [] }
    if (plain.examined === 'not yet') return 'stale'
    const begun = this.#begun.get(plain.id)
    this.#begun.delete(plain.id)
    const foreign = begun?.foreign ?? { client, plain }
    foreign.plain = plain
    const transaction =
      begun?.transaction ?? this.#host.begin(foreign, (proposal) => sameAsExamined(foreign, proposal.draft.base))
    try {
      const { disk, clients } = this.#host
      const operations = await unpacked(disk, `${clients}/${client}`, plain.operations)
      await transaction.takeOver({ operations, reads: plain.reads })
      const receipt = await transaction.commit()
      return { receipt, conflicts: this.#conflicts.get(plain.id) ?? [] }
    } catch (error) {
      await transaction.abort()
      if (error instanceof Error && error.cause instanceof Stale) return 'stale'
      throw error
    } finally {
      this.#conflicts.delete(plain.id)
    }
  }

  /** Somebody's edit was found where a transaction wrote. False when it is none of these. */
  conflict(tx: string, path: string): boolean {
    if (!this.#running.has(tx)) return false
    this.#conflicts.set(tx, [...(this.#conflicts.get(tx) ?? []), path])
    return true
  }

  async #lock(plain: Foreign['plain'], paths: readonly string[], client: string): Promise<null> {
    let begun = this.#begun.get(plain.id)
    if (begun === undefined) {
      const foreign: Foreign = { client, plain }
      const transaction = this.#host.begin(foreign, (proposal) => sameAsExamined(foreign, proposal.draft.base))
      begun = { transaction, foreign }
      this.#begun.set(plain.id, begun)
    }
    await begun.transaction.lock(paths)
    return null
  }

  async #forget(id: string, client: string): Promise<null> {
    const begun = this.#begun.get(id)
    if (begun?.foreign.client !== client) return null
    this.#begun.delete(id)
    await begun.transaction.abort()
    return null
  }
}

/** What a process examined must be what is committed. @throws Stale */
async function sameAsExamined(
  { plain }: Foreign,
  base: ReadonlyMap<string, { readonly state: Seen[1] }>,
): Promise<void> {
  if (!Array.isArray(plain.examined)) return
  for (const [path, state] of plain.examined as readonly Seen[]) {
    const found = base.get(path)
    if (found !== undefined && !sameState(found.state, state)) throw new Stale()
  }
}

/** What became of a transaction that somebody may have committed before; null: it is not in the history. */
async function outcomeOf(index: HistoryIndex, id: string): Promise<Receipt | null> {
  await index.head()
  const [found] = await index.byId(id, 1)
  if (found?.tx !== id) return null
  const reverted = (await index.about(id)).find(({ kind }) => kind === 'revert')
  if (reverted !== undefined) {
    const { message } = await index.commit(reverted.seq)
    throw new JournalError('ABORTED', `transaction ${id} was taken back: ${message ?? 'by a recovery'}`, {
      hint: 'Nothing of it is in the workspace. Run it again.',
      tx: id,
    })
  }
  const { tx, seq, chain, entries } = await index.commit(found.seq)
  return { tx, seq, chain, files: receiptFiles(entries) }
}

/** Which changes stand, and which are taken back. */
import type { CommitKind } from '../../entry/commit.ts'
import type { HistoryIndex } from '../history-index.ts'

/** A transaction that takes another one back, or makes it again, as seen from that other one. */
export interface Act {
  readonly seq: number
  readonly tx: string
  readonly kind: CommitKind
  /** The paths of the other one that it is about; null: all. */
  readonly paths: ReadonlySet<string> | null
  /** False: it was taken back itself, and made again. */
  readonly original: boolean
}

/**
 * Looks up what became of the changes of transactions, path by path. What is about a transaction counts from when it was made, or was last made again
 * itself; what was taken back itself counts for nothing. The newest that counts decides: an undo or a revert takes the change back, a redo makes it stand.
 */
export class Standing {
  readonly #index: HistoryIndex
  readonly #acts = new Map<string, Promise<readonly Act[]>>()
  readonly #abouts = new Map<number, Promise<ReadonlyMap<string, ReadonlySet<string> | null>>>()
  /** Taken for undone, though they are not yet: by transaction, the paths, or null for all. */
  readonly #taken = new Map<string, ReadonlySet<string> | null>()

  constructor(index: HistoryIndex) {
    this.#index = index
  }

  /** From now on these changes of a transaction count as taken back. Whoever plans goes from the newest to the oldest. */
  take(tx: string, paths: ReadonlySet<string> | null): void {
    this.#taken.set(tx, paths)
  }

  /** Has nobody ever taken anything of it back? Then all of it stands. */
  async isUntouched(tx: string): Promise<boolean> {
    return (await this.#about(tx)).length === 0
  }

  /** What took the change of a transaction at a path back, so that it does not stand now; null: it stands. */
  async undoneBy(tx: string, path: string): Promise<Act | null> {
    return (await this.#newest(tx, path, 0)).undoneBy
  }

  /** When its change counts from: its own number, or that of the redo that made it stand again. */
  async #newest(
    tx: string,
    path: string,
    seq: number,
  ): Promise<{ readonly since: number; readonly undoneBy: Act | null }> {
    let since = -1
    let decides: Act | null = null
    for (const act of await this.#about(tx)) {
      if ((act.paths !== null && !act.paths.has(path)) || this.#isTaken(act.tx, path)) continue
      const own = await this.#newest(act.tx, path, act.seq)
      // Made again by one and the same redo, the older was made again first.
      if (own.undoneBy !== null || own.since < since || (own.since === since && (decides?.seq ?? 0) < act.seq)) continue
      since = own.since
      decides = { ...act, original: own.since === act.seq }
    }
    if (decides === null) return { since: seq, undoneBy: null }
    return decides.kind === 'redo' ? { since, undoneBy: null } : { since, undoneBy: decides }
  }

  #isTaken(tx: string, path: string): boolean {
    const paths = this.#taken.get(tx)
    return paths === null || paths?.has(path) === true
  }

  #about(tx: string): Promise<readonly Act[]> {
    let acts = this.#acts.get(tx)
    if (acts === undefined) {
      acts = this.#read(tx)
      this.#acts.set(tx, acts)
    }
    return acts
  }

  async #read(tx: string): Promise<readonly Act[]> {
    const acts: Act[] = []
    for (const { seq, kind } of await this.#index.about(tx)) {
      const { tx: by, of } = await this.#index.record(seq)
      const paths = of === tx ? null : ((await this.#aboutOf(seq)).get(tx) ?? null)
      acts.push({ seq, tx: by, kind, paths, original: true })
    }
    return acts
  }

  #aboutOf(seq: number): Promise<ReadonlyMap<string, ReadonlySet<string> | null>> {
    let about = this.#abouts.get(seq)
    if (about === undefined) {
      about = this.#index
        .commit(seq)
        .then(
          (commit) =>
            new Map((commit.about ?? []).map(({ tx, paths }) => [tx, paths === null ? null : new Set(paths)])),
        )
      this.#abouts.set(seq, about)
    }
    return about
  }
}

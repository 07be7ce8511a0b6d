import { type State, sameState } from '../../entry/state.ts'

/** Changes of one path that follow each other without another in between, as one: from what must be there to what shall be. */
export interface Run {
  readonly from: State
  readonly to: State
}

/** What is to happen at each path, gathered change by change in the order in which it is to happen. */
export class Runs {
  readonly #runs = new Map<string, Run[]>()

  /** The change goes from `from` to `to`. */
  add(path: string, from: State, to: State): void {
    const runs = this.#runs.get(path)
    if (runs === undefined) {
      this.#runs.set(path, [{ from, to }])
      return
    }
    const last = runs.at(-1)
    if (last !== undefined && sameState(last.to, from)) runs[runs.length - 1] = { from: last.from, to }
    else runs.push({ from, to })
  }

  /** Paths where there is something to do. What cancels itself out is not. */
  *entries(): Generator<readonly [path: string, runs: readonly Run[]]> {
    for (const [path, runs] of this.#runs) {
      const left = runs.filter(({ from, to }) => !sameState(from, to))
      if (left.length > 0) yield [path, left]
    }
  }

  has(path: string): boolean {
    return this.#runs.has(path)
  }
}

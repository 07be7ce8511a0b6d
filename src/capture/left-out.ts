import { byPath } from '../history/path-scope.ts'

/**
 * Why something in the workspace is not taken into the journal. `ignored`: a `.gitignore` or `.journalignore` says so, or it is left out by default
 * (`.git`, `node_modules`). `pattern`: a pattern of the caller. `size`: larger than the limit. `kind`: a device, a pipe or a socket. `unreadable`: this user may
 * not read it. `name`: a name that is no Unicode text, or that cannot be held. `journal`: another workspace with a journal of its own. `busy`: it kept changing
 * while it was being read; the next collect looks again.
 */
export type LeftOutReason = 'ignored' | 'pattern' | 'size' | 'kind' | 'unreadable' | 'name' | 'journal' | 'busy'

export interface LeftOutGroup {
  readonly reason: LeftOutReason
  /** How many; a folder with all that is in it counts as one. */
  readonly count: number
  /** Some of them, the first ones met; folders end with a slash. */
  readonly paths: readonly string[]
}

export interface LeftOut {
  readonly count: number
  /** Those reasons that occurred. */
  readonly groups: readonly LeftOutGroup[]
}

const ORDER: readonly LeftOutReason[] = ['busy', 'unreadable', 'size', 'name', 'kind', 'journal', 'pattern', 'ignored']

/** Counts what is left out; names some. */
export class Tally {
  readonly #names: number
  readonly #groups = new Map<LeftOutReason, { count: number; paths: string[] }>()

  /** `names`: how many are named for each reason. */
  constructor(names: number) {
    this.#names = names
  }

  add(reason: LeftOutReason, path: string): void {
    let group = this.#groups.get(reason)
    if (group === undefined) {
      group = { count: 0, paths: [] }
      this.#groups.set(reason, group)
    }
    group.count += 1
    if (group.paths.length < this.#names) group.paths.push(path)
  }

  summary(): LeftOut {
    const groups = ORDER.flatMap((reason) => {
      const group = this.#groups.get(reason)
      if (group === undefined) return []
      return [{ reason, count: group.count, paths: Object.freeze([...group.paths].sort(byPath)) }]
    })
    return { count: groups.reduce((sum, { count }) => sum + count, 0), groups }
  }
}

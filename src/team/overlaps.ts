import { ancestorsOf } from '../workspace/safe-path.ts'
import type { Claim } from './claims.ts'

/** Files, or folders, that several mean to write. */
export interface Overlap {
  readonly path: string
  /** Ids of the intents, oldest first. */
  readonly intents: readonly string[]
  readonly actors: readonly string[]
}

/**
 * What one transaction in place of several would save. Each of *n* intents that overlap is taken for one transaction: a batch has one sync of the log in place of
 * *n*; and each path that *k* of them name is put in place once in place of *k* times. A folder counts as one path.
 */
export interface Saving {
  readonly syncs: number
  readonly fileOperations: number
}

export interface Overlaps {
  readonly overlaps: readonly Overlap[]
  readonly saving: Saving
}

/** Is a path of the one at, above or below a path of the other? */
export function meet(some: readonly string[], others: readonly string[]): boolean {
  return some.some((path) =>
    others.some((other) => path === other || path.startsWith(`${other}/`) || other.startsWith(`${path}/`)),
  )
}

/** Where intents of different makers meet. */
export function overlapsOf(intents: readonly Claim[]): Overlaps {
  const byPath = new Map<string, Set<Claim>>()
  for (const intent of intents) {
    for (const path of intent.paths) byPath.set(path, (byPath.get(path) ?? new Set()).add(intent))
  }
  const overlaps: Overlap[] = []
  const groups = new Groups()
  let fileOperations = 0
  for (const [path, own] of byPath) {
    const here = new Set(own)
    for (const folder of ancestorsOf(path)) for (const intent of byPath.get(folder) ?? []) here.add(intent)
    const found = [...here].sort((a, b) => a.token - b.token)
    const actors = [...new Set(found.map(makerOf))]
    if (actors.length < 2) continue
    overlaps.push({ path, intents: found.map(({ id }) => id), actors })
    fileOperations += found.length - 1
    for (const { id } of found) groups.join((found[0] as Claim).id, id)
  }
  overlaps.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { overlaps, saving: { syncs: groups.joined, fileOperations } }
}

/** Who made it: an actor, or a process without a name. */
function makerOf({ actor, life, id }: Claim): string {
  return actor ?? (life.process === undefined ? id : `process ${life.process.pid}`)
}

/** Sets that grow together. */
class Groups {
  readonly #parent = new Map<string, string>()
  /** How many sets fewer there are than members. */
  joined = 0

  join(a: string, b: string): void {
    const [first, second] = [this.#top(a), this.#top(b)]
    if (first === second) return
    this.#parent.set(second, first)
    this.joined += 1
  }

  #top(member: string): string {
    let top = member
    for (let up = this.#parent.get(top); up !== undefined; up = this.#parent.get(top)) top = up
    return top
  }
}

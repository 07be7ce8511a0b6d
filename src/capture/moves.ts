import type { Disk } from '../disk/disk.ts'
import type { State } from '../entry/state.ts'
import { nameOf } from '../workspace/safe-path.ts'
import type { Difference } from './difference.ts'
import type { HashFiles } from './hashing.ts'

/** A file that is gone, and where it stands now. */
export type Moves = ReadonlyMap<Difference, Difference>

/**
 * Pairs what is new with what is gone: the same content, permissions and owner, of the same name where there is a choice. Only files of a size that a missing one had
 * are read. An empty file is nobody's.
 */
export async function movesAmong(
  differences: readonly Difference[],
  disk: Disk,
  root: string,
  hashFiles: HashFiles,
): Promise<Moves> {
  const missing = new Map<number, Difference[]>()
  for (const difference of differences) {
    const { recorded, stat } = difference
    if (stat !== null || recorded?.kind !== 'file' || recorded.size === 0) continue
    const sized = missing.get(recorded.size)
    if (sized === undefined) missing.set(recorded.size, [difference])
    else sized.push(difference)
  }
  const moves = new Map<Difference, Difference>()
  if (missing.size === 0) return moves
  const made = differences.filter(
    ({ recorded, stat }) => stat?.kind === 'file' && recorded?.kind !== 'file' && missing.has(stat.size),
  )
  const hashed = await hashFiles(
    disk,
    root,
    made.map(({ path, stat }) => ({ path, size: stat?.size ?? 0 })),
  )
  const gone = new Map<string, Difference[]>()
  for (const sized of missing.values()) {
    for (const difference of sized) {
      const key = keyOf(difference.recorded)
      const same = gone.get(key)
      if (same === undefined) gone.set(key, [difference])
      else same.push(difference)
    }
  }
  for (const [at, difference] of made.entries()) {
    const found = hashed[at]
    const mode = difference.stat?.mode
    if (found === undefined || typeof found === 'string' || mode === undefined) continue
    const candidates = gone.get(`${found.hash}:${mode}`) ?? []
    if (candidates.length === 0) continue
    const named = candidates.findIndex(({ path }) => nameOf(path) === nameOf(difference.path))
    const [from] = candidates.splice(Math.max(0, named), 1)
    if (from !== undefined) moves.set(difference, from)
  }
  return moves
}

function keyOf(state: State | undefined): string {
  return state?.kind === 'file' ? `${state.hash}:${state.mode}` : ''
}

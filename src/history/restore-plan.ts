import type { Disk } from '../disk/disk.ts'
import { type State, sameState } from '../entry/state.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import type { HistoryIndex } from './history-index.ts'
import { scopeOf, scopesOf } from './path-scope.ts'
import { type PutOperation, putInOrder } from './put-order.ts'

/**
 * How to bring paths (default: all that the journal knows) back to what they were after transaction `seq`. A path that no entry up to
 * then names goes back to what the first entry that names it found there: what the journal did not make it does not remove.
 * Memory follows the number of paths that change.
 * @throws JournalError `NOT_FOUND` for a path that no entry names; `PATH_OUTSIDE`.
 */
export async function planRestore(
  index: HistoryIndex,
  seq: number,
  paths?: readonly string[],
): Promise<PutOperation[]> {
  const changes: { path: string; state: State; from: State }[] = []
  for (const path of paths ?? []) {
    const scope = scopeOf(path)
    if (scope === '') continue
    if ((await index.currents(scope, null)).items.length > 0) continue
    throw new JournalError('NOT_FOUND', `the journal has never written '${path}' or anything in it`, {
      hint: "Check the spelling; 'journal log PATH' shows what is known about a path.",
      path,
    })
  }
  for (const scope of scopesOf(paths)) {
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<HistoryIndex['currents']>> = await index.currents(scope, after)
      for (const { path, state: from, seq: changed } of page.items) {
        if (changed <= seq) continue
        const { state } = await index.stateAt(path, seq)
        if (!sameState(state, from)) changes.push({ path, state, from })
      }
      after = page.next
    } while (after !== null)
  }
  return putInOrder(changes)
}

/**
 * Leaves out the removal of folders that would not be empty: somebody keeps things there that the journal knows nothing of.
 * Returns the remaining operations, and the folders that stay.
 */
export function sparingOccupied(
  operations: readonly PutOperation[],
  disk: Disk,
  root: string,
): { readonly operations: readonly PutOperation[]; readonly spared: readonly string[] } {
  const removed = new Set<string>()
  const spared: string[] = []
  // Removals come deepest first, so that a folder is judged after all that is in it.
  const kept = operations.filter(({ path, state, from }) => {
    if (state !== null) return true
    if (from?.kind === 'dir' && namesIn(disk, `${root}/${path}`).some((name) => !removed.has(`${path}/${name}`))) {
      spared.push(path)
      return false
    }
    removed.add(path)
    return true
  })
  return { operations: kept, spared }
}

function namesIn(disk: Disk, folder: string): string[] {
  try {
    return disk.lstat(folder)?.kind === 'dir' ? disk.readDirectory(folder).map(({ name }) => name) : []
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

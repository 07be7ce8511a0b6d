import type { Disk } from '../disk/disk.ts'
import { breathe } from '../disk/file.ts'
import { type State, sameState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { timesTell } from '../workspace/observer.ts'
import { mayBeSynced } from '../workspace/staged-file.ts'
import { stampOf } from './file-stamp.ts'
import { Finder, type Found } from './found-state.ts'
import type { HistoryIndex } from './history-index.ts'
import type { Stamped } from './index-query.ts'
import { scopesOf } from './path-scope.ts'
import type { OnHistoryProgress } from './source.ts'

/**
 * How a path differs from what the journal recorded. `modified`: another content or link target. `missing`: gone. `mode`: other permissions or
 * owner. `type`: something else stands there. `appeared`: the journal removed it, and it is there again.
 */
export type ChangeKind = 'modified' | 'missing' | 'mode' | 'type' | 'appeared'

export interface ExternalChange {
  readonly path: string
  readonly change: ChangeKind
  readonly recorded: State
  /** Null also for a device, a pipe or a socket, which the journal cannot hold. */
  readonly found: State
}

/** Paths looked at between two turns of the event loop. */
const PATHS_A_TURN = 64
const NS_A_MS = 1_000_000n

export interface ComparisonOptions {
  readonly paths?: readonly string[]
  readonly onProgress?: OnHistoryProgress
  /** Do not read files again that are by all their times, and else, what they were when they were found to be as recorded. */
  readonly stamps?: boolean
}

/**
 * Compares the newest recorded states with what is on disk, files by content. Only paths that the journal knows are looked at.
 * Yields those that differ, in the order of paths; returns how many paths are recorded as being there.
 */
export async function* externalChanges(
  index: HistoryIndex,
  disk: Disk,
  root: string,
  options: ComparisonOptions = {},
): AsyncGenerator<ExternalChange, number> {
  await index.head()
  let finder = new Finder(disk, root)
  let tracked = 0
  let looked = 0
  for (const scope of scopesOf(options.paths)) {
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<HistoryIndex['currents']>> = await index.currents(scope, after)
      const stamped: Stamped[] = []
      for (const { path, ...current } of page.items) {
        const { state: recorded } = current
        if (recorded !== null) tracked += 1
        const seenNs = BigInt(disk.now()) * NS_A_MS
        const stat = options.stamps === true && recorded?.kind === 'file' ? finder.stat(path) : null
        const stamp = stat === null ? null : stampOf(stat)
        const trusted = stamp !== null && stamp === current.stamp
        const { state: found, other } = trusted
          ? { state: recorded, other: false }
          : await findRecorded(disk, root, finder, path, recorded)
        const change = changeOf(recorded, found, other)
        if (change === null && stat !== null && stamp !== null && !trusted && timesTell(stat, seenNs)) {
          // It may have changed while it was read.
          const after = finder.stat(path)
          if (after !== null && stampOf(after) === stamp) stamped.push({ path, current, stamp })
        }
        if (change !== null) {
          yield { path, change, recorded, found }
          // The caller may have changed the folders meanwhile.
          finder = new Finder(disk, root)
        }
        looked += 1
        if (looked % PATHS_A_TURN === 0) {
          options.onProgress?.({ phase: 'comparing', done: looked, total: 0 })
          await breathe()
        }
      }
      await index.stamp(stamped)
      after = page.next
    } while (after !== null)
  }
  return tracked
}

/** Of a file that its own transaction made unreadable, what can be seen of it must do. */
async function findRecorded(disk: Disk, root: string, finder: Finder, path: string, recorded: State): Promise<Found> {
  try {
    return await finder.find(path)
  } catch (error) {
    if (!(error instanceof JournalError) || error.code !== 'PERMISSION') throw error
    if (recorded?.kind !== 'file' || mayBeSynced(disk, recorded.mode)) throw error
    const stat = disk.lstat(`${root}/${path}`)
    if (stat?.kind !== 'file' || stat.size !== recorded.size || stat.mode !== recorded.mode) throw error
    return { state: recorded, bytes: null, other: false }
  }
}

/** What kind of difference there is between two states; null for none. */
export function changeOf(recorded: State, found: State, other = false): ChangeKind | null {
  if (recorded === null) return found === null && !other ? null : 'appeared'
  if (found === null) return other ? 'type' : 'missing'
  if (sameState(recorded, found)) return null
  if (recorded.kind !== found.kind) return 'type'
  if (recorded.kind === 'file' && found.kind === 'file') return recorded.hash === found.hash ? 'mode' : 'modified'
  return recorded.kind === 'dir' ? 'mode' : 'modified'
}

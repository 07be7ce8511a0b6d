import type { Disk } from '../disk/disk.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { changesOf } from '../entry/entry.ts'
import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import { Observer } from '../workspace/observer.ts'

export interface Difference {
  readonly path: string
  /** Hash of the content that was meant; null: no file. */
  readonly expected: ContentHash | null
  /** Hash of the content that is there; null: no file. */
  readonly found: ContentHash | null
}

/** Whether what a transaction meant is what stands in the workspace. */
export interface IntegrityReport {
  readonly ok: boolean
  readonly tx: string
  /** Paths that were compared. */
  readonly paths: number
  readonly differing: readonly Difference[]
}

/** Reads and hashes every file that a transaction wrote, whatever its times say. A later change is a difference too. */
export async function confirm(commit: ChainedCommit, disk: Disk, root: string): Promise<IntegrityReport> {
  const meant = new Map<string, State>()
  for (const entry of commit.entries) for (const { path, after } of changesOf(entry)) meant.set(path, after)
  const observer = new Observer(disk, root, true)
  const differing: Difference[] = []
  for (const [path, state] of meant) {
    const { state: found } = await observer.observe(path)
    if (state?.kind === found?.kind && hashOf(state) === hashOf(found) && targetOf(state) === targetOf(found)) continue
    differing.push({ path, expected: hashOf(state), found: hashOf(found) })
  }
  return { ok: differing.length === 0, tx: commit.tx, paths: meant.size, differing }
}

function targetOf(state: State): string | null {
  return state?.kind === 'symlink' ? state.target : null
}

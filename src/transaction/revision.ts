import type { EditMatch } from '../edit/edits.ts'
import type { HunkMatch } from '../edit/patch/file-patch.ts'
import type { Json } from '../entry/entry.ts'

/** What one operation changed within a file. */
export interface Revision {
  readonly path: string
  /** `edit`, `patch`, `write`, the format of a patch of many files, or what worked the new content out: `notebook`, `set`, `imports` … */
  readonly by: string
  /** Of `edit`: how each text was found, and where. */
  readonly edits?: readonly EditMatch[]
  /** Of patches: how each hunk was found, and where. */
  readonly hunks?: readonly HunkMatch[]
  /** Of a patch of many files: what became of this one. */
  readonly change?: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied'
  /** Where a file that was renamed, or copied, stood. */
  readonly from?: string
  /** The base had changed, and the change was merged with what was there. */
  readonly merged?: true
  /** What a reviser has to say of it. */
  readonly report?: Json
  /** How many changes of the file it was, each of which might have been a reading and a writing of its own. */
  readonly changes: number
}

/** Readings and writings of files that were spared against one of each for every change. */
export interface Saved {
  readonly reads: number
  readonly writes: number
}

/** A file is read once and written once, however many changes there are to it. */
export function savedBy(revisions: readonly Revision[]): Saved {
  const files = new Set(revisions.map(({ path }) => path))
  const changes = revisions.reduce((sum, revision) => sum + revision.changes, 0)
  return { reads: changes - files.size, writes: changes - files.size }
}

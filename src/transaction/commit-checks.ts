/** What is asked of a transaction before anything of it is kept. */
import { encodeCommit } from '../entry/codec.ts'
import type { Of } from '../entry/commit.ts'
import { subjectOf, wordsLength } from '../entry/entry.ts'
import { JournalError } from '../errors.ts'
import type { Change } from '../workspace/change.ts'
import type { Observer } from '../workspace/observer.ts'
import { parentOf } from '../workspace/safe-path.ts'
import type { CommitRequest } from './committer.ts'

/** More than an entry takes in the log besides its texts. */
const ENTRY_BYTES = 512

/** Are the folders still folders? `checked`: those that were looked at just now. @throws JournalError `CONFLICT` */
export function checkFolders(observer: Observer, changes: readonly Change[], checked: ReadonlySet<string>): void {
  // The check that matters is made again, on the pinned folder, when the file is put in place.
  const unchecked = new Set<string>()
  for (const { path } of changes) {
    const folder = parentOf(path)
    if (folder !== '' && !checked.has(folder)) unchecked.add(folder)
  }
  for (const folder of unchecked) {
    if (changes.some(({ path, after }) => path === folder && after?.kind === 'dir')) continue
    const stat = observer.disk.lstat(observer.absolute(folder))
    if (stat === null || stat.kind === 'dir') continue
    throw new JournalError('CONFLICT', `${folder} is no folder any more`, { hint: 'Try again.', path: folder })
  }
}

/** Refuses what would not fit into a frame, while nothing is written. @throws JournalError `INVALID` */
export function checkSize({ tx, kind, of, meta, draft }: CommitRequest, maxPayload: number): void {
  let texts = aboutLength(of)
  for (const entry of draft.entries) {
    texts += subjectOf(entry).length + wordsLength(entry)
  }
  if (draft.entries.length * ENTRY_BYTES + 4 * texts < maxPayload / 2) return
  const about = typeof of === 'object' ? { about: of } : {}
  const { body, words } = encodeCommit({
    ...meta,
    ...about,
    tx,
    kind,
    seq: 0,
    time: 0,
    done: 0,
    entries: draft.entries,
  })
  const size = words.reduce((sum, { byteLength }) => sum + byteLength + 8, body.byteLength)
  if (size + ENTRY_BYTES < maxPayload) return
  throw new JournalError(
    'INVALID',
    `transaction ${tx} takes ${size} bytes in the log without its contents, more than a frame holds`,
    {
      hint: 'Split it into smaller ones, or write whole files instead of editing texts of many megabytes.',
      tx,
    },
  )
}

/** Characters that it takes to name what an undo is about, and as many more as their encoding needs. */
function aboutLength(of: Of | undefined): number {
  if (typeof of !== 'object') return 0
  return of.reduce(
    (sum, { tx, paths }) => (paths ?? []).reduce((part, path) => part + path.length + 2, sum + tx.length + 8),
    0,
  )
}

/** Does the file at a path leave it, for no other path? */
export function leaves(changes: readonly Change[], path: string): boolean {
  const change = changes.find((other) => other.path === path)
  if (change?.before?.kind !== 'file' || changes.some(({ movedFrom }) => movedFrom === path)) return false
  return change.after?.kind !== 'file' || change.before.hash !== change.after.hash
}

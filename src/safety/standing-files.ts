import { isJournalName } from '../entry/path.ts'
import { JournalError } from '../errors.ts'
import { type Sight, sightOf } from '../transaction/guard.ts'
import type { DraftSite } from '../transaction/view.ts'
import type { Observer } from '../workspace/observer.ts'
import { joinPath } from '../workspace/safe-path.ts'
import type { Candidate } from './validation/validation.ts'

/** Folders of other programs, whose files nobody writes by hand. */
const FOREIGN = new Set(['.git', '.hg', '.svn', 'node_modules'])

/** Files as they are: those named, and those in folders that are named, `''` for the workspace. */
export function standingFiles(site: DraftSite, paths: readonly string[]): { sight: Sight; files: Candidate[] } {
  const { disk } = site.observer
  const sight = sightOf(site)
  const found = new Map<string, Candidate>()
  const take = (path: string): void => {
    const size = disk.lstat(site.observer.absolute(path))?.size ?? 0
    // It was there just now; whoever removed it meanwhile left nothing to look at.
    const read = async (): Promise<Uint8Array> => (await sight.read(path, Number.MAX_SAFE_INTEGER)) ?? new Uint8Array()
    found.set(path, { path, hash: null, size, read })
  }
  for (const given of paths) {
    const there = sight.look(given)
    if (there === null || there.path.split('/').some(isJournalName)) {
      throw new JournalError('NOT_FOUND', `there is no ${given} in the workspace`, {
        hint: 'Check the spelling; paths are relative to the workspace.',
        path: given,
      })
    }
    if (there.kind === 'dir') for (const path of walkFiles(site.observer, there.path)) take(path)
    else if (there.kind === 'file') take(there.path)
  }
  return { sight, files: [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** Files in a folder and below it, `''` for the workspace, but for those of other programs and of the journal. */
export function* walkFiles(observer: Observer, folder: string): Generator<string> {
  for (const { name, kind } of observer.disk.readDirectory(observer.absolute(folder))) {
    const path = joinPath(folder, name)
    if (kind === 'file') yield path
    else if (kind === 'dir' && !FOREIGN.has(name) && !isJournalName(name)) yield* walkFiles(observer, path)
  }
}

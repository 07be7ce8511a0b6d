import { JournalError } from '../errors.ts'
import type { Proposal } from '../transaction/guard.ts'
import { Mentions } from './mentions.ts'
import { walkFiles } from './standing-files.ts'
import type { ValidationLevel } from './validation/level.ts'
import type { Issue, Validation } from './validation/validation.ts'

/**
 * References of files that a transaction leaves as they are to what it removes, or moves away. A file that does not name any of that is only read through, and
 * no more files are than the settings say.
 * @throws JournalError `VALIDATOR` when there are more, or a parser fails; `ABORTED`
 */
export async function examineDependents(
  validation: Validation,
  proposal: Proposal,
  level?: ValidationLevel,
): Promise<Issue[]> {
  const removed = proposal.removed()
  if (removed.length === 0 || !validation.asksForReferences(level)) return []
  const { draft, site, signal } = proposal
  const mentions = new Mentions(removed)
  const { maxSearched, maxBytes } = validation.settings
  const issues: Issue[] = []
  let searched = 0
  for (const path of walkFiles(site.observer, '')) {
    if (draft.changes.has(path) || !validation.namesOthers(path, level)) continue
    searched += 1
    if (searched > maxSearched) throw tooMany(removed, maxSearched)
    const bytes = await proposal.after.read(path, maxBytes)
    if (bytes === null || !mentions.in(bytes)) continue
    issues.push(...(await validation.severed(path, bytes, proposal.before, proposal.after, signal)))
  }
  return issues
}

function tooMany(removed: readonly string[], most: number): JournalError {
  const [first = ''] = removed
  const what = removed.length === 1 ? first : `${first} and ${removed.length - 1} more`
  return new JournalError('VALIDATOR', `who refers to ${what} would take a search of more than ${most} files`, {
    hint: "Nothing was changed. Raise maxSearched in the options of the validation, exclude folders, or remove it at the level 'basic'.",
    path: first,
    details: { maxSearched: most },
  })
}

import { JournalError } from '../errors.ts'
import type { Guard, Proposal, ProposedFile } from '../transaction/guard.ts'
import { examineDependents } from './dependents.ts'
import type { ValidationLevel } from './validation/level.ts'
import type { Candidate, Issue, Validation, ValidationReport } from './validation/validation.ts'

/** Refuses a transaction whose files would not be valid. */
export function validationGuard(validation: Validation, level?: ValidationLevel): Guard {
  return async (proposal) => {
    const { issues, omitted } = await examineProposal(validation, proposal, level)
    const refused = validation.settings.refuse === 'new' ? issues.filter(({ existing }) => existing !== true) : issues
    if (refused.length > 0) throw refusal(proposal.tx, refused, omitted)
  }
}

/** What is wrong with the files of a transaction; what was wrong before is marked. @throws JournalError `VALIDATOR`, `ABORTED` */
export async function examineProposal(
  validation: Validation,
  proposal: Proposal,
  level?: ValidationLevel,
): Promise<ValidationReport> {
  const { signal } = proposal
  const files = proposal.files()
  const own = await validation.examine(
    files.map(({ path, after }) => candidate(proposal, path, after)),
    proposal.after,
    { level, signal },
  )
  const severed = await examineDependents(validation, proposal, level)
  const report = { ...own, issues: [...own.issues, ...severed] }
  // Of others, nothing is told but what was well before.
  if (own.issues.length === 0) return report
  // Only now somebody asks how it was before.
  const broken = new Set(own.issues.map(({ path }) => path))
  const candidates = files.flatMap((file) => (broken.has(file.path) ? earlierCandidate(proposal, file) : []))
  const before = await validation.examine(candidates, proposal.before, { level, signal }).catch((error: unknown) => {
    // What a validator cannot say of the old content is no news of the new one.
    if (error instanceof JournalError && error.code !== 'ABORTED') return { issues: [] }
    throw error
  })
  const origin = new Map(files.map((file) => [file.path, file.before?.path ?? file.path]))
  const had = new Map<string, number>()
  for (const issue of before.issues) had.set(keyOf(issue, issue.path), (had.get(keyOf(issue, issue.path)) ?? 0) + 1)
  const issues = report.issues.map((issue): Issue => {
    const key = keyOf(issue, origin.get(issue.path) ?? issue.path)
    const left = had.get(key) ?? 0
    if (left === 0) return issue
    had.set(key, left - 1)
    return { ...issue, existing: true }
  })
  return { ...report, issues }
}

/** The same fault, wherever edits above it have moved it to; a name that leads nowhere by how it is written, as its file may have moved. */
function keyOf({ validator, message, column, excerpt }: Issue, path: string): string {
  const what = message.replace(/(?<=there is no ).*$/, () => excerpt.slice(column - 1))
  return `${path}\0${validator}\0${what}\0${excerpt.trim()}`
}

function candidate(proposal: Proposal, path: string, state: ProposedFile['after']): Candidate {
  return { path, hash: state.hash, size: state.size, read: () => proposal.content(state) }
}

function earlierCandidate(proposal: Proposal, { before }: ProposedFile): Candidate[] {
  return before === null ? [] : [candidate(proposal, before.path, before.state)]
}

function refusal(tx: string, issues: readonly Issue[], omitted: number): JournalError {
  const [first] = issues as [Issue, ...Issue[]]
  const paths = new Set(issues.map(({ path }) => path))
  const more = issues.length + omitted - 1
  const rest =
    more === 0 ? '' : ` (and ${more} more, in ${paths.size} ${paths.size === 1 ? 'file' : 'files'} altogether)`
  return new JournalError('VALIDATION', `${placed(first)}: ${first.message}${rest}`, {
    hint: `Nothing was changed. ${wayOut(issues)}`,
    path: first.path,
    tx,
    details: { failures: issues, ...(omitted === 0 ? {} : { omitted }) },
  })
}

function wayOut(issues: readonly Issue[]): string {
  if (issues.every(({ existing }) => existing === true))
    return "The files had these faults before: correct them too, or refuse 'new' ones only."
  if (issues.every(({ dependent }) => dependent === true))
    return 'These files refer to what would be removed, or moved away: change them too.'
  return 'Correct the content and try again.'
}

/** `path:line:column`, as editors take it. */
export function placed({ path, line, column }: Pick<Issue, 'path' | 'line' | 'column'>): string {
  return `${path}:${line}:${column}`
}

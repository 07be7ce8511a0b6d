import { asJournalError, type JournalError } from '../../errors.ts'
import type { Proposal } from '../../transaction/guard.ts'
import { examineProposal } from '../commit-guard.ts'
import type { ValidationLevel } from '../validation/level.ts'
import type { Issue, Validation } from '../validation/validation.ts'
import { checkEncodings } from './encoding.ts'
import { checkPermissions } from './permission.ts'
import {
  type CheckName,
  checkOf,
  type Reason,
  reportOf,
  type SafetyCheck,
  type SafetyReport,
  WEIGHTS,
} from './report.ts'
import { bytesOf, checkSpace } from './space.ts'

export interface Examination {
  /** Null when it could not even be worked out. */
  readonly proposal: Proposal | null
  readonly validation: Validation
  /** The level at which a commit would be validated. */
  readonly enforced: ValidationLevel
  /** What operations, or the commit so far, failed with. */
  readonly failures: readonly JournalError[]
}

/** Which check an error belongs to. */
const OF_CODE: Readonly<Record<string, CheckName>> = {
  PERMISSION: 'permission',
  NO_SPACE: 'space',
  LOCKED: 'lock',
}

/** All checks of what a transaction has come to. Nothing is written. */
export async function examineSafety({ proposal, validation, enforced, failures }: Examination): Promise<SafetyReport> {
  const failed = (name: CheckName): Reason[] =>
    failures.filter(({ code }) => (OF_CODE[code] ?? 'path') === name).map(reasonOf)
  if (proposal === null) {
    const names = Object.keys(WEIGHTS) as CheckName[]
    return reportOf(
      names.map((name) => checkOf(name, 0, failed(name))),
      0,
      0,
    )
  }
  const paths = proposal.draft.changes.size
  const total = paths + failures.length
  const { workspace, total: needed } = bytesOf(proposal)
  const { disk, root } = proposal.site.observer
  const space = checkSpace(needed, disk.freeSpace(root))
  const files = proposal.files().length
  const { syntax, dependencies } = await examineContents(proposal, validation, enforced)
  const checks: SafetyCheck[] = [
    checkOf('path', total, failed('path')),
    checkOf('permission', total, [...failed('permission'), ...checkPermissions(proposal)]),
    {
      ...checkOf('space', 1, [...failed('space'), ...space.reasons]),
      ...(failed('space').length > 0 ? {} : { score: space.score }),
    },
    checkOf('lock', 1, failed('lock')),
    checkOf('encoding', files, await checkEncodings(proposal, validation.settings.maxBytes)),
    checkOf('syntax', files, syntax),
    checkOf('dependencies', files, dependencies),
  ]
  return reportOf(checks, paths, workspace)
}

/** Syntax, and what files refer to; looked at even where a commit would not. */
async function examineContents(
  proposal: Proposal,
  validation: Validation,
  enforced: ValidationLevel,
): Promise<{ syntax: Reason[]; dependencies: Reason[] }> {
  const { refuse } = validation.settings
  const all = await attempt(() => examineProposal(validation, proposal, 'strict'))
  const basic = await attempt(() => examineProposal(validation, proposal, 'basic'))
  if (all.failure !== null || basic.failure !== null) {
    const { message, path } = (all.failure ?? basic.failure) as JournalError
    return { syntax: [{ path, message, refuses: enforced !== 'off' }], dependencies: [] }
  }
  const keys = new Set(basic.issues.map(keyOf))
  const reason = (issue: Issue, level: ValidationLevel): Reason => {
    const { path, line, column, message, existing } = issue
    const demanded = validation.levelOf(path, enforced)
    const asked = demanded === 'strict' || (demanded === 'basic' && level === 'basic')
    return { path, line, column, message, refuses: asked && !(refuse === 'new' && existing === true) }
  }
  return {
    syntax: basic.issues.map((issue) => reason(issue, 'basic')),
    dependencies: all.issues.filter((issue) => !keys.has(keyOf(issue))).map((issue) => reason(issue, 'strict')),
  }
}

function keyOf({ path, line, column, message }: Issue): string {
  return `${path}\0${line}\0${column}\0${message}`
}

async function attempt(
  examine: () => Promise<{ issues: readonly Issue[] }>,
): Promise<{ issues: readonly Issue[]; failure: JournalError | null }> {
  try {
    return { issues: (await examine()).issues, failure: null }
  } catch (error) {
    return { issues: [], failure: asJournalError(error, 'checking the contents') }
  }
}

function reasonOf({ path, message, code, details }: JournalError): Reason {
  return { path, message, refuses: true, details: { code, ...details } }
}

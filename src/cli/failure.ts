import { CommanderError } from 'commander'
import pc from 'picocolors'
import { asJournalError, type ErrorCode, isSystemError, JournalError } from '../errors.ts'
import type { Issue } from '../safety/validation/validation.ts'
import { type Conflicting, conflictText } from './conflict-text.ts'
import { issueLines } from './issue-text.ts'
import { wantsColor } from './output.ts'
import { printableText } from './printable.ts'

/** Exit codes that say more than "failed, nothing changed" (1). 2 is wrong usage. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = { CONFLICT: 3, CORRUPT: 4, LOCKED: 5, NEEDS_RECOVERY: 6 }

/** A command called the wrong way: exit code 2. */
export class UsageError extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

interface Failure {
  readonly exitCode: number
  /** What `--json` prints below `error`. */
  readonly json: Readonly<Record<string, unknown>>
  readonly message: string
  readonly hint: string
  /** Further lines between message and hint. */
  readonly more: readonly string[]
}

function described(error: unknown, command: string | undefined): Failure {
  if (error instanceof CommanderError || error instanceof UsageError) {
    const message = error.message
      .replace(/^error: /, '')
      .trim()
      .replace(/\s*\n\s*/g, ' ')
    const hint =
      error instanceof UsageError
        ? error.hint
        : command === undefined
          ? 'Run `journal help` for the commands.'
          : `Run \`journal help ${command}\` for its options.`
    return { exitCode: 2, json: { code: 'INVALID', message, hint }, message, hint, more: [] }
  }
  if (error instanceof JournalError || isSystemError(error)) {
    const known = asJournalError(error, 'Failed')
    const { message, hint, code } = known
    return {
      exitCode: typeof known.details?.exitCode === 'number' ? known.details.exitCode : (EXIT_CODES[code] ?? 1),
      json: known.toJSON(),
      message,
      hint,
      more: [...conflictLines(known.details), ...failureLines(known)],
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  const hint = 'This is a fault of the program. Run it again with DEBUG=1 and report what it prints.'
  return { exitCode: 1, json: { code: 'INTERNAL', message, hint }, message, hint, more: [] }
}

function conflictLines(details: Readonly<Record<string, unknown>> | undefined): string[] {
  const conflicts = details?.conflicts
  if (!Array.isArray(conflicts)) return []
  // The message itself names the first few.
  const known = (conflict: Conflicting): boolean => conflict.sides === undefined && conflict.by === undefined
  if (conflicts.length <= 5 && conflicts.every(known)) return []
  return conflicts.flatMap((conflict: Conflicting) => conflictText(conflict).map((line) => `  ${line}`))
}

/** Every fault of a validation, as editors take it. */
function failureLines({ code, details }: JournalError): string[] {
  const failures = details?.failures
  if (code !== 'VALIDATION' || !Array.isArray(failures)) return []
  const lines = (failures as Issue[]).flatMap((issue) => issueLines(issue))
  const { omitted } = details as { omitted?: number }
  return omitted === undefined ? lines : [...lines, `  and ${omitted} more`]
}

/** What an interruption made of an operation is not news: it was interrupted. */
export function interrupted(error: unknown): unknown {
  if (error instanceof JournalError && error.code !== 'IO') return error
  return new JournalError('ABORTED', 'Interrupted', { hint: 'Run the command again.', cause: error })
}

/** Prints the error on standard error, as one line of JSON or for a person, and returns the exit code. */
export function reportFailure(error: unknown, options: { json: boolean; command?: string | undefined }): number {
  const failure = described(error, options.command)
  if (options.json) process.stderr.write(`${JSON.stringify({ error: failure.json })}\n`)
  else {
    const { red, dim } = pc.createColors(wantsColor(process.stderr))
    const lines = [`${red('error:')} ${printableText(failure.message)}`, ...failure.more]
    if (failure.hint !== '') lines.push(`${dim('hint:')} ${printableText(failure.hint)}`)
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${debugStack(error)}\n`)
  return failure.exitCode
}

function debugStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${debugStack(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}

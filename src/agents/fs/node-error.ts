import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { type ErrorCode, hasSystemCode, isSystemError, JournalError } from '../../errors.ts'

/** What is wrong with a call, in a form that can come from another thread. */
export interface Fault {
  /** As Node has it: `ENOENT`, `EEXIST`, … */
  readonly code: string
  readonly syscall: string
  /** What the journal said, where it did. */
  readonly journal?: { readonly code: string; readonly message: string; readonly hint: string }
}

/** Thrown where a mutation is carried out; callers get it as an error of Node's form. */
export class FsRefusal extends Error {
  override readonly name = 'FsRefusal'
  readonly fault: Fault

  /** One that comes from another thread. */
  static of({ code, syscall, journal }: Fault): FsRefusal {
    if (journal === undefined) return new FsRefusal(code, syscall)
    const { code: kind, message, hint } = journal
    return new FsRefusal(code, syscall, new JournalError(kind as ErrorCode, message, { hint }))
  }

  constructor(code: string, syscall: string, cause?: unknown) {
    super(`${code} in ${syscall}`, cause === undefined ? undefined : { cause })
    const told = cause instanceof JournalError ? { code: cause.code, message: cause.message, hint: cause.hint } : null
    this.fault = told === null ? { code, syscall } : { code, syscall, journal: told }
  }
}

const JOURNAL_CODES: Readonly<Record<string, string>> = {
  NOT_FOUND: 'ENOENT',
  EXISTS: 'EEXIST',
  PATH_OUTSIDE: 'EACCES',
  NO_SPACE: 'ENOSPC',
  PERMISSION: 'EACCES',
  LOCKED: 'EBUSY',
  CONFLICT: 'EBUSY',
  CLOSED: 'EBADF',
  ABORTED: 'ECANCELED',
  INVALID: 'EINVAL',
  VALIDATION: 'EINVAL',
}

/** Whatever was thrown, as a refusal. */
export function asRefusal(error: unknown, syscall: string): FsRefusal {
  if (error instanceof FsRefusal) return error
  return new FsRefusal(codeOf(error), syscall, error)
}

function codeOf(error: unknown): string {
  if (isSystemError(error)) return error.code
  if (!(error instanceof JournalError)) return 'EIO'
  const { code, cause } = error
  // What the workspace has become meanwhile is what Node would have found.
  if (code === 'CONFLICT' && cause instanceof JournalError) return codeOf(cause)
  if (hasSystemCode(cause, ...Object.keys(constants.errno))) return (cause as NodeJS.ErrnoException).code as string
  return JOURNAL_CODES[code] ?? 'EIO'
}

const MESSAGES: ReadonlyMap<string, readonly [errno: number, message: string]> = new Map(
  [...getSystemErrorMap()].map(([errno, [name, message]]) => [name, [errno, message]]),
)

/** The error that Node would have thrown: with `code`, `errno`, `syscall`, `path` and `dest`. What the journal said is in `cause` and the message. */
export function nodeError(fault: Fault, path?: string, dest?: string): NodeJS.ErrnoException {
  const { code, syscall, journal } = fault
  const [errno, words] = MESSAGES.get(code) ?? [-1, 'refused']
  const names = path === undefined ? '' : ` '${path}'${dest === undefined ? '' : ` -> '${dest}'`}`
  const told = journal === undefined ? '' : ` (${journal.message}. ${journal.hint})`
  const message = `${code}: ${words}, ${syscall}${names}${told}`
  const error: NodeJS.ErrnoException & { dest?: string } = new Error(
    message,
    journal === undefined ? undefined : { cause: journal },
  )
  error.errno = errno
  error.code = code
  error.syscall = syscall
  if (path !== undefined) error.path = path
  if (dest !== undefined) error.dest = dest
  return error
}

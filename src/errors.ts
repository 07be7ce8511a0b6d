/** Stable error codes. A code never changes its meaning; new ones may be added. */
export type ErrorCode =
  /** The content found is not the one that was expected; somebody else changed it. A person, or a retry, must decide. */
  | 'CONFLICT'
  /** Acknowledged bytes no longer read back right. Nothing was changed. */
  | 'CORRUPT'
  /** Another process or transaction holds what is needed; the message names it. */
  | 'LOCKED'
  /** A write or sync of the log failed earlier; the journal must be reopened. */
  | 'POISONED'
  /** The path leads out of the workspace, or into a journal. */
  | 'PATH_OUTSIDE'
  /** There is no such file, folder, transaction or journal. */
  | 'NOT_FOUND'
  /** Something is there already that would be in the way. */
  | 'EXISTS'
  /** The disk is full, or a quota is reached. */
  | 'NO_SPACE'
  /** The operating system does not allow it. */
  | 'PERMISSION'
  /** A rule of the journal's settings does not allow it to this agent. */
  | 'DENIED'
  /** The request makes no sense as it stands. */
  | 'INVALID'
  /** A validator refused the content. */
  | 'VALIDATION'
  /** A validator itself failed: it threw, hung, or answered nonsense. */
  | 'VALIDATOR'
  /** Transactions are in flight from a crash, and the caller asked not to recover on open. */
  | 'NEEDS_RECOVERY'
  /** The journal, or the transaction, is closed. */
  | 'CLOSED'
  /** The journal belongs to another workspace: it was copied here. */
  | 'FOREIGN'
  /** The journal was written by a newer version of the format. */
  | 'NEWER_FORMAT'
  /** The operation was cancelled through its signal. */
  | 'ABORTED'
  /** The operating system reported a fault of the device or the file system. */
  | 'IO'

export interface ErrorDetails {
  /** What the person, or the program, can do about it. */
  readonly hint: string
  readonly path?: string | undefined
  readonly tx?: string | undefined
  readonly cause?: unknown
  /** Further facts, by name; part of the JSON form. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** The one error class of the product. Match on `code`; show `message` and `hint`. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly code: ErrorCode
  readonly hint: string
  readonly path?: string
  readonly tx?: string
  readonly details?: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    if (details.path !== undefined) this.path = details.path
    if (details.tx !== undefined) this.tx = details.tx
    if (details.details !== undefined) this.details = details.details
  }

  /** Keys as `--json` prints them. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(this.tx === undefined ? {} : { tx: this.tx }),
      ...this.details,
    }
  }
}

/** A value in a message. Not every one has a text form: asking a map for it may throw. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : String(value)
}

interface SystemError extends Error {
  code: string
}

export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && !(error instanceof JournalError)
  )
}

/** True when `error` is a system error with one of `codes` (`ENOENT`, …). */
export function hasSystemCode(error: unknown, ...codes: string[]): boolean {
  return isSystemError(error) && codes.includes(error.code)
}

const SYSTEM: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['NO_SPACE', 'Free some space on this file system and try again.'],
  EDQUOT: ['NO_SPACE', 'The disk quota is reached; free some space and try again.'],
  EFBIG: ['NO_SPACE', 'The file would exceed a size limit of the process or the file system.'],
  EACCES: ['PERMISSION', 'Give the current user the right to write here, or run as one who has it.'],
  EPERM: ['PERMISSION', 'The file may be immutable or owned by somebody else; change that and try again.'],
  EROFS: ['PERMISSION', 'The file system is mounted read-only; remount it writable.'],
  EBUSY: ['PERMISSION', 'Another program holds the file open; close it there and try again.'],
  ENOENT: ['NOT_FOUND', 'Check the spelling of the path.'],
  ENOTDIR: ['INVALID', 'A part of the path is a file, not a folder.'],
  EISDIR: ['INVALID', 'The path is a folder; name a file.'],
  EEXIST: ['EXISTS', 'Something with that name is there already.'],
  ENOTEMPTY: ['INVALID', 'The folder is not empty.'],
  ENAMETOOLONG: ['INVALID', 'Use a shorter name.'],
  ELOOP: ['PATH_OUTSIDE', 'Symbolic links form a loop, or one appeared where none may be.'],
  EILSEQ: ['INVALID', 'This file system does not take that name.'],
  EMFILE: ['IO', 'Too many open files; raise the limit or close some.'],
}

/** Wraps whatever was thrown as a JournalError; a JournalError passes through. */
export function asJournalError(error: unknown, doing: string, path?: string): JournalError {
  if (error instanceof JournalError) return error
  const code = isSystemError(error) ? error.code : ''
  const [kind, hint] = SYSTEM[code] ?? ['IO', 'Look at the cause; if the device is failing, save your data first.']
  const reason = error instanceof Error ? error.message : String(error)
  return new JournalError(kind, `${doing}: ${reason}`, { hint, path, cause: error })
}

function typed(error: unknown, doing: string): unknown {
  return isSystemError(error) ? asJournalError(error, doing) : error
}

/** Runs `work`; what the operating system refuses becomes a JournalError, everything else passes. */
export async function withJournalErrors<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw typed(error, doing)
  }
}

/** The same for what comes one by one. */
export async function* eachWithJournalErrors<T>(doing: string, items: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* items
  } catch (error) {
    throw typed(error, doing)
  }
}

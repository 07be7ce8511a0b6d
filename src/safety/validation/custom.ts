import { asJournalError, JournalError, shown } from '../../errors.ts'
import type { Sight } from '../../transaction/guard.ts'
import { runCommand } from './command.ts'
import { Finder, type Flaw, MAX_FLAWS } from './findings.ts'
import type { ValidationLevel } from './level.ts'
import { decode } from './text.ts'

/** What a validator is given: a file as it is going to be. */
export interface ValidatedFile {
  /** Relative to the workspace. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly level: ValidationLevel
  /** Ends when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** @throws when the content is no text */
  text(): string
  /** Is there a file or a folder at a path of the workspace, once the transaction is done? */
  exists(path: string): boolean
}

/** Something wrong, as a validator says it. Lines and columns count from 1. */
export interface ValidatorIssue {
  readonly message: string
  readonly line?: number
  readonly column?: number
}

type Answer = readonly ValidatorIssue[] | undefined | null

/** A check of the caller's. Exactly one of `check` and `command`. */
export interface Validator {
  /** As it stands in reports; no two have the same. */
  readonly name: string
  /** Patterns of paths: `*.proto`, `config/**`. Without a slash they are for names in any folder. */
  readonly files: string | readonly string[]
  /** The least level at which it runs. Default `basic`. */
  readonly level?: 'basic' | 'strict'
  /** Do the built-in validators leave these files alone? */
  readonly instead?: boolean
  /** Does its answer follow from path and content alone? Then it is asked once for each. Default false. */
  readonly cache?: boolean
  /** Default: that of the options. */
  readonly timeoutMs?: number
  /** Returns what is wrong: an empty list, null or undefined when all is well. */
  readonly check?: (file: ValidatedFile) => Answer | Promise<Answer>
  /**
   * A program and its arguments, in which `{path}` stands for the path. It is run in the workspace, without a shell, with the content on standard
   * input and the path in `JOURNAL_PATH`; any exit code but 0 refuses the content, and what it prints says why.
   */
  readonly command?: readonly string[]
}

export interface CustomRequest {
  readonly path: string
  readonly bytes: Uint8Array
  readonly level: ValidationLevel
  readonly sight: Sight
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** @throws JournalError `VALIDATOR` when the validator throws, does not end in time, or answers nonsense; `ABORTED` */
export async function runValidator(validator: Validator, request: CustomRequest): Promise<readonly Flaw[]> {
  const { check, command, timeoutMs = request.timeoutMs } = validator
  const ended = new AbortController()
  const cancel = (): void => ended.abort(request.signal?.reason)
  if (request.signal?.aborted) cancel()
  request.signal?.addEventListener('abort', cancel, { once: true })
  let timer: NodeJS.Timeout | undefined
  const stopped = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(fault(validator, request.path, `did not end within ${timeoutMs} ms`))
      ended.abort()
    }, timeoutMs)
    const stop = (): void => {
      reject(new JournalError('ABORTED', 'the operation was cancelled', { hint: 'Nothing was changed.' }))
    }
    if (request.signal?.aborted) stop()
    request.signal?.addEventListener('abort', stop, { once: true })
  })
  stopped.catch(() => undefined)
  try {
    const answer =
      command !== undefined ? byCommand(validator, request, ended.signal) : asked(check, request, ended.signal)
    answer.catch(() => undefined)
    return flaws(validator, request, await Promise.race([answer, stopped]))
  } catch (error) {
    if (error instanceof JournalError && (error.code === 'VALIDATOR' || error.code === 'ABORTED')) throw error
    throw fault(validator, request.path, `failed: ${asJournalError(error, validator.name).message}`, error)
  } finally {
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', cancel)
    // Whatever still runs for an answer that nobody waits for.
    ended.abort()
  }
}

async function asked(check: Validator['check'], request: CustomRequest, signal: AbortSignal): Promise<unknown> {
  const { path, level, sight } = request
  // A copy: what is going to be written is not the validator's to change.
  const bytes = Uint8Array.prototype.slice.call(request.bytes)
  return check?.({
    path,
    bytes,
    level,
    signal,
    text: () => {
      const decoded = decode(bytes, null)
      if ('problem' in decoded) throw new TypeError(`${path} ${decoded.problem}`)
      return decoded.text
    },
    exists: (other) => sight.look(other) !== null,
  })
}

async function byCommand(validator: Validator, request: CustomRequest, signal: AbortSignal): Promise<unknown> {
  const { path, bytes, level, sight } = request
  const command = (validator.command ?? []).map((part) => part.replaceAll('{path}', path))
  const { code, killed, output } = await runCommand(command, {
    cwd: sight.root,
    input: bytes,
    env: { JOURNAL_PATH: path, JOURNAL_LEVEL: level },
    signal,
  })
  if (killed !== null) throw fault(validator, path, `was ended by ${killed}`)
  // What a shell says of a program that cannot be run.
  if (code === 126 || code === 127) throw fault(validator, path, `cannot be run: ${output.trim()}`)
  return code === 0 ? [] : issuesIn(output, path, code)
}

/** `path:line:column: message`, with or without the path and the column; else all of it is one message. */
function issuesIn(output: string, path: string, code: number): ValidatorIssue[] {
  const issues: ValidatorIssue[] = []
  for (const line of output.split(/\r?\n/)) {
    const own = line.startsWith(`${path}:`) ? line.slice(path.length + 1) : line.replace(/^(<stdin>|-|stdin):/, '')
    const [, row, column, message] = /^(\d{1,9})(?::(\d{1,9}))?[:\s]\s*(\S.*)$/.exec(own) ?? []
    if (row === undefined || message === undefined) continue
    issues.push({
      message,
      line: Math.max(Number(row), 1),
      ...(column === undefined ? {} : { column: Math.max(Number(column), 1) }),
    })
  }
  const text = output.trim()
  return issues.length > 0
    ? issues
    : [{ message: text === '' ? `the command ended with code ${code}` : text.slice(0, 2000) }]
}

function flaws(validator: Validator, { path, bytes }: CustomRequest, answer: unknown): readonly Flaw[] {
  if (answer === undefined || answer === null) return []
  if (!Array.isArray(answer)) throw fault(validator, path, `answered ${shown(answer)} instead of a list of issues`)
  if (answer.length === 0) return []
  const decoded = decode(bytes, null)
  const finder = new Finder('text' in decoded ? decoded.text : '')
  for (const issue of answer.slice(0, MAX_FLAWS) as (ValidatorIssue | null)[]) {
    if (typeof issue?.message !== 'string' || !isPlace(issue.line) || !isPlace(issue.column))
      throw fault(validator, path, 'answered with an issue that is not { message, line?, column? }')
    finder.flawAt(issue.line ?? 1, issue.column ?? 1, issue.message.slice(0, 2000).toWellFormed())
  }
  return finder.findings().flaws
}

function isPlace(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 1)
}

function fault({ name }: Validator, path: string, how: string, cause?: unknown): JournalError {
  return new JournalError('VALIDATOR', `the validator ${name}, looking at ${path}, ${how}`, {
    hint: 'Nothing was changed. Repair the validator, give it more time, or leave it out.',
    path,
    cause,
    details: { validator: name },
  })
}

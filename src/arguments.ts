/** What callers without types may hand over by mistake: refused by name, before anything is done with it. */
import { JournalError, shown } from './errors.ts'

type Form = readonly [words: string, fits: (value: unknown) => boolean]
type Shape = Readonly<Record<string, Form>>

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNot = (value: unknown): boolean => value === undefined || isText(value)
const isCallable = (value: unknown): boolean => typeof value === 'function'
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const TEXT: Form = ['a text', isText]
const FLAG: Form = ['true or false', (value) => typeof value === 'boolean']
const CALLABLE: Form = ['a function', isCallable]
/** Smaller segments hold no frame worth the name; larger ones no position can address. */
const SEGMENT_SIZES = [4096, 2 ** 31] as const

function oneOf(...values: string[]): Form {
  return [`one of ${values.join(', ')}`, (value) => isText(value) && values.includes(value as string)]
}

function from(low: number, high: number, words: string): Form {
  return [`${words} from ${low} to ${high}`, (value) => typeof value === 'number' && value >= low && value <= high]
}

const PATHS: Form = ['a list of paths', (value) => Array.isArray(value) && value.every(isText)]
const POINT: Form = [
  'a transaction, a number, a time or an age',
  (value) => isText(value) || typeof value === 'number' || value instanceof Date,
]

const RETENTION: Shape = {
  keepTransactions: from(0, Number.MAX_SAFE_INTEGER, 'a number'),
  keepDays: from(0, Number.MAX_SAFE_INTEGER, 'days'),
  maxBytes: from(0, Number.MAX_SAFE_INTEGER, 'bytes'),
  auto: FLAG,
}
/** A journal of less has no room for its own records. */
const LEAST_JOURNAL = 1024 * 1024
const LIMITS: Shape = {
  journalBytes: from(LEAST_JOURNAL, Number.MAX_SAFE_INTEGER, 'bytes'),
  inPlaceBytes: from(0, Number.POSITIVE_INFINITY, 'bytes'),
}

/** An object in which every key of `shape` that is there fits. @throws JournalError `INVALID` */
function within(name: string, shape: Shape): Form {
  return [`an object with ${Object.keys(shape).join(', ')}`, (value) => checked(name, value as object, shape) === value]
}

export const OPEN: Shape = {
  actor: TEXT,
  durability: oneOf('full', 'os'),
  recover: oneOf('replay', 'revert', 'manual'),
  salvage: FLAG,
  lockTimeoutMs: from(0, Number.POSITIVE_INFINITY, 'milliseconds'),
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  create: FLAG,
  rebind: FLAG,
  readOnly: FLAG,
  legacy: FLAG,
  onProgress: CALLABLE,
  disk: ['a Disk', (value) => isObject(value) && isCallable((value as { realPath?: unknown }).realPath)],
  openDatabase: CALLABLE,
  segmentSize: from(...SEGMENT_SIZES, 'bytes'),
  retention: within('retention', RETENTION),
  limits: within('limits', LIMITS),
  validation: ['a level or an object', (value) => isText(value) || isObject(value)],
}
const LEVEL = oneOf('off', 'basic', 'strict')
export const CHANGE: Shape = { recursive: FLAG, force: FLAG, dryRun: FLAG, validation: LEVEL }
export const BEGIN: Shape = { validation: LEVEL }
export const CHECK: Shape = { run: CALLABLE }
export const TEXTUAL: Shape = { merge: FLAG }
export const HISTORY: Shape = {
  path: TEXT,
  actor: TEXT,
  tag: TEXT,
  parent: TEXT,
  since: POINT,
  until: POINT,
  limit: from(0, Number.POSITIVE_INFINITY, 'a number'),
  order: oneOf('newest', 'oldest'),
}
export const DIFF: Shape = { from: POINT, to: POINT, paths: PATHS }
export const RESTORE: Shape = { ...CHANGE, to: POINT, paths: PATHS }
export const REPLAY: Shape = {
  to: ['a path without NUL', (value) => isText(value) && value !== '' && !(value as string).includes('\0')],
  at: POINT,
}
export const COMPACT: Shape = { ...RETENTION, brokenDays: from(0, Number.POSITIVE_INFINITY, 'days'), dryRun: FLAG }
const COUNT = from(0, Number.MAX_SAFE_INTEGER, 'a number')
const SCOPE: Shape = {
  ignore: ['a list of patterns', PATHS[1]],
  gitignore: FLAG,
  defaults: FLAG,
  maxFileBytes: from(0, Number.POSITIVE_INFINITY, 'bytes'),
  names: COUNT,
}
export const COLLECT: Shape = { ...SCOPE, paths: PATHS, baseline: FLAG, validation: LEVEL }
const MILLISECONDS = from(0, 2 ** 31 - 1, 'milliseconds')
const SIGNAL: Form = ['an AbortSignal', (value) => value instanceof AbortSignal]
export const COLLECT_AND_RUN: Shape = {
  ...SCOPE,
  cwd: TEXT,
  env: ['an object of texts', (value) => isObject(value) && Object.values(value as object).every(isTextOrNot)],
  shell: FLAG,
  timeoutMs: MILLISECONDS,
  killAfterMs: MILLISECONDS,
  signal: SIGNAL,
  output: oneOf('collect', 'inherit', 'ignore'),
  outputBytes: from(0, 2 ** 30, 'bytes'),
  input: ['a text or bytes', (value) => isText(value) || value instanceof Uint8Array],
  validation: LEVEL,
}
export const WATCH: Shape = {
  ...SCOPE,
  quietMs: MILLISECONDS,
  maxWaitMs: MILLISECONDS,
  compareMs: MILLISECONDS,
  polling: FLAG,
  onCollected: CALLABLE,
  onError: CALLABLE,
  validation: LEVEL,
}
export const VERIFY: Shape = { workspace: FLAG }

/**
 * The options as they were given, once they are an object in which every key of `shape` that is there fits.
 * @throws JournalError `INVALID` that names the key
 */
export function checked<T extends object>(what: string, given: T, shape: Shape = {}): T {
  if (!isObject(given)) {
    throw new JournalError('INVALID', `${what} must be an object`, { hint: 'Leave them out, or give an object.' })
  }
  for (const key of Object.keys(shape)) {
    const value = (given as Record<string, unknown>)[key]
    const [words, fits] = shape[key] as Form
    if (value === undefined || fits(value)) continue
    throw new JournalError('INVALID', `${key} must be ${words}, and is ${shown(value)}`, {
      hint: `Correct ${key} in ${what}.`,
    })
  }
  return given
}

/** @throws JournalError `INVALID` unless `given` is a list of texts */
export function checkedPaths(given: readonly string[]): readonly string[] {
  checked('the arguments', { paths: given ?? null }, { paths: PATHS })
  return given
}

/** @throws JournalError `INVALID` unless `given` names a point in the history */
export function checkedPoint<T>(given: T): T {
  checked('the arguments', { at: given ?? null }, { at: POINT })
  return given
}

/** @throws JournalError `INVALID` unless both can be taken */
export function checkListener(event: unknown, listener: unknown): void {
  checked('the arguments', { event: event ?? null, listener: listener ?? null }, { event: TEXT, listener: CALLABLE })
}

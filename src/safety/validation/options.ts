import { JournalError, shown } from '../../errors.ts'
import type { Validator } from './custom.ts'
import { FILE_TYPES, type FileType } from './file-type.ts'
import { globbed } from './glob.ts'
import { LEVELS, type ValidationLevel } from './level.ts'

export interface ValidationOptions {
  /** Default `basic`. */
  readonly level?: ValidationLevel
  /** Levels of single types. C, C++ and CSS are off unless named here: macros, and a grammar that lags behind, would refuse what is right. */
  readonly types?: Readonly<Partial<Record<FileType, ValidationLevel>>>
  /** Further ones. All that want a file get it. */
  readonly validators?: readonly Validator[]
  /** Paths that nobody looks at: `vendor/**`, `*.min.js`. */
  readonly exclude?: readonly string[]
  /** `new`: only what the file did not have before the change. Default `all`. */
  readonly refuse?: 'all' | 'new'
  /** A larger file of a known type is refused. Default 16 MiB. */
  readonly maxBytes?: number
  /** How many files may be read to find out who refers to what a transaction removes, at `strict`. Default 20 000. */
  readonly maxSearched?: number
  /** How long one validator may take for one file. Default 10 000. */
  readonly timeoutMs?: number
  /** Heap that the built-in parsers may take. Default 1 GiB. */
  readonly memoryBytes?: number
}

/** The options with nothing left open. */
export interface ValidationSettings {
  readonly level: ValidationLevel
  readonly types: Readonly<Partial<Record<FileType, ValidationLevel>>>
  readonly validators: readonly Validator[]
  readonly exclude: readonly RegExp[]
  readonly refuse: 'all' | 'new'
  readonly maxBytes: number
  readonly maxSearched: number
  readonly timeoutMs: number
  readonly memoryBytes: number
}

const UNSURE: ValidationSettings['types'] = { c: 'off', cpp: 'off', css: 'off' }
const LONGEST_MS = 2 ** 31 - 1
/** What a string can hold. */
const MOST_BYTES = 512 * 1024 * 1024

/** @throws JournalError `INVALID` that names the option */
export function settled(options: ValidationOptions | ValidationLevel): ValidationSettings {
  const given = typeof options === 'string' ? { level: options } : options
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refused('validation', 'a level or an object', options)
  const { level = 'basic', types = {}, validators = [], exclude = [], refuse = 'all' } = given
  if (!LEVELS.includes(level)) throw refused('validation.level', `one of ${LEVELS.join(', ')}`, level)
  if (typeof types !== 'object' || types === null) throw refused('validation.types', 'an object', types)
  for (const [type, one] of Object.entries(types)) {
    if (!(FILE_TYPES as readonly string[]).includes(type))
      throw refused('a type in validation.types', `one of ${FILE_TYPES.join(', ')}`, type)
    if (!LEVELS.includes(one)) throw refused(`validation.types.${type}`, `one of ${LEVELS.join(', ')}`, one)
  }
  if (!Array.isArray(validators)) throw refused('validation.validators', 'a list', validators)
  const names = new Set<string>()
  for (const validator of validators) checkValidator(validator, names)
  if (!isPatterns(exclude)) throw refused('validation.exclude', 'a list of patterns', exclude)
  if (refuse !== 'all' && refuse !== 'new') throw refused('validation.refuse', 'one of all, new', refuse)
  return {
    level,
    types: { ...UNSURE, ...types },
    validators,
    exclude: exclude.map(globbed),
    refuse,
    maxBytes: amount('validation.maxBytes', given.maxBytes, 16 * 1024 * 1024, MOST_BYTES),
    maxSearched: amount('validation.maxSearched', given.maxSearched, 20_000, Number.MAX_SAFE_INTEGER),
    timeoutMs: amount('validation.timeoutMs', given.timeoutMs, 10_000, LONGEST_MS),
    memoryBytes: amount('validation.memoryBytes', given.memoryBytes, 1024 ** 3, Number.MAX_SAFE_INTEGER),
  }
}

function checkValidator(validator: Validator, names: Set<string>): void {
  if (typeof validator !== 'object' || validator === null) throw refused('a validator', 'an object', validator)
  const { name, files, level, check, command, timeoutMs } = validator
  if (typeof name !== 'string' || name === '') throw refused('the name of a validator', 'a text', name)
  const whose = `of the validator ${name}`
  if (names.has(name)) throw refused(`the name ${whose}`, 'its own', name)
  names.add(name)
  if (!isPatterns(files) && typeof files !== 'string')
    throw refused(`files ${whose}`, 'a pattern or a list of them', files)
  if (level !== undefined && level !== 'basic' && level !== 'strict')
    throw refused(`level ${whose}`, 'basic or strict', level)
  if ((check === undefined) === (command === undefined))
    throw refused(`what ${whose} runs`, 'either a function in check or a list of texts in command', check ?? command)
  if (check !== undefined && typeof check !== 'function') throw refused(`check ${whose}`, 'a function', check)
  if (
    command !== undefined &&
    (!isPatterns(command) || command.length === 0 || command.some((part) => part.includes('\0')))
  )
    throw refused(`command ${whose}`, 'a program with its arguments, as a list of texts', command)
  amount(`timeoutMs ${whose}`, timeoutMs, 1, LONGEST_MS)
}

function isPatterns(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((pattern) => typeof pattern === 'string' && pattern !== '')
}

function amount(name: string, value: number | undefined, usual: number, most: number): number {
  if (value === undefined) return usual
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return value
  throw refused(name, `a whole number from 1 to ${most}`, value)
}

function refused(name: string, form: string, value: unknown): JournalError {
  return new JournalError('INVALID', `${name} must be ${form}, and is ${shown(value)}`, {
    hint: 'Correct it in the options of the validation.',
  })
}

import { JournalError, shown } from '../../errors.ts'
import type { ValidationLevel } from '../../safety/validation/level.ts'
import type { Value, Values } from './template.ts'

/** A file of a module: what it is called, and what is in it. Parameters stand in `path` and in templates; a `content` is taken as it is. */
export interface FileSpec {
  /** Relative to the folder of the module. */
  readonly path: string
  /** One of these three. */
  readonly content?: string
  /** The name of one of the templates. */
  readonly template?: string
  readonly base64?: string
  /** Values for this file, over those of the module. */
  readonly with?: Values
  /** A file for each of these, with its values over the others. */
  readonly each?: readonly Values[]
  /** Permissions in octal: `755`. */
  readonly mode?: string
  /** False: the index does not name it. */
  readonly index?: boolean
}

/** A file that names the others: a line for each, in their order. */
export interface IndexSpec {
  readonly path: string
  /**
   * The line for a file: a template with its values, and `path` (relative to the index), `stem` (that without its last extension) and `name` (its last part).
   * Default for JavaScript and TypeScript: `export * from './{{stem}}.js'`; for Python: `from .{{name}} import *`.
   */
  readonly line?: string
  /** What stands before and behind the lines. */
  readonly header?: string
  readonly footer?: string
}

export interface ModuleSpec {
  /** Relative to the workspace. */
  readonly folder: string
  readonly files: readonly FileSpec[]
  /** Texts with parameters, by name. */
  readonly templates?: Readonly<Record<string, string>>
  /** Values for all files. */
  readonly values?: Values
  readonly index?: IndexSpec
  /** Files that the index does not name. */
  readonly tests?: readonly FileSpec[]
  /** Why; part of the history. */
  readonly message?: string
  /** What the files must pass. Default `basic`. */
  readonly validate?: ValidationLevel
}

type Shape = Readonly<Record<string, (value: unknown) => boolean>>

const isText = (value: unknown): boolean => typeof value === 'string'
const isName = (value: unknown): boolean => isText(value) && value !== ''
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: unknown): boolean => Array.isArray(value)
/** Values of files and templates. */
const VALUE_DEPTH = 20

function isValue(value: unknown, depth = 0): value is Value {
  if (depth > VALUE_DEPTH) return false
  if (Array.isArray(value)) return value.every((part) => isValue(part, depth + 1))
  if (isObject(value)) return Object.values(value).every((part) => isValue(part, depth + 1))
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

const isValues = (value: unknown): boolean => isObject(value) && isValue(value)

const MODULE: Shape = {
  folder: isName,
  files: isList,
  templates: (value) => isObject(value) && Object.values(value).every(isText),
  values: isValues,
  index: isObject,
  tests: isList,
  message: isText,
  validate: (value) => ['off', 'basic', 'strict'].includes(value as string),
}
const FILE: Shape = {
  path: isName,
  content: isText,
  template: isName,
  base64: (value) =>
    isText(value) && /^[A-Za-z0-9+/]*={0,2}$/.test(value as string) && (value as string).length % 4 === 0,
  with: isValues,
  each: (value) => Array.isArray(value) && value.every(isValues),
  mode: (value) => isText(value) && /^[0-7]{3,4}$/.test(value as string),
  index: isFlag,
}
const INDEX: Shape = { path: isName, line: isText, header: isText, footer: isText }

/** The spec, once it is one. @throws JournalError `INVALID` that names what is wrong by its place */
export function checkedSpec(given: unknown): ModuleSpec {
  const spec = checkedObject('the spec', given, MODULE, ['folder', 'files']) as unknown as ModuleSpec
  for (const [at, file] of spec.files.entries()) checkFile(`files[${at}]`, file, spec)
  for (const [at, file] of (spec.tests ?? []).entries()) checkFile(`tests[${at}]`, file, spec)
  if (spec.index !== undefined) checkedObject('index', spec.index, INDEX, ['path'])
  if (spec.files.length === 0) throw refused('files has nothing in it', 'A module has at least one file.')
  return spec
}

function checkFile(where: string, given: unknown, { templates = {} }: ModuleSpec): void {
  const file = checkedObject(where, given, FILE, ['path']) as unknown as FileSpec
  const sources = (['content', 'template', 'base64'] as const).filter((key) => file[key] !== undefined)
  if (sources.length !== 1)
    throw refused(
      `${where} has ${sources.length === 0 ? 'no content' : sources.join(' and ')}`,
      'Give it one of content, template, base64.',
    )
  if (file.template !== undefined && !Object.hasOwn(templates, file.template)) {
    const known = Object.keys(templates).join(', ')
    throw refused(
      `${where}: there is no template ${shown(file.template)}`,
      `Templates are ${known === '' ? 'none' : known}.`,
    )
  }
}

function checkedObject(
  where: string,
  given: unknown,
  shape: Shape,
  required: readonly string[],
): Record<string, unknown> {
  if (!isObject(given)) throw refused(`${where} is no object`, 'See the guide for the form of a spec.')
  for (const [key, value] of Object.entries(given)) {
    const fits = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (fits === undefined)
      throw refused(`${where} has ${shown(key)}, which means nothing`, `It takes ${Object.keys(shape).join(', ')}.`)
    if (value !== undefined && !fits(value))
      throw refused(`${where}.${key} is ${shown(value)}, which does not fit`, 'See the guide for the form of a spec.')
  }
  for (const key of required) {
    if (given[key] === undefined) throw refused(`${where} has no ${key}`, 'See the guide for the form of a spec.')
  }
  return given
}

function refused(message: string, hint: string): JournalError {
  return new JournalError('INVALID', message, { hint })
}

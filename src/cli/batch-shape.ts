import type { Leniency } from '../edit/lenient.ts'
import type { Change } from '../edit/revisers.ts'
import { ENCODINGS, type Encoding } from '../edit/text.ts'
import type { TextEdit } from '../entry/entry.ts'
import { shown } from '../errors.ts'
import { printable } from './printable.ts'

/** The fields that a line of a batch may have beside `op`. */
export interface BatchFields {
  readonly path?: string
  readonly to?: string
  readonly target?: string
  readonly content?: string
  readonly base64?: string
  readonly from?: string
  readonly patch?: string
  readonly edits?: readonly TextEdit[]
  readonly cells?: readonly Change[]
  readonly changes?: readonly Change[]
  readonly encoding?: Encoding
  readonly merge?: boolean
  readonly lenient?: boolean | Leniency
  readonly strip?: number
  /** Octal digits. */
  readonly mode?: string
  readonly expect?: string | null
  readonly recursive?: boolean
}

export type FieldName = keyof BatchFields

interface Shape {
  readonly required: readonly FieldName[]
  readonly optional: readonly FieldName[]
  /** Exactly one of `content`, `base64` and `from`. */
  readonly content?: true
}

export const BATCH_SHAPES = {
  write: { required: ['path'], optional: ['mode', 'expect', 'merge', 'encoding'], content: true },
  append: { required: ['path'], optional: ['expect'], content: true },
  edit: { required: ['path', 'edits'], optional: ['expect', 'encoding', 'merge', 'lenient'] },
  /** Without a path: of the files that it names. */
  patch: { required: ['patch'], optional: ['path', 'expect', 'encoding', 'merge', 'strip'] },
  notebook: { required: ['path', 'cells'], optional: ['expect', 'encoding', 'merge'] },
  set: { required: ['path', 'changes'], optional: ['expect', 'encoding', 'merge'] },
  imports: { required: ['path', 'changes'], optional: ['expect', 'encoding', 'merge'] },
  remove: { required: ['path'], optional: ['recursive', 'expect'] },
  rename: { required: ['path', 'to'], optional: ['expect'] },
  mkdir: { required: ['path'], optional: ['mode'] },
  rmdir: { required: ['path'], optional: [] },
  chmod: { required: ['path', 'mode'], optional: [] },
  symlink: { required: ['path', 'target'], optional: [] },
} as const satisfies Readonly<Record<string, Shape>>

const CONTENT_FIELDS = ['content', 'base64', 'from'] as const satisfies readonly FieldName[]

function isText(value: unknown): value is string {
  // A lone surrogate has no UTF-8 form: writing it would silently change it.
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value)
}

function isName(value: unknown): boolean {
  return isText(value) && value !== ''
}

function isEdit(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { oldText, newText, all, ...unknown } = value as Record<string, unknown>
  const flag = all === undefined || typeof all === 'boolean'
  return isText(oldText) && isText(newText) && flag && Object.keys(unknown).length === 0
}

/** What each holds, the operation itself looks at. */
function isObjects(value: unknown): boolean {
  const isObject = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item)
  return Array.isArray(value) && value.length > 0 && value.every(isObject)
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}

/** What each field must be, in words and as a check. */
const FIELDS: Readonly<Record<FieldName, readonly [words: string, check: (value: unknown) => boolean]>> = {
  path: ['a path', isName],
  to: ['a path', isName],
  target: ['a text that is not empty', isName],
  content: ['a text', isText],
  base64: ['Base64 with its padding', isBase64],
  from: ['the name of a file', (value) => isName(value) && !(value as string).includes('\0')],
  patch: ['a text: a patch', isName],
  edits: [
    'a list of {"oldText":"…","newText":"…"}, with "all":true where every occurrence is meant',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isEdit),
  ],
  cells: ['a list of objects, one a cell', isObjects],
  changes: ['a list of objects, one a change', isObjects],
  encoding: [`one of ${ENCODINGS.join(', ')}`, (value) => ENCODINGS.includes(value as Encoding)],
  mode: ['a text of octal digits, such as "755"', (value) => typeof value === 'string' && /^0?[0-7]{3,4}$/.test(value)],
  expect: [
    '64 hex digits (SHA-256), or null for no file',
    (value) => value === null || (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)),
  ],
  merge: ['true or false', (value) => typeof value === 'boolean'],
  lenient: [
    'true, false, "trailing-blanks" or "indentation"',
    (value) => typeof value === 'boolean' || value === 'trailing-blanks' || value === 'indentation',
  ],
  strip: ['a whole number from 0', (value) => Number.isSafeInteger(value) && (value as number) >= 0],
  recursive: ['true or false', (value) => typeof value === 'boolean'],
}

export interface ShapeProblem {
  readonly message: string
  readonly hint: string
}

/** What is wrong with the fields of an operation; null: nothing. */
export function problemOf(
  op: keyof typeof BATCH_SHAPES,
  fields: Readonly<Record<string, unknown>>,
): ShapeProblem | null {
  const shape: Shape = BATCH_SHAPES[op]
  const contents: readonly FieldName[] = shape.content ? CONTENT_FIELDS : []
  const allowed: readonly string[] = [...shape.required, ...contents, ...shape.optional]
  for (const [name, value] of Object.entries(fields)) {
    if (!allowed.includes(name)) {
      return { message: `unknown field ${printable(shown(name))}`, hint: `It may have ${allowed.join(', ')}.` }
    }
    const [words, check] = FIELDS[name as FieldName]
    if (!check(value)) return { message: `"${name}" must be ${words}`, hint: `Correct "${name}" in this line.` }
  }
  const missing = shape.required.find((name) => !Object.hasOwn(fields, name))
  if (missing !== undefined)
    return { message: `"${missing}" is missing`, hint: `"${missing}" is ${FIELDS[missing][0]}.` }
  if (!shape.content) return null
  const given = contents.filter((name) => Object.hasOwn(fields, name))
  if (given.length === 1) return null
  const message = given.length === 0 ? 'no content' : `${given.map((name) => `"${name}"`).join(' and ')} together`
  return { message, hint: 'Give exactly one of "content" (text), "base64", and "from" (a file).' }
}

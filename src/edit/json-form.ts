import type { Node } from 'jsonc-parser'
import type { PlainValue } from './plain-value.ts'

/** How a JSON text is laid out. */
export interface JsonForm {
  /** One step of indentation; null where everything stands on one line. */
  readonly unit: string | null
  readonly newline: string
  /** Between a key and its value. */
  readonly colon: string
  /** Between two items on one line. */
  readonly comma: string
  /** Blanks inside of braces on one line. */
  readonly padding: string
  /** Characters beyond ASCII are written as escapes. */
  readonly ascii: boolean
}

/** The form that a text has already; of what it does not show, the usual one. */
export function formOf(text: string, root: Node, newline: string): JsonForm {
  const first = root.children?.[0]
  const lead = first === undefined ? '' : text.slice(root.offset + 1, first.offset)
  const deep = first === undefined ? '  ' : lead.includes('\n') ? afterNewline(lead) : null
  const property = firstProperty(root)
  const [key, value] = property?.children ?? []
  const between = key === undefined || value === undefined ? ': ' : text.slice(key.offset + key.length, value.offset)
  const colon = /^\s*:[ \t]*$/.test(between) ? between : ': '
  const tight = deep === null && colon === ':'
  return {
    unit: deep === '' ? '' : deep,
    newline,
    colon,
    comma: tight ? ',' : ', ',
    padding: /\{ +"/.test(text.slice(0, 4096)) ? ' ' : '',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
    ascii: /\\u(?!00[01])[0-9a-fA-F]{4}/.test(text) && !/[^\x00-\x7f]/.test(text),
  }
}

function afterNewline(blanks: string): string {
  return /^[ \t]*/.exec(blanks.slice(blanks.lastIndexOf('\n') + 1))?.[0] ?? ''
}

function firstProperty(node: Node): Node | undefined {
  for (const child of node.children ?? []) {
    if (child.type === 'property') return child
    const found = firstProperty(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** A string as JSON in this form. */
export function quoted(value: string, form: JsonForm): string {
  const json = JSON.stringify(value)
  if (!form.ascii) return json
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value as JSON in this form; lines after the first begin with `indent`. */
export function rendered(value: PlainValue, form: JsonForm, indent: string): string {
  if (typeof value === 'string') return quoted(value, form)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const list = Array.isArray(value)
  const deeper = indent + (form.unit ?? '')
  const items = list
    ? value.map((item) => rendered(item, form, deeper))
    : Object.entries(value).map(([key, item]) => quoted(key, form) + form.colon + rendered(item, form, deeper))
  if (items.length === 0) return list ? '[]' : '{}'
  const [open, close] = list
    ? ['[', ']']
    : [`{${form.unit === null ? form.padding : ''}`, `${form.unit === null ? form.padding : ''}}`]
  if (form.unit === null) return open + items.join(form.comma) + close
  return `${open}${form.newline}${items.map((item) => deeper + item).join(`,${form.newline}`)}${form.newline}${indent}${close}`
}

/**
 * Templates: texts with parameters, `{{name}}`, or `{{a.b}}` for what lies deeper, or `{{name:form}}` for a name in another form. `\{{` stands for two braces.
 * A value is put in as it is, and not looked at for further parameters. A parameter without a value is refused.
 */
import { JournalError, shown } from '../../errors.ts'

export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }
export type Values = Readonly<Record<string, Value>>

const PARAMETER = /\\\{\{|\{\{([^{}]*)\}\}/g
const NAME = /^\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*(?::\s*([a-z]+)\s*)?$/

function wordsOf(text: string): string[] {
  return text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

const FORMS: Readonly<Record<string, (text: string) => string>> = {
  camel: (text) =>
    wordsOf(text)
      .map((word, at) => (at === 0 ? word : capital(word)))
      .join(''),
  pascal: (text) => wordsOf(text).map(capital).join(''),
  kebab: (text) => wordsOf(text).join('-'),
  snake: (text) => wordsOf(text).join('_'),
  constant: (text) => wordsOf(text).join('_').toUpperCase(),
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
}
/** Of any value, where the others are of texts. */
const JSON_FORM = 'json'

/** Fills a template. `where` names it in errors. @throws JournalError `INVALID` with the line */
export function fill(template: string, values: Values, where: string): string {
  return template.replace(PARAMETER, (whole, inner: string | undefined, at: number) => {
    if (inner === undefined) return '{{'
    const line = template.slice(0, at).split('\n').length
    const [, name, form] = NAME.exec(inner) ?? []
    if (name === undefined)
      throw refused(
        where,
        line,
        `${shown(whole)} is no parameter`,
        'Write {{name}}, {{a.b}} or {{name:form}}; \\{{ for two braces.',
      )
    return formed(lookedUp(values, name, where, line), form, { name, where, line })
  })
}

function lookedUp(values: Values, name: string, where: string, line: number): Value {
  let value: Value = values
  for (const step of name.split('.')) {
    const next: Value | undefined =
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Readonly<Record<string, Value>>)[step]
        : undefined
    if (next === undefined) {
      const known = Object.keys(values).join(', ')
      throw refused(
        where,
        line,
        `{{${name}}} has no value`,
        `Give it one; there are values for ${known === '' ? 'nothing' : known}.`,
      )
    }
    value = next
  }
  return value
}

function formed(value: Value, form: string | undefined, place: { name: string; where: string; line: number }): string {
  const { name, where, line } = place
  if (form === JSON_FORM) return JSON.stringify(value)
  if (typeof value === 'object') {
    throw refused(
      where,
      line,
      `{{${name}}} is ${value === null ? 'null' : 'no text'}`,
      `Name what is in it, or write {{${name}:json}}.`,
    )
  }
  const text = String(value)
  if (form === undefined) return text
  const make = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
  if (make !== undefined) return make(text)
  throw refused(
    where,
    line,
    `${shown(form)} is no form`,
    `Forms are ${Object.keys(FORMS).join(', ')} and ${JSON_FORM}.`,
  )
}

function refused(where: string, line: number, what: string, hint: string): JournalError {
  return new JournalError('INVALID', `${where}, line ${line}: ${what}`, { hint, details: { line } })
}

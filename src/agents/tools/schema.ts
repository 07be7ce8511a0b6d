import { JournalError, shown } from '../../errors.ts'

/** The part of JSON Schema that the tools need. */
export type InputSchema =
  | { readonly type: 'string'; readonly description?: string; readonly enum?: readonly string[] }
  | { readonly type: 'integer'; readonly description?: string; readonly minimum?: number }
  | { readonly type: 'boolean'; readonly description?: string }
  | { readonly type: 'array'; readonly description?: string; readonly items: InputSchema; readonly minItems?: number }
  | ObjectSchema

export interface ObjectSchema {
  readonly type: 'object'
  readonly description?: string
  readonly properties: Readonly<Record<string, InputSchema>>
  readonly required: readonly string[]
  readonly additionalProperties: false
}

/** An object schema; names that end in `?` may be left out. */
export function objectOf(properties: Readonly<Record<string, InputSchema>>): ObjectSchema {
  const named = Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema] as const)
  const required = Object.keys(properties).filter((name) => !name.endsWith('?'))
  return { type: 'object', properties: Object.fromEntries(named), required, additionalProperties: false }
}

/** @throws JournalError `INVALID` that names the place, for what a model made up */
export function checkInput(schema: InputSchema, value: unknown, place = 'the input'): void {
  const problem = problemOf(schema, value)
  if (problem !== null) {
    throw new JournalError('INVALID', `${place} must be ${problem}, and is ${shown(value)}`, {
      hint: 'Look at the schema of the tool.',
    })
  }
  if (schema.type === 'array') {
    for (const [index, item] of (value as readonly unknown[]).entries())
      checkInput(schema.items, item, `${place}[${index}]`)
  }
  if (schema.type === 'object') checkProperties(schema, value as Readonly<Record<string, unknown>>, place)
}

function checkProperties(schema: ObjectSchema, value: Readonly<Record<string, unknown>>, place: string): void {
  for (const name of schema.required) {
    if (value[name] !== undefined) continue
    throw new JournalError('INVALID', `${place} has no ${name}`, { hint: 'Look at the schema of the tool.' })
  }
  for (const [name, given] of Object.entries(value)) {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    if (property === undefined) {
      throw new JournalError('INVALID', `${place} has ${shown(name)}, which the tool does not know`, {
        hint: `It knows ${Object.keys(schema.properties).join(', ')}.`,
      })
    }
    if (given !== undefined) checkInput(property, given, place === 'the input' ? name : `${place}.${name}`)
  }
}

function problemOf(schema: InputSchema, value: unknown): string | null {
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return 'a text'
      return schema.enum === undefined || schema.enum.includes(value) ? null : `one of ${schema.enum.join(', ')}`
    case 'integer':
      return Number.isInteger(value) && (value as number) >= (schema.minimum ?? Number.NEGATIVE_INFINITY)
        ? null
        : `a whole number${schema.minimum === undefined ? '' : ` from ${schema.minimum} on`}`
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false'
    case 'array':
      return Array.isArray(value) && value.length >= (schema.minItems ?? 0) ? null : 'a list that is not empty'
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'an object'
  }
}

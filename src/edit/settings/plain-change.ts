import { isList, isTable, type PlainTable, type PlainValue } from '../plain-value.ts'
import { type KeyPath, placeIn } from './key-path.ts'

/** One value set, or taken out. */
export type Step =
  | { readonly kind: 'put'; readonly path: KeyPath; readonly value: PlainValue }
  | { readonly kind: 'drop'; readonly path: KeyPath }

/** The value at a path; undefined where there is none. */
export function valueAt(value: PlainValue | undefined, path: KeyPath): PlainValue | undefined {
  let found = value
  for (const step of path) {
    if (isList(found)) found = found[placeIn(step, found.length) ?? found.length]
    else if (isTable(found) && Object.hasOwn(found, String(step))) found = found[String(step)]
    else return undefined
  }
  return found
}

/** A value below the tables, and lists of one, that a path asks for. */
export function nested(path: KeyPath, value: PlainValue): PlainValue {
  return path.reduceRight<PlainValue>((inner, step) => (step === 0 ? [inner] : table([[String(step), inner]])), value)
}

/** What a value is after a step. What is on the way is made where it is missing. */
export function afterStep(value: PlainValue | undefined, step: Step, at = 0): PlainValue | undefined {
  const key = step.path[at]
  if (key === undefined) return step.kind === 'put' ? step.value : undefined
  if (isList(value)) {
    const place = placeIn(key, value.length) ?? value.length
    const inner = afterStep(value[place], step, at + 1)
    return inner === undefined ? value.toSpliced(place, 1) : value.toSpliced(place, 1, inner)
  }
  if (!isTable(value)) return step.kind === 'put' ? nested(step.path.slice(at), step.value) : value
  const name = String(key)
  const inner = afterStep(Object.hasOwn(value, name) ? value[name] : undefined, step, at + 1)
  const others = Object.entries(value).filter(([other]) => other !== name)
  return table(inner === undefined ? others : [...others, [name, inner]])
}

/** The steps that a merge comes to: whole values where there is no table to merge into. */
export function mergeSteps(value: PlainValue | undefined, path: KeyPath, merged: PlainTable): Step[] {
  return Object.entries(merged).flatMap(([key, item]): Step[] => {
    const here = [...path, key]
    const old = isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined
    return isTable(item) && isTable(old) ? mergeSteps(old, here, item) : [{ kind: 'put', path: here, value: item }]
  })
}

/** The same without tables and lists that are empty, and without those that are then. */
export function withoutEmpty(value: PlainValue): PlainValue | undefined {
  if (isList(value)) {
    const items = value.map(withoutEmpty)
    return items.every((item) => item === undefined) ? undefined : items.map((item) => item ?? null)
  }
  if (!isTable(value) || isMark(value)) return value
  const items = Object.entries(value).flatMap(([key, item]): [string, PlainValue][] => {
    const left = withoutEmpty(item)
    return left === undefined ? [] : [[key, left]]
  })
  return items.length === 0 ? undefined : table(items)
}

function table(items: readonly (readonly [string, PlainValue])[]): PlainTable {
  const made: Record<string, PlainValue> = Object.create(null)
  for (const [key, item] of items) made[key] = item
  return made
}

/** What stands for a value that is no plain one: a date, an alias. `shown` is how it is written. */
export class Mark {
  readonly shown: string

  constructor(shown: string) {
    this.shown = shown
  }
}

function isMark(value: unknown): boolean {
  return value instanceof Mark
}

/** A mark as a value of a document: it is compared by how it is written. */
export function marked(shown: string): PlainValue {
  return new Mark(shown) as unknown as PlainValue
}

import { JournalError, shown } from '../../errors.ts'

/** The way to a value: keys of objects, and places in lists, from 0. */
export type KeyPath = readonly (string | number)[]

/** One step of a path as text: a bare key, a quoted one, or a place in brackets. */
const STEP = /(?:^|\.)(?:([^.[\]"\s][^.[\]"]*)|("(?:[^"\\]|\\.)*"))|\[(\d+)\]/y
const MAX_STEPS = 100

/**
 * A path out of a list of keys, or out of its text form: `scripts.test`, `servers[0].host`, `"a.b".c`.
 * @throws JournalError `INVALID`
 */
export function keyPathOf(given: unknown, what: string): KeyPath {
  const path = typeof given === 'string' ? parsed(given) : given
  const valid =
    Array.isArray(path) &&
    path.length <= MAX_STEPS &&
    path.every((step) =>
      typeof step === 'string' ? step.isWellFormed() : Number.isSafeInteger(step) && (step as number) >= 0,
    )
  if (valid) return Object.freeze([...path]) as KeyPath
  throw new JournalError('INVALID', `${what}: ${shown(given)} is no key path`, {
    hint: 'Give a list of keys and places, or a text such as scripts.test, servers[0].host or "a.b".c.',
  })
}

function parsed(text: string): KeyPath | undefined {
  const steps: (string | number)[] = []
  let at = 0
  while (at < text.length) {
    STEP.lastIndex = at
    const found = STEP.exec(text)
    if (found === null) return undefined
    const [, bare, quoted, place] = found
    try {
      steps.push(bare ?? (quoted === undefined ? Number(place) : (JSON.parse(quoted) as string)))
    } catch {
      return undefined
    }
    at = STEP.lastIndex
  }
  return steps
}

/** The text form of a path. */
export function shownPath(path: KeyPath): string {
  const steps = path.map((step, index) => {
    if (typeof step === 'number') return `[${step}]`
    const text = /^[^.[\]"\s][^.[\]"]*$/.test(step) ? step : JSON.stringify(step)
    return index === 0 ? text : `.${text}`
  })
  return steps.length === 0 ? 'the top level' : steps.join('')
}

/** The place in a list that a step means; `length`: how many items it has. Undefined: none. */
export function placeIn(step: string | number, length: number): number | undefined {
  const place = typeof step === 'number' ? step : /^\d{1,15}$/.test(step) ? Number(step) : undefined
  return place !== undefined && place <= length ? place : undefined
}

import { JournalError } from '../../errors.ts'
import { newlineOf } from '../place.ts'
import { isList, isTable, type PlainValue, sameValue } from '../plain-value.ts'
import { type Splice, spliced } from '../splice.ts'
import { type KeyPath, placeIn, shownPath } from './key-path.ts'
import { afterStep, mergeSteps, type Step, valueAt, withoutEmpty } from './plain-change.ts'
import type { CheckedChange } from './setting-change.ts'
import type { SettingsFile, SettingsFormat } from './settings-format.ts'

/**
 * The text of a configuration file after these changes, in order. Everything but what they name stays byte for byte. After each step the file is read
 * again: what does not say then exactly what it should is refused, so no oddity of a format can make it say something else.
 * @throws JournalError `INVALID` with the line
 */
export async function changedSettings(
  text: string,
  changes: readonly CheckedChange[],
  path: string,
  format: SettingsFormat,
  document?: number,
): Promise<string> {
  const read = (what: string): Promise<SettingsFile> => format.read(what, path, document)
  let now = text
  let file = await read(now)
  const atOnce = await replacedAtOnce(now, changes, file, path, format, read)
  if (atOnce !== null) [now, file] = [atOnce.text, atOnce.file]
  for (const change of atOnce === null ? changes : []) {
    for (const given of stepsOf(change, file, path)) {
      const step = given.kind === 'put' ? { ...given, value: format.normal?.(given.value, path) ?? given.value } : given
      const old = valueAt(file.value, step.path)
      if (step.kind === 'put' && old !== undefined && sameValue(old, step.value)) continue
      checkWay(file.value, step, path)
      const splices = step.kind === 'put' ? file.put(step.path, step.value) : file.drop(step.path)
      now = spliced(now, splices)
      file = await checkedRead(now, file.value, step, path, format, document)
    }
  }
  return endedAs(text, now, read, file.value)
}

/**
 * Several values that take the place of others, none of them within another, worked out on one reading of the file and looked at by a second. Null where it is not as
 * simple as that, or is to be refused: step by step, it is known at which.
 */
async function replacedAtOnce(
  text: string,
  changes: readonly CheckedChange[],
  file: SettingsFile,
  path: string,
  format: SettingsFormat,
  read: (text: string) => Promise<SettingsFile>,
): Promise<{ readonly text: string; readonly file: SettingsFile } | null> {
  if (changes.length < 2) return null
  const places: (readonly Splice[])[] = []
  let expected: PlainValue | undefined = file.value
  try {
    const steps = changes.flatMap((change) => stepsOf(change, file, path))
    if (!apartFromEachOther(steps)) return null
    for (const given of steps) {
      if (given.kind !== 'put') return null
      const step = { ...given, value: format.normal?.(given.value, path) ?? given.value }
      const old = valueAt(file.value, step.path)
      if (old === undefined) return null
      if (sameValue(old, step.value)) continue
      places.push(file.put(step.path, step.value))
      expected = afterStep(expected, step)
    }
    if (!areApart(places)) return null
    const changed = spliced(text, places.flat())
    const after = await read(changed)
    return sameSettings(format, after.value, expected) ? { text: changed, file: after } : null
  } catch (error) {
    if (error instanceof JournalError) return null
    throw error
  }
}

/** Is no path of these the way to another? */
function apartFromEachOther(steps: readonly Step[]): boolean {
  const paths = steps
    .map(({ path }) =>
      path
        .map((key) => `${String(key).length}:${key}`)
        .join('/')
        .concat('/'),
    )
    .sort()
  return paths.every((path, index) => index === 0 || !path.startsWith(paths[index - 1] as string))
}

/** Does no place touch another? Splices of one do. */
function areApart(places: readonly (readonly Splice[])[]): boolean {
  const spans = places
    .filter((splices) => splices.length > 0)
    .map((splices) => [Math.min(...splices.map(({ from }) => from)), Math.max(...splices.map(({ to }) => to))] as const)
    .sort(([a], [b]) => a - b)
  return spans.every(([from], index) => index === 0 || from > (spans[index - 1] as readonly [number, number])[1])
}

/** With a line ending at the end of the file where there was one, and without one where there was none, unless that says something. */
async function endedAs(
  before: string,
  after: string,
  read: (text: string) => Promise<SettingsFile>,
  value: PlainValue,
): Promise<string> {
  const ends = before.endsWith('\n')
  if (before === '' || after === '' || ends === after.endsWith('\n')) return after
  const ended = ends ? after + newlineOf(before) : after.replace(/(?:\r?\n)+$/, '')
  return sameValue((await read(ended)).value, value) ? ended : after
}

function stepsOf(change: CheckedChange, file: SettingsFile, path: string): readonly Step[] {
  const { key } = change
  if ('value' in change) return [{ kind: 'put', path: key, value: change.value }]
  const old = valueAt(file.value, key)
  if ('merge' in change) {
    if (old === undefined && key.length > 0) return [{ kind: 'put', path: key, value: change.merge }]
    if (isTable(old)) return mergeSteps(old, key, change.merge)
    if (old === null || old === undefined) return mergeSteps({}, key, change.merge)
    throw new JournalError('INVALID', `${shownPath(key)} of ${path} is no table, so nothing can be merged into it`, {
      hint: 'Set it as a whole.',
      path,
    })
  }
  if (old !== undefined) return [{ kind: 'drop', path: key }]
  throw new JournalError('INVALID', `there is no ${shownPath(key)} in ${path}`, {
    hint: `${nearest(file.value, key)} Leave the change out where it may be gone already.`,
    path,
  })
}

/** What there is where a path ends. */
function nearest(value: PlainValue, key: KeyPath): string {
  for (let length = key.length - 1; length >= 0; length -= 1) {
    const found = valueAt(value, key.slice(0, length))
    const where = shownPath(key.slice(0, length))
    if (isList(found)) return `The list ${where} has ${found.length} items.`
    if (isTable(found)) {
      const keys = Object.keys(found)
      return keys.length === 0
        ? `${where} is empty.`
        : `In ${where} there are ${keys
            .slice(0, 10)
            .map((name) => shownPath([name]))
            .join(', ')}.`
    }
  }
  return 'It holds no tables.'
}

/** A list that is made has one item: the first. */
function checkWay(value: PlainValue, step: Step, path: string): void {
  const missing = step.path.findIndex((_, index) => valueAt(value, step.path.slice(0, index + 1)) === undefined)
  if (missing < 0) return
  const inner = step.path.slice(missing + 1).find((key) => typeof key === 'number' && key !== 0)
  if (inner === undefined) return
  throw new JournalError(
    'INVALID',
    `${shownPath(step.path)} of ${path}: a list that is not there has no place ${inner}`,
    {
      hint: 'Begin with place 0.',
      path,
    },
  )
}

function sameSettings(format: SettingsFormat, a: PlainValue | undefined, b: PlainValue | undefined): boolean {
  if (!format.forgetsEmpty) return sameValue(a, b)
  return sameValue(a === undefined ? a : withoutEmpty(a), b === undefined ? b : withoutEmpty(b))
}

async function checkedRead(
  text: string,
  before: PlainValue,
  step: Step,
  path: string,
  format: SettingsFormat,
  document: number | undefined,
): Promise<SettingsFile> {
  let file: SettingsFile | undefined
  try {
    file = await format.read(text, path, document)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
  }
  const expected = afterStep(before, step)
  if (file !== undefined && sameSettings(format, file.value, expected)) return file
  throw new JournalError(
    'INVALID',
    `${shownPath(step.path)} of ${path} cannot be changed without changing more of the file`,
    {
      hint: 'Change it as text.',
      path,
      details: { key: step.path.map((key) => (typeof key === 'string' ? key : placeIn(key, key))) },
    },
  )
}

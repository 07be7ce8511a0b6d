import type { TextEdit } from '../entry/entry.ts'
import { JournalError, shown } from '../errors.ts'
import { type Leniency, lenientPlaces, type Place } from './lenient.ts'
import { type LineEnd, lineEndAt, lineEndsOf, lineSpans, withLineEnds } from './lines.ts'
import { type PlainEdit, runEdits } from './many-edits.ts'
import { ambiguousError, emptyError, missingError } from './missing-text.ts'
import { occurrences } from './occurrences.ts'

/** How the text of an edit was found: as it is, or only when line ends, blanks at the ends of lines, or indentation were not looked at. */
export type Matching = 'exact' | 'line-ends' | Leniency

/** How one edit was made. */
export interface EditMatch {
  readonly matching: Matching
  /** How many places. */
  readonly count: number
  /** First and last line of each place, from 1, in the text as the edits before it left it: of a thousand at most. */
  readonly lines: readonly (readonly [from: number, to: number])[]
}

export interface Edited {
  readonly text: string
  readonly edits: readonly EditMatch[]
}

export interface EditOptions {
  /** What more than line ends may be overlooked when a text is not there as it is. Default: nothing. */
  readonly lenient?: Leniency | undefined
}

/** From so many edits on, and so many characters to go through for all of them together, they are made in one run. */
const RUN_EDITS = 32
const RUN_CHARACTERS = 50_000_000
/** After a run that came no further than this, edits are made one by one for a while. */
const SHORT_RUN = 64
/** Places whose lines are told. */
const MOST_LINES = 1000
const MOST_PARTS = 100_000

/**
 * Makes edits in order, each on what the ones before it left. A text is looked for as it is; then with other line ends; then, as far as `lenient` goes, without
 * looking at blanks at the ends of lines, and at indentation. The first of these that finds it counts. New texts without a CR get the line ends of the place they
 * come to.
 * @throws JournalError `INVALID`: a text that is empty, or stands nowhere (with the nearest candidates), or more than once without `all` (with their lines)
 */
export function applyEdits(
  content: string,
  edits: readonly TextEdit[],
  path: string,
  options: EditOptions = {},
): Edited {
  const made: EditMatch[] = []
  let text = content
  let single = 0
  let most = edits.length
  for (let at = 0; at < edits.length; ) {
    const rest = edits.length - at
    if (single === 0 && rest >= RUN_EDITS && rest * text.length >= RUN_CHARACTERS) {
      const tried = edits.slice(at, at + most)
      const run = runOf(text, tried)
      if (run !== null) {
        text = run.text
        for (const match of run.edits) made.push(match)
        at += run.edits.length
      }
      const done = run?.edits.length ?? 0
      single = done < tried.length ? 1 : 0
      if (done < SHORT_RUN) [single, most] = [SHORT_RUN, 4 * SHORT_RUN]
      else if (done === tried.length) most *= 8
      continue
    }
    single = Math.max(0, single - 1)
    const edit = edits[at] as TextEdit
    const found = find(text, edit, options)
    if (found === null || (found.count > 1 && edit.all !== true)) {
      throw refusal({ content, text, edits, at, path, options, found })
    }
    const places = edit.all === true ? apart(found) : found
    made.push({ matching: found.matching, count: places.count, lines: linesOf(text, places) })
    text = places.whole?.() ?? replaced(text, places)
    at += 1
  }
  return { text, edits: made }
}

interface Found {
  readonly matching: Matching
  readonly count: number
  /** Where it stands, in order; places may overlap. Only the first ones, where the others need not be known. */
  readonly starts: readonly number[]
  /** A place, by its index. Made when it is asked for: there may be millions. */
  readonly place: (index: number) => Place
  /** The whole new text, where that is to be had at once. */
  readonly whole?: () => string
}

/** Many edits at once, as far as that goes. */
function runOf(text: string, edits: readonly TextEdit[]): Edited | null {
  const ends = lineEndsOf(text)
  if (ends === 'mixed' || !isClean(text, ends)) return null
  const all = edits.map((edit) => plain(edit, ends))
  // From one on that brings other line ends, no place is certain to have these.
  const odd = all.findIndex(({ oldText, newText }) => !isClean(oldText, ends) || !isClean(newText, ends))
  const run = runEdits(text, odd < 0 ? all : all.slice(0, odd))
  if (run === null) return null
  const made = run.lines.map((lines, index): EditMatch => {
    const { oldText } = edits[index] as TextEdit
    return { matching: isOtherwise(oldText, ends) ? 'line-ends' : 'exact', count: lines.length, lines }
  })
  return { text: run.text, edits: made }
}

/** Has it line ends of one kind only, and no CR besides? */
function isClean(text: string, ends: LineEnd): boolean {
  if (!text.includes('\r')) return ends === '\n' || !text.includes('\n')
  return ends === '\r\n' && !/\r(?!\n)|(?<!\r)\n/.test(text)
}

/** An edit of a text with only one kind of line ends, in the form in which it is made. */
function plain({ oldText, newText, all }: TextEdit, ends: LineEnd): PlainEdit {
  if (!isOtherwise(oldText, ends)) return { oldText, newText: inPlace(oldText, newText, ends), all: all === true }
  return { oldText: withLineEnds(oldText, ends), newText: withLineEnds(newText, ends), all: all === true }
}

/** Has it line ends that a text with these ones cannot have? */
function isOtherwise(oldText: string, ends: LineEnd): boolean {
  return ends === '\n' ? oldText.includes('\r\n') : /(?:^|[^\r])\n/.test(oldText)
}

function find(text: string, edit: TextEdit, { lenient }: EditOptions): Found | null {
  const { oldText, newText } = edit
  if (oldText === '') return null
  const exact = exactPlaces(text, edit)
  if (exact !== null) return exact
  const otherwise = otherLineEnds(text, oldText, newText)
  if (otherwise.length > 0) return listed('line-ends', otherwise)
  for (const level of LEVELS) {
    if (lenient === undefined || LEVELS.indexOf(level) > LEVELS.indexOf(lenient)) break
    const places = lenientPlaces(text, oldText, newText, level)
    if (places.length > 0) return listed(level, places)
  }
  return null
}

function listed(matching: Matching, places: readonly Place[]): Found {
  const starts = places.map(({ from }) => from)
  return { matching, count: starts.length, starts, place: (index) => places[index] as Place }
}

/** The lines of the first places. */
function linesOf(text: string, { starts, place }: Found): (readonly [number, number])[] {
  return lineSpans(
    text,
    starts.slice(0, MOST_LINES).map((_, index) => place(index)),
  )
}

const LEVELS: readonly Leniency[] = ['trailing-blanks', 'indentation']

/**
 * Where a text stands as it is: every place, those that overlap too; but none that would cut a CRLF in two for one who wrote LF. All of them are kept only for one who
 * replaces all, each in its own way.
 */
function exactPlaces(text: string, { oldText, newText, all }: TextEdit): Found | null {
  const cuts = oldText[0] === '\n' && text.includes('\r\n')
  const alike = all === true && !cuts && !(newText.includes('\n') && text.includes('\r'))
  const most = all === true && !alike ? Number.POSITIVE_INFINITY : MOST_LINES
  const starts: number[] = []
  let count = 0
  let end = 0
  for (const at of occurrences(text, oldText)) {
    if (alike && at < end) continue
    if (cuts && at > 0 && text[at - 1] === '\r') continue
    end = at + oldText.length
    count += 1
    if (starts.length < most) starts.push(at)
  }
  if (count === 0) return null
  const place = (index: number) => placed(text, starts[index] as number, oldText, newText)
  const whole = alike ? { whole: () => replacedAlike(text, oldText, newText) } : {}
  return { matching: 'exact', count, starts, place, ...whole }
}

function placed(text: string, from: number, oldText: string, newText: string): Place {
  const replacement = newText.includes('\n') ? inPlace(oldText, newText, lineEndAt(text, from)) : newText
  return { from, to: from + oldText.length, replacement }
}

/** A new text with the line ends of its place, unless the caller wrote its own, or edits line ends themselves. */
function inPlace(oldText: string, newText: string, end: LineEnd): string {
  if (newText.includes('\r') || /^[\r\n]+$/.test(oldText)) return newText
  return end === '\r\n' ? newText.replaceAll('\n', end) : newText
}

/** Where it stands with other line ends than it was given with. */
function otherLineEnds(text: string, oldText: string, newText: string): Place[] {
  if (!oldText.includes('\n') || !text.includes('\n')) return []
  const wanted = withLineEnds(oldText, '\n')
  const bare = withLineEnds(text, '\n')
  const places: Place[] = []
  const [begin, end] = [offsets(text), offsets(text)]
  for (const at of occurrences(bare, wanted)) {
    const from = begin(at)
    const to = end(at + wanted.length)
    places.push({ from, to, replacement: endedAs(text.slice(from, to), newText, lineEndAt(text, from)) })
  }
  return places
}

/** A new text whose lines end in turn as those of the old one do; where that has fewer, with `end`. */
function endedAs(oldText: string, newText: string, end: LineEnd): string {
  const ends = oldText.match(/\r?\n/g) ?? []
  let line = 0
  return newText.replace(/\r?\n/g, () => ends[line++] ?? end)
}

/** Makes offsets in a text whose CRLFs are LFs, each not before the last, offsets in the text. */
function offsets(text: string): (at: number) => number {
  let next = text.indexOf('\r\n')
  let more = 0
  return (at) => {
    for (; next >= 0 && next - more < at; next = text.indexOf('\r\n', next + 2)) more += 1
    return at + more
  }
}

/** Those that do not overlap one before them. */
function apart(found: Found): Found {
  if (found.whole !== undefined) return found
  let end = 0
  const kept: number[] = []
  for (let index = 0; index < found.starts.length; index += 1) {
    const { from, to } = found.place(index)
    if (from < end) continue
    end = to
    kept.push(index)
  }
  if (kept.length === found.starts.length) return found
  return {
    matching: found.matching,
    count: kept.length,
    starts: kept.map((index) => found.starts[index] as number),
    place: (index) => found.place(kept[index] as number),
  }
}

/** Every occurrence by the same text, without holding one thing for each. */
function replacedAlike(text: string, oldText: string, newText: string): string {
  const whole: string[] = []
  let parts: string[] = []
  let at = 0
  for (let next = text.indexOf(oldText); next >= 0; next = text.indexOf(oldText, at)) {
    parts.push(text.slice(at, next), newText)
    at = next + oldText.length
    if (parts.length < MOST_PARTS) continue
    whole.push(parts.join(''))
    parts = []
  }
  whole.push(parts.join(''), text.slice(at))
  return whole.join('')
}

function replaced(text: string, { starts, place }: Found): string {
  const whole: string[] = []
  let parts: string[] = []
  let at = 0
  for (let index = 0; index < starts.length; index += 1) {
    const { from, to, replacement } = place(index)
    parts.push(text.slice(at, from), replacement)
    at = to
    // Not millions of parts at once.
    if (parts.length < MOST_PARTS) continue
    whole.push(parts.join(''))
    parts = []
  }
  whole.push(parts.join(''), text.slice(at))
  return whole.join('')
}

interface Refused {
  readonly content: string
  readonly text: string
  readonly edits: readonly TextEdit[]
  readonly at: number
  readonly path: string
  readonly options: EditOptions
  readonly found: Found | null
}

function refusal({ content, text, edits, at, path, options, found }: Refused): JournalError {
  const edit = edits[at] as TextEdit
  const which = { path, at, of: edits.length }
  if (edit.oldText === '') return emptyError(which)
  if (found !== null) return ambiguousError(which, found.count, linesOf(text, found), found.matching)
  const better = LEVELS.find((lenient) => find(text, edit, { lenient }) !== null)
  const standing = better === undefined ? null : find(text, edit, { lenient: better })
  return missingError(which, text, edit.oldText, {
    otherwise: standing === null ? null : { matching: standing.matching, lines: linesOf(text, standing) },
    changedBy:
      find(content, edit, options) === null ? null : changedBy(content, edits.slice(0, at), edit, options, path),
  })
}

/** Which edit, from 1, changed the place where another stood; 0: that takes too long to find out. */
function changedBy(
  content: string,
  before: readonly TextEdit[],
  edit: TextEdit,
  options: EditOptions,
  path: string,
): number {
  if (before.length * content.length > RUN_CHARACTERS) return 0
  let text = content
  for (const [index, earlier] of before.entries()) {
    text = applyEdits(text, [earlier], path, options).text
    if (find(text, edit, options) === null) return index + 1
  }
  return 0
}

/** A lone surrogate has no form in UTF-8: neither the file nor the log could hold it. */
export function isWords(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

/** @throws JournalError `INVALID` */
export function checkPatch(path: string, patch: string): string {
  if (isWords(patch)) return patch
  throw new JournalError('INVALID', `the patch ${path === '' ? '' : `for ${shown(path)} `}is no well-formed text`, {
    hint: 'Give a unified diff of one file.',
    path,
  })
}

/** @throws JournalError `INVALID` */
export function checkEdits(path: string, edits: readonly TextEdit[]): readonly TextEdit[] {
  if (!Array.isArray(edits) || edits.length === 0) throw badEdits(path, '', 'Give at least one edit with both texts.')
  return edits.map((edit, index) => {
    if (isWords(edit?.oldText) && isWords(edit.newText)) {
      const { oldText, newText, all } = edit
      return Object.freeze({ oldText, newText, ...(all === true ? { all } : {}) })
    }
    const isPattern = (edit?.oldText as unknown) instanceof RegExp
    const hint = isPattern
      ? 'A regular expression is no text: give the text itself, one edit for each.'
      : 'Give at least one edit with both texts.'
    throw badEdits(path, edits.length === 1 ? '' : `: look at edit ${index + 1} of ${edits.length}`, hint)
  })
}

function badEdits(path: string, which: string, hint: string): JournalError {
  return new JournalError(
    'INVALID',
    `the edits for ${shown(path)} are not a list of { oldText, newText } in well-formed text${which}`,
    { hint, path },
  )
}

/** @throws JournalError `INVALID` */
export function checkLeniency(lenient: unknown): Leniency | undefined {
  if (lenient === undefined || lenient === false) return undefined
  if (lenient === true) return 'indentation'
  const level = LEVELS.find((each) => each === lenient)
  if (level !== undefined) return level
  throw new JournalError('INVALID', `${shown(lenient)} is no way of matching`, {
    hint: `Give true, false, or one of ${LEVELS.join(', ')}.`,
  })
}

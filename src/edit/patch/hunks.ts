/** Puts the hunks of a patch into a text. */
import { candidatesOf, diffOf } from '../candidates.ts'
import { type LineEnd, Lines } from '../lines.ts'
import type { Hunk, HunkConflict, HunkMatch, HunkMatching, PatchFormat, PatchLine } from './file-patch.ts'

export interface Patched {
  readonly text: string
  readonly hunks: readonly HunkMatch[]
  /** Hunks that do not fit, with all of which the text is as it was before them. */
  readonly conflicts: readonly HunkConflict[]
}

interface Place {
  readonly from: number
  readonly matching: HunkMatching
}

type Reduce = (text: string) => string

/** Marks that look alike: typographic ones are taken for those of a keyboard. */
const PUNCTUATION: readonly (readonly [RegExp, string])[] = [
  [/[\u2010-\u2015\u2212]/g, '-'],
  [/[\u2018-\u201b]/g, "'"],
  [/[\u201c-\u201f]/g, '"'],
  [/[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g, ' '],
]

function plainPunctuation(text: string): string {
  return PUNCTUATION.reduce((plain, [marks, mark]) => plain.replace(marks, mark), text.trim())
}

const EXACT: readonly [HunkMatching, Reduce] = ['exact', (text) => text]
const LEVELS: Readonly<Record<PatchFormat, readonly (readonly [HunkMatching, Reduce])[]>> = {
  unified: [EXACT],
  apply_patch: [
    EXACT,
    ['trailing-blanks', (text) => text.trimEnd()],
    ['blanks', (text) => text.trim()],
    ['punctuation', plainPunctuation],
  ],
}

/**
 * Puts hunks into a text, each behind the one before. One of a unified diff stands where it says, or at the nearest place where its lines are the same; one of an
 * `apply_patch` text at the first place behind the one before and behind its anchors. Line ends are not compared; lines that stay keep theirs, and lines that come get
 * those of their neighbours. All hunks are tried, also behind one that does not fit.
 */
export function applyHunks(content: string, hunks: readonly Hunk[], format: PatchFormat): Patched {
  const lines = new Lines(content)
  const parts = new Parts()
  const matches: HunkMatch[] = []
  const conflicts: HunkConflict[] = []
  let done = 0
  let shift = 0
  for (const [index, given] of hunks.entries()) {
    const begin = behindAnchors(lines, given.anchors, done, format)
    const expected = given.at === null ? null : Math.max(0, given.at - 1 + shift)
    const located = begin === null ? null : locate(lines, given, { begin, expected, format })
    if (located === null) {
      conflicts.push(conflictOf(lines, given, { number: index + 1, expected, missingAnchor: begin === null }))
      continue
    }
    const { hunk, place } = located
    const wanted = hunk.lines.filter(({ sign }) => sign !== '+')
    parts.push(content.slice(lines.from(done), lines.from(place.from)))
    const end = endFor(lines, place.from)
    for (const line of changed(lines, hunk, place.from, end)) parts.push(line, end)
    done = place.from + wanted.length
    const offset = expected === null ? 0 : place.from - expected
    shift += offset
    matches.push({ matching: place.matching, lines: [place.from + 1, place.from + wanted.length], offset })
  }
  parts.push(content.slice(lines.from(done)))
  return { text: parts.text, hunks: matches, conflicts }
}

/** Parts of a new text. A line without an end gets one when anything comes behind it. */
class Parts {
  readonly #parts: string[] = []
  #last = ''

  /** `end`: of the lines around it. */
  push(part: string, end: LineEnd = '\n'): void {
    if (part === '') return
    if (this.#last !== '' && !this.#last.endsWith('\n')) this.#parts.push(end)
    this.#parts.push(part)
    this.#last = part
  }

  get text(): string {
    return this.#parts.join('')
  }
}

/** Where to look from; null when an anchor is not there. */
function behindAnchors(lines: Lines, anchors: readonly string[], from: number, format: PatchFormat): number | null {
  let begin = from
  for (const anchor of anchors) {
    const place = sought(lines, [{ sign: ' ', text: anchor }], begin, format)
    if (place === null) return null
    begin = place.from + 1
  }
  return begin
}

/** Its place; that of one with a blank line at its end may be the one without, which is there for the eye only. */
function locate(lines: Lines, hunk: Hunk, where: Where): { hunk: Hunk; place: Place } | null {
  const wanted = hunk.lines.filter(({ sign }) => sign !== '+')
  const place = placeOf(lines, hunk, wanted, where)
  if (place !== null) return { hunk, place }
  const last = hunk.lines.at(-1)
  if (where.format === 'unified' || hunk.lines.length < 2 || last?.sign !== ' ' || last.text !== '') return null
  return locate(lines, { ...hunk, lines: hunk.lines.slice(0, -1) }, where)
}

interface Where {
  readonly begin: number
  readonly expected: number | null
  readonly format: PatchFormat
}

function placeOf(lines: Lines, hunk: Hunk, wanted: readonly PatchLine[], where: Where): Place | null {
  const { begin, expected, format } = where
  const last = lines.count - wanted.length
  if (wanted.length === 0) {
    const from = expected ?? (hunk.anchors.length > 0 ? begin : lines.count)
    return from < begin || from > lines.count ? null : { from, matching: 'exact' }
  }
  if (expected === null) {
    const atEnd = hunk.atEnd && last >= begin ? sought(lines, wanted, last, format) : null
    return atEnd ?? sought(lines, wanted, begin, format)
  }
  const fits = (from: number): boolean => from >= begin && from <= last && standsAt(lines, wanted, from, EXACT[1])
  for (let distance = 0; expected - distance >= begin || expected + distance <= last; distance += 1) {
    if (fits(expected + distance)) return { from: expected + distance, matching: 'exact' }
    if (fits(expected - distance)) return { from: expected - distance, matching: 'exact' }
  }
  return null
}

/** The first place from `begin` on; a level that finds one counts before the next. */
function sought(lines: Lines, wanted: readonly PatchLine[], begin: number, format: PatchFormat): Place | null {
  for (const [matching, reduce] of LEVELS[format]) {
    for (let from = begin; from <= lines.count - wanted.length; from += 1) {
      if (standsAt(lines, wanted, from, reduce)) return { from, matching }
    }
  }
  return null
}

function standsAt(lines: Lines, wanted: readonly PatchLine[], from: number, reduce: Reduce): boolean {
  for (const [index, { text, unended, end }] of wanted.entries()) {
    const line = lines.at(from + index)
    if (text !== line && reduce(text) !== reduce(line)) return false
    if (!unended && end === undefined) continue
    const found = lines.end(from + index)
    if (unended ? found !== '' : found !== '' && found !== end) return false
  }
  return true
}

/** The lines of a hunk as they are afterwards, with their ends: those that stay as they are in the file, and new ones in turn with those of the lines that go. */
function changed(lines: Lines, hunk: Hunk, from: number, end: LineEnd): string[] {
  const made: string[] = []
  let at = from
  let gone: LineEnd[] = []
  for (const { sign, text, unended, end: own } of hunk.lines) {
    if (sign === ' ') {
      made.push(lines.at(at) + lines.end(at))
      gone = []
    }
    if (sign === '-') gone.push(lines.end(at) || end)
    if (sign === '+') made.push(unended ? text : text + (own ?? gone.shift() ?? end))
    if (sign !== '+') at += 1
  }
  // A file whose last line has no end keeps it that way, unless the patch speaks of it.
  const speaks = hunk.lines.some(({ unended }) => unended)
  const last = made.at(-1)
  if (last !== undefined && at === lines.count && at > from && lines.end(at - 1) === '' && !speaks)
    made[made.length - 1] = last.replace(/\r?\n$/, '')
  return made
}

/** The line end of a place: of its first line, else of the one before. */
function endFor(lines: Lines, from: number): LineEnd {
  const own = from < lines.count ? lines.end(from) : ''
  return own || (from > 0 ? lines.end(from - 1) : '') || (lines.count > 0 ? lines.end(0) : '') || '\n'
}

interface Failure {
  readonly number: number
  readonly expected: number | null
  readonly missingAnchor: boolean
}

function conflictOf(lines: Lines, hunk: Hunk, failure: Failure): HunkConflict {
  const { number, expected, missingAnchor } = failure
  const wanted = hunk.lines.filter(({ sign }) => sign !== '+').map(({ text }) => text)
  const asked = missingAnchor ? [...hunk.anchors] : wanted
  const result = hunk.lines.filter(({ sign }) => sign !== '-')
  const isDone =
    expected !== null &&
    result.length > 0 &&
    standsWhole(lines, result, Math.min(expected, lines.count - result.length))
  let line = expected === null ? null : Math.min(expected, lines.count) + 1
  let standing = line === null ? [] : lines.range(line - 1, line - 1 + wanted.length)
  const [nearest] = expected === null || standing.length === 0 ? candidatesOf(lines.text, asked.join('\n')) : []
  if (nearest !== undefined) {
    line = nearest.line
    standing = nearest.text.split('\n')
  }
  const reason = missingAnchor
    ? 'the line to go to is not there'
    : isDone
      ? 'it seems to be applied already'
      : 'other lines stand there'
  return {
    hunk: number,
    patchLine: hunk.patchLine,
    line,
    expected: asked.join('\n'),
    found: standing.join('\n'),
    diff: diffOf(asked.slice(0, 200), standing.slice(0, 200)),
    reason,
  }
}

function standsWhole(lines: Lines, wanted: readonly PatchLine[], from: number): boolean {
  return from >= 0 && from + wanted.length <= lines.count && standsAt(lines, wanted, from, EXACT[1])
}

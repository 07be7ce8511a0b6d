/** Puts the hunks of a patch into a text. */
import { candidatesOf, diffOf } from '../candidates.ts'
import { type LineEnd, linesOf } from '../lines.ts'
import type { Hunk, HunkConflict, HunkMatch, HunkMatching, PatchFormat, PatchLine } from './file-patch.ts'

/** A line of a text with its end; only the last may have none. */
interface TextLine {
  readonly text: string
  readonly end: LineEnd | ''
}

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
  const lines = linesOf(content).map(({ from, to, next }): TextLine => {
    return { text: content.slice(from, to), end: content.slice(to, next) as LineEnd | '' }
  })
  const parts: TextLine[] = []
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
    for (let at = done; at < place.from; at += 1) parts.push(lines[at] as TextLine)
    parts.push(...changed(lines, hunk, place.from, endFor(lines, place.from)))
    done = place.from + wanted.length
    const offset = expected === null ? 0 : place.from - expected
    shift += offset
    matches.push({ matching: place.matching, lines: [place.from + 1, place.from + wanted.length], offset })
  }
  for (let at = done; at < lines.length; at += 1) parts.push(lines[at] as TextLine)
  return { text: joined(parts), hunks: matches, conflicts }
}

/** Where to look from; null when an anchor is not there. */
function behindAnchors(
  lines: readonly TextLine[],
  anchors: readonly string[],
  from: number,
  format: PatchFormat,
): number | null {
  let begin = from
  for (const anchor of anchors) {
    const place = sought(lines, [{ sign: ' ', text: anchor }], begin, format)
    if (place === null) return null
    begin = place.from + 1
  }
  return begin
}

/** Its place; that of one with a blank line at its end may be the one without, which is there for the eye only. */
function locate(lines: readonly TextLine[], hunk: Hunk, where: Where): { hunk: Hunk; place: Place } | null {
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

function placeOf(lines: readonly TextLine[], hunk: Hunk, wanted: readonly PatchLine[], where: Where): Place | null {
  const { begin, expected, format } = where
  const last = lines.length - wanted.length
  if (wanted.length === 0) {
    const from = expected ?? (hunk.anchors.length > 0 ? begin : lines.length)
    return from < begin || from > lines.length ? null : { from, matching: 'exact' }
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
function sought(
  lines: readonly TextLine[],
  wanted: readonly PatchLine[],
  begin: number,
  format: PatchFormat,
): Place | null {
  for (const [matching, reduce] of LEVELS[format]) {
    for (let from = begin; from <= lines.length - wanted.length; from += 1) {
      if (standsAt(lines, wanted, from, reduce)) return { from, matching }
    }
  }
  return null
}

function standsAt(lines: readonly TextLine[], wanted: readonly PatchLine[], from: number, reduce: Reduce): boolean {
  for (const [index, { text, unended, end }] of wanted.entries()) {
    const line = lines[from + index] as TextLine
    if (text !== line.text && reduce(text) !== reduce(line.text)) return false
    if (unended && line.end !== '') return false
    if (end !== undefined && line.end !== '' && line.end !== end) return false
  }
  return true
}

/** The lines of a hunk as they are afterwards: those that stay as they are in the file. */
function changed(lines: readonly TextLine[], hunk: Hunk, from: number, end: LineEnd): TextLine[] {
  const made: TextLine[] = []
  let at = from
  for (const line of hunk.lines) {
    const standing = lines[at]
    if (line.sign !== '+') at += 1
    if (line.sign === ' ' && standing !== undefined) made.push(standing)
    if (line.sign === '+') made.push({ text: line.text, end: line.unended ? '' : (line.end ?? end) })
  }
  // A file whose last line has no end keeps it that way, unless the patch speaks of it.
  const [last, standing] = [made.at(-1), lines[at - 1]]
  const speaks = hunk.lines.some(({ unended }) => unended)
  if (at === lines.length && at > from && last !== undefined && standing?.end === '' && !speaks)
    made[made.length - 1] = { ...last, end: '' }
  return made
}

/** The line end of a place: of its first line, else of the one before. */
function endFor(lines: readonly TextLine[], from: number): LineEnd {
  return lines[from]?.end || lines[from - 1]?.end || lines[0]?.end || '\n'
}

function joined(lines: readonly TextLine[]): string {
  const last = lines.length - 1
  return lines
    .map(({ text, end }, index) =>
      end === '' && index < last ? text + endFor(lines, Math.max(0, index - 1)) : text + end,
    )
    .join('')
}

interface Failure {
  readonly number: number
  readonly expected: number | null
  readonly missingAnchor: boolean
}

function conflictOf(lines: readonly TextLine[], hunk: Hunk, failure: Failure): HunkConflict {
  const { number, expected, missingAnchor } = failure
  const wanted = hunk.lines.filter(({ sign }) => sign !== '+').map(({ text }) => text)
  const asked = missingAnchor ? [...hunk.anchors] : wanted
  const result = hunk.lines.filter(({ sign }) => sign !== '-')
  const isDone =
    expected !== null &&
    result.length > 0 &&
    standsWhole(lines, result, Math.min(expected, lines.length - result.length))
  let line = expected === null ? null : Math.min(expected, lines.length) + 1
  let standing = line === null ? [] : lines.slice(line - 1, line - 1 + wanted.length).map(({ text }) => text)
  const text = lines.map((each) => each.text).join('\n')
  const [nearest] = expected === null || standing.length === 0 ? candidatesOf(text, asked.join('\n')) : []
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

function standsWhole(lines: readonly TextLine[], wanted: readonly PatchLine[], from: number): boolean {
  return from >= 0 && from + wanted.length <= lines.length && standsAt(lines, wanted, from, EXACT[1])
}

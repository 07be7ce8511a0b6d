/** Where the changes of a review go in a file as it is now, and which of them do not fit. */
import { Lines, lineEndAt, withLineEnds } from '../../edit/lines.ts'
import type { Suggestion } from './review.ts'

export interface Placed {
  readonly suggestion: Suggestion
  readonly from: number
  readonly to: number
  readonly text: string
  /** As they are now. */
  readonly lines: readonly [from: number, to: number]
  /** They stand elsewhere than the reviewer saw them. */
  readonly moved: boolean
}

export interface Misfit {
  readonly suggestion: Suggestion
  readonly reason: string
}

/** A file as it is, for places to be found in. */
class ReviewedText {
  readonly #text: string
  readonly #lines: Lines

  constructor(text: string) {
    this.#text = text
    this.#lines = new Lines(text)
  }

  /** Where a suggestion goes, or why it does not. */
  place(suggestion: Suggestion): Placed | string {
    const { lines, oldText } = suggestion
    if (lines === null) return this.#textPlace(suggestion, oldText as string)
    const [from, to] = lines
    if (oldText === null) {
      if (to > this.#lines.count) return `the file ends with line ${this.#lines.count}`
      return this.#linePlace(suggestion, from, to, false)
    }
    const wanted = oldText.replace(/\r?\n$/, '').split(/\r?\n/)
    if (wanted.length === to - from + 1 && this.#stands(wanted, from))
      return this.#linePlace(suggestion, from, to, false)
    const found: number[] = []
    for (let line = 1; line + wanted.length - 1 <= this.#lines.count; line += 1)
      if (this.#stands(wanted, line)) found.push(line)
    const [first] = found
    if (first === undefined) return 'what was reviewed is not there any more'
    if (found.length > 1) return `what was reviewed stands at lines ${found.slice(0, 10).join(', ')} now`
    return this.#linePlace(suggestion, first, first + wanted.length - 1, true)
  }

  #stands(wanted: readonly string[], line: number): boolean {
    return wanted.every(
      (text, offset) => line + offset <= this.#lines.count && this.#lines.at(line + offset - 1) === text,
    )
  }

  #linePlace(suggestion: Suggestion, from: number, to: number, moved: boolean): Placed {
    const start = this.#lines.from(from - 1)
    const end = this.#lines.from(to)
    const fresh = (suggestion.newText as string).replace(/\r?\n$/, '')
    // The last line of a file that has no end keeps having none.
    const last = this.#lines.end(to - 1)
    const text = suggestion.newText === '' ? '' : withLineEnds(fresh, lineEndAt(this.#text, start)) + last
    return { suggestion, from: start, to: end, text, lines: [from, to], moved }
  }

  #textPlace(suggestion: Suggestion, oldText: string): Placed | string {
    const found: number[] = []
    const end = lineEndAt(this.#text, 0)
    const wanted = this.#text.includes(oldText) ? oldText : withLineEnds(oldText, end)
    for (let at = this.#text.indexOf(wanted); at >= 0; at = this.#text.indexOf(wanted, at + 1)) found.push(at)
    const [at] = found
    if (at === undefined) return 'its old text is not there'
    if (found.length > 1) return `its old text stands at ${found.length} places`
    const text = withLineEnds(suggestion.newText as string, lineEndAt(this.#text, at))
    const line = (offset: number): number => this.#text.slice(0, offset).split('\n').length
    const to = at + wanted.length
    return { suggestion, from: at, to, text, lines: [line(at), line(Math.max(at, to - 1))], moved: false }
  }
}

/** Changes that overlap do not fit, none of them; the same change twice is one. */
export function placeAll(
  text: string,
  suggestions: readonly Suggestion[],
): { readonly placed: Placed[]; readonly misfits: Misfit[] } {
  const reviewed = new ReviewedText(text)
  const misfits: Misfit[] = []
  const placed: Placed[] = []
  for (const suggestion of suggestions) {
    const place = reviewed.place(suggestion)
    if (typeof place === 'string') misfits.push({ suggestion, reason: place })
    else placed.push(place)
  }
  placed.sort((a, b) => a.from - b.from || a.to - b.to || a.suggestion.index - b.suggestion.index)
  const clashing = new Map<Placed, number>()
  let widest: Placed | undefined
  for (const place of placed) {
    if (widest !== undefined && place.from < widest.to && !isSame(widest, place)) {
      clashing.set(widest, place.suggestion.index)
      clashing.set(place, widest.suggestion.index)
    }
    if (widest === undefined || place.to > widest.to) widest = place
  }
  for (const [{ suggestion }, other] of clashing)
    misfits.push({ suggestion, reason: `it overlaps with changes[${other}]` })
  return { placed: placed.filter((place) => !clashing.has(place)), misfits }
}

/** The text with all changes in it. `placed` as `placeAll` gives them. */
export function withPlaced(text: string, placed: readonly Placed[]): string {
  const parts: string[] = []
  let done = 0
  for (const [at, place] of placed.entries()) {
    const before = placed[at - 1]
    if (before !== undefined && isSame(before, place)) continue
    parts.push(text.slice(done, place.from), place.text)
    done = place.to
  }
  return [...parts, text.slice(done)].join('')
}

function isSame(a: Placed, b: Placed): boolean {
  return a.from === b.from && a.to === b.to && a.text === b.text
}

/**
 * Lenient matching: whole lines that are the same but for blanks at their ends (`trailing-blanks`), or also at their beginnings (`indentation`), if the
 * indentation of all of them changes by one rule.
 */
import { Lines, lineEndAt } from './lines.ts'

export type Leniency = 'trailing-blanks' | 'indentation'

/** A place where a text stands, and what is to stand there. */
export interface Place {
  readonly from: number
  readonly to: number
  readonly replacement: string
}

/** Exchanges indentations of what was asked for with those of the file. */
interface Indentation {
  readonly known: ReadonlyMap<string, string>
  /** What one more level is, there and here. */
  readonly unit: readonly [asked: string, found: string] | null
}

const BLANKS_BEHIND = /[ \t]+$/
const BLANKS_BEFORE = /^[ \t]*/

/** Every place where `oldText` stands, leniently, with `newText` as it must be there. Places may overlap. */
export function lenientPlaces(text: string, oldText: string, newText: string, leniency: Leniency): Place[] {
  const asked = bare(oldText)
  if (asked.lines.every((line) => line.trim() === '')) return []
  // Most texts that are not there have a line that is nowhere at all.
  if (asked.lines.some((line) => !text.includes(line.trim()))) return []
  const wanted = asked.lines.map(leniency === 'indentation' ? (line) => line.trim() : withoutBlanksBehind)
  const lines = new Lines(text)
  const reduce = (line: number): string => {
    return leniency === 'indentation' ? lines.at(line).trim() : withoutBlanksBehind(lines.at(line))
  }
  const places: Place[] = []
  for (const start of starts(lines.count, reduce, wanted)) {
    const place = placeOf(lines, start, asked, newText, leniency)
    if (place !== null) places.push(place)
  }
  return places
}

/** Indices at which `wanted` stands among so many lines. Knuth, Morris and Pratt's search, so that no repetition makes it slow. */
function starts(count: number, lineAt: (line: number) => string, wanted: readonly string[]): number[] {
  const back = [0]
  for (let at = 1, same = 0; at < wanted.length; at += 1) {
    while (same > 0 && wanted[at] !== wanted[same]) same = back[same - 1] as number
    if (wanted[at] === wanted[same]) same += 1
    back.push(same)
  }
  const found: number[] = []
  for (let at = 0, same = 0; at < count; at += 1) {
    const line = lineAt(at)
    while (same > 0 && line !== wanted[same]) same = back[same - 1] as number
    if (line === wanted[same]) same += 1
    if (same < wanted.length) continue
    found.push(at + 1 - same)
    same = back[same - 1] as number
  }
  return found
}

interface Bare {
  readonly lines: readonly string[]
  /** Did it end with a line end? */
  readonly ended: boolean
}

function bare(text: string): Bare {
  const lines = text.split(/\r?\n/)
  const ended = lines.length > 1 && lines.at(-1) === ''
  return { lines: ended ? lines.slice(0, -1) : lines, ended }
}

function withoutBlanksBehind(line: string): string {
  return line.replace(BLANKS_BEHIND, '')
}

function placeOf(lines: Lines, start: number, asked: Bare, newText: string, leniency: Leniency): Place | null {
  const { text } = lines
  const behind = start + asked.lines.length
  const standing = lines.range(start, behind)
  const indentation = leniency === 'indentation' ? indentationOf(asked.lines, standing) : IDENTICAL
  if (indentation === null) return null
  const from = lines.from(start)
  const fresh = bare(newText)
  const kept = keptLines(asked.lines, fresh.lines, standing, (line) => indented(line, indentation))
  const end = lineEndAt(text, from)
  const body = kept.join(end)
  const lastEnd = lines.end(behind - 1)
  const next = lines.from(behind)
  if (!asked.ended) return { from, to: next - lastEnd.length, replacement: fresh.ended ? body + end : body }
  // A last line without an end stays one.
  return { from, to: next, replacement: fresh.ended ? body + lastEnd : body }
}

/** The new lines. Those that were asked for unchanged, before and behind all that changes, stay what they are in the file. */
function keptLines(
  asked: readonly string[],
  fresh: readonly string[],
  standing: readonly string[],
  make: (line: string) => string,
): string[] {
  const limit = Math.min(asked.length, fresh.length)
  let before = 0
  while (before < limit && asked[before] === fresh[before]) before += 1
  let behind = 0
  while (behind < limit - before && asked.at(-1 - behind) === fresh.at(-1 - behind)) behind += 1
  return [
    ...standing.slice(0, before),
    ...fresh.slice(before, fresh.length - behind).map(make),
    ...standing.slice(standing.length - behind),
  ]
}

const IDENTICAL: Indentation = { known: new Map(), unit: null }

function indentOf(line: string): string {
  return BLANKS_BEFORE.exec(line)?.[0] ?? ''
}

/** The one rule by which all lines are indented otherwise; null when there is none: an indentation that became two, or a deeper one that became no deeper. */
function indentationOf(asked: readonly string[], found: readonly string[]): Indentation | null {
  const known = new Map<string, string>()
  for (const [index, line] of asked.entries()) {
    if (line.trim() === '') continue
    const [from, to] = [indentOf(line), indentOf(found[index] as string)]
    if ((known.get(from) ?? to) !== to) return null
    known.set(from, to)
  }
  const pairs = [...known].sort(([a], [b]) => a.length - b.length)
  let unit: Indentation['unit'] = null
  for (const [index, [from, to]] of pairs.entries()) {
    const [before, after] = pairs[index - 1] ?? ['', '']
    if (index === 0) continue
    if (
      !from.startsWith(before) ||
      !to.startsWith(after) ||
      from.length === before.length ||
      to.length === after.length
    )
      return null
    unit ??= [from.slice(before.length), to.slice(after.length)]
  }
  return { known, unit: unit ?? unitOf(pairs[0]) }
}

/** Blanks that became tabs, or tabs that became blanks: as many for one as there are to all of them. */
function unitOf(pair: readonly [string, string] | undefined): Indentation['unit'] {
  const [from, to] = pair ?? ['', '']
  if (/^ +$/.test(from) && /^\t+$/.test(to) && from.length % to.length === 0)
    return [' '.repeat(from.length / to.length), '\t']
  if (/^\t+$/.test(from) && /^ +$/.test(to) && to.length % from.length === 0)
    return ['\t', ' '.repeat(to.length / from.length)]
  return null
}

/** A new line, indented as the file is. */
function indented(line: string, { known, unit }: Indentation): string {
  if (known.size === 0 || line.trim() === '') return line
  const indent = indentOf(line)
  const rest = line.slice(indent.length)
  let base: string | null = null
  for (const from of known.keys()) if (indent.startsWith(from) && from.length >= (base ?? '').length) base = from
  if (base !== null) return known.get(base) + converted(indent.slice(base.length), unit) + rest
  // Further out than all that was asked for: so much less than the outermost.
  const outermost = [...known.keys()].reduce((least, from) => (from.length < least.length ? from : least))
  const to = known.get(outermost) as string
  const less = outermost.startsWith(indent) ? converted(outermost.slice(indent.length), unit) : null
  return (less !== null && to.endsWith(less) ? to.slice(0, to.length - less.length) : indent) + rest
}

function converted(more: string, unit: Indentation['unit']): string {
  if (unit === null || more === '') return more
  const [asked, found] = unit
  const times = more.length / asked.length
  return Number.isInteger(times) && asked.repeat(times) === more ? found.repeat(times) : more
}

/** What stands where in an INI file. There is no standard; this is what its dialects have in common, and how it is told from what they have not. */
import { invalidAt } from '../place.ts'

export interface IniEntry {
  readonly key: string
  /** Where its line begins, and its key. */
  readonly line: number
  readonly start: number
  readonly keyEnd: number
  /** Between key and value; empty: a key alone. */
  readonly separator: string
  /** The value as it is written, quotes included, without a comment beside it. */
  readonly from: number
  to: number
  /** Where the last of its lines ends. */
  end: number
  /** Lines of the value below its own, each with where it begins. */
  readonly more: { readonly start: number; readonly text: string }[]
}

export interface IniSection {
  /** Null: before the first header. */
  readonly name: string | null
  readonly line: number
  readonly end: number
  readonly entries: IniEntry[]
}

const HEADER = /^\[(.*)\][ \t]*(?:[;#].*)?$/

/**
 * Sections in their order, the one without a header first. A line that is indented deeper than the key before it goes on with its value, as does one
 * after a backslash.
 * @throws JournalError `INVALID` with the line
 */
export function iniSections(text: string, path: string): IniSection[] {
  let section: IniSection = { name: null, line: 0, end: 0, entries: [] }
  const sections = [section]
  let last: IniEntry | undefined
  let goesOn = false
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at)
    const next = found < 0 ? text.length : found + 1
    const line = text.slice(at, found < 0 ? undefined : found).replace(/\r$/, '')
    const bare = line.trim()
    const start = at + line.length - line.trimStart().length
    const deeper = last !== undefined && start - at > last.start - last.line
    if (last !== undefined && (goesOn || (deeper && bare !== '' && !/^[;#]/.test(bare)))) {
      last.more.push({ start, text: bare })
      last.end = at + line.length
    } else if (bare !== '' && !/^[;#]/.test(bare)) {
      const header = HEADER.exec(bare)
      if (header !== null) {
        section = { name: header[1] ?? '', line: at, end: at + line.length, entries: [] }
        sections.push(section)
        last = undefined
      } else {
        last = entryOf(line, at, start)
        if (last.key === '' || bare.startsWith('[')) {
          const what = bare.startsWith('[') ? 'a header without its closing bracket' : 'a value without a key'
          throw invalidAt(path, text, at, `this is not INI: ${what}`, 'Correct the file first, as text.')
        }
        section.entries.push(last)
      }
    }
    goesOn = last !== undefined && bare !== '' && !/^[;#]/.test(bare) && bare.endsWith('\\')
    at = next
  }
  return sections
}

function entryOf(line: string, at: number, start: number): IniEntry {
  const place = separatorOf(line)
  const key = (place < 0 ? line : line.slice(0, place)).trim()
  const keyEnd = start + key.length
  const end = at + line.trimEnd().length
  if (place < 0)
    return { key, line: at, start, keyEnd, separator: '', from: end, to: end, end: at + line.length, more: [] }
  const rest = line.slice(place + 1)
  const from = at + place + 1 + rest.length - rest.trimStart().length
  const value = rest.trim()
  const to = Math.max(Math.min(from, end), Math.min(from, end) + withoutComment(value).length)
  const begin = Math.min(from, end)
  return {
    key,
    line: at,
    start,
    keyEnd,
    separator: line.slice(keyEnd - at, begin - at),
    from: begin,
    to,
    end: at + line.length,
    more: [],
  }
}

/** The first `=`, but for a colon before it that ends a word. */
function separatorOf(line: string): number {
  const equals = line.indexOf('=')
  const colon = line.search(/:(?=\s|$)/)
  const first = equals < 0 ? line.indexOf(':') : equals
  return colon >= 0 && (colon < first || first < 0) ? colon : first
}

/** A comment beside a value begins with `;` or `#` after a blank, outside of quotes. */
function withoutComment(value: string): string {
  if (value.startsWith(';')) return ''
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'[^']*')/.exec(value)?.[0].length ?? 0
  const found = value.slice(quoted).search(/\s[;#]/)
  return found < 0 ? value : value.slice(0, quoted + found).trimEnd()
}

/** A value as a program reads it. */
export function iniValue(text: string, entry: IniEntry): string {
  const own = text.slice(entry.from, entry.to)
  if (entry.more.length > 0) return [own, ...entry.more.map((line) => line.text)].join('\n')
  return quoteOf(own) === '' ? own : own.slice(1, -1)
}

/** The quote that a written value stands in; empty: none. */
export function quoteOf(written: string): string {
  const [first = ''] = written
  return (first === '"' || first === "'") && written.length > 1 && written.endsWith(first) ? first : ''
}

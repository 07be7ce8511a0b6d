import { JournalError, shown } from '../../errors.ts'
import { indentAt, lineEnd, lineStart, newlineOf, nextLine } from '../place.ts'
import { isList, isTable, type PlainValue } from '../plain-value.ts'
import type { Splice } from '../splice.ts'
import { type IniEntry, type IniSection, iniSections, iniValue, quoteOf } from './ini-lines.ts'
import { type KeyPath, shownPath } from './key-path.ts'
import { Refusal } from './refusal.ts'
import type { SettingsFile, SettingsFormat } from './settings-format.ts'

/** INI and its kin: sections of texts. Numbers and booleans are written as their texts. */
export const iniSettings: SettingsFormat = {
  name: 'ini',
  forgetsEmpty: false,
  async read(text, path) {
    return new IniSettings(text, iniSections(text, path), path)
  },
  normal(value, path) {
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    if (typeof value === 'string') return value
    if (isTable(value)) {
      const texts: Record<string, PlainValue> = Object.create(null)
      for (const [key, item] of Object.entries(value)) {
        if (isTable(item)) throw unwritable(item, path)
        texts[key] = iniSettings.normal?.(item, path) ?? null
      }
      return texts
    }
    throw unwritable(value, path)
  },
}

function unwritable(value: unknown, path: string): JournalError {
  return new JournalError('INVALID', `INI has no agreed form for ${shown(value)}`, {
    hint: 'Set a text, a number or a boolean, or change the file as text.',
    path,
  })
}

class IniSettings implements SettingsFile {
  readonly value: PlainValue
  readonly #text: string
  readonly #path: string
  readonly #sections: readonly IniSection[]
  readonly #newline: string
  readonly #refusal: Refusal

  constructor(text: string, sections: readonly IniSection[], path: string) {
    this.#text = text
    this.#path = path
    this.#sections = sections
    this.#newline = newlineOf(text)
    this.#refusal = new Refusal(path, text)
    this.value = this.#plain()
  }

  #plain(): PlainValue {
    const file: Record<string, PlainValue> = Object.create(null)
    for (const { name, entries } of this.#sections) {
      const table = name === null ? file : isTable(file[name]) ? file[name] : Object.create(null)
      for (const entry of entries) {
        const value = iniValue(this.#text, entry)
        const before: PlainValue | undefined = table[entry.key]
        // A key that stands there more than once has a list of values; it cannot be told which one is meant.
        table[entry.key] = before === undefined ? value : [...(isList(before) ? before : [before]), value]
      }
      if (name !== null) file[name] = table
    }
    return file
  }

  put(path: KeyPath, value: PlainValue): Splice[] {
    const [name, key, ...rest] = path.map(String)
    const sections = this.#named(path.length > 1 || isTable(value) ? (name ?? '') : null)
    if (rest.length > 0) throw this.#refusal.noWay(sections[0]?.line ?? 0, path.slice(0, 2))
    if (isTable(value)) {
      if (key !== undefined) throw unwritable(value, this.#path)
      return this.#putSection(name ?? '', sections, Object.entries(value))
    }
    if (typeof value !== 'string') throw unwritable(value, this.#path)
    if (key === undefined && this.#named(name ?? '').length > 0) {
      throw this.#refusal.at(this.#named(name ?? '')[0]?.line ?? 0, `${name} is a section`, 'Delete it first.')
    }
    return this.#putEntry(path, sections, key ?? name ?? '', value)
  }

  #named(name: string | null): readonly IniSection[] {
    return this.#sections.filter((section) => section.name === name)
  }

  /** An entry by its key; where no other spelling is there, letters may differ in case, as most readers have it. */
  #entry(sections: readonly IniSection[], key: string, path: KeyPath): IniEntry | undefined {
    const entries = sections.flatMap((section) => section.entries)
    const exact = entries.filter((entry) => entry.key === key)
    const found = exact.length > 0 ? exact : entries.filter((entry) => entry.key.toLowerCase() === key.toLowerCase())
    if (found.length > 1) {
      throw this.#refusal.twice(
        found.map(({ start }) => start),
        path,
      )
    }
    const [entry] = found
    if (entry !== undefined && exact.length === 0) {
      throw this.#refusal.at(
        entry.start,
        `${shownPath([key])} is spelt ${shownPath([entry.key])} there`,
        'Use that spelling.',
      )
    }
    return entry
  }

  #putEntry(path: KeyPath, sections: readonly IniSection[], key: string, value: string): Splice[] {
    const entry = this.#entry(sections, key, path)
    if (entry !== undefined) return this.#replaced(entry, value)
    const doubtful = sections
      .flatMap(({ entries }) => entries.flatMap(({ more }) => more))
      .find(({ text }) => new RegExp(`^${escaped(key)}\\s*[=:]`).test(text))
    if (doubtful !== undefined) {
      const hint = 'Change it as text: the line is indented deeper than the key before it.'
      throw this.#refusal.at(doubtful.start, `${shownPath(path)} may stand here, or this may be part of a value`, hint)
    }
    const home = sections.findLast(({ entries }) => entries.length > 0) ?? sections.at(-1)
    const line = this.#line(key, value, home?.entries.at(-1))
    if (home === undefined) return [this.#newSection(path.length > 1 ? String(path[0]) : null, [line])]
    const last = home.entries.at(-1)
    if (last !== undefined) return [this.#lineAfter(last.end, indentAt(this.#text, last.start) + line)]
    return [home.name === null ? this.#firstLine(line) : this.#lineAfter(home.end, line)]
  }

  #replaced(entry: IniEntry, value: string): Splice[] {
    const text = this.#text
    const { from, to, more } = entry
    if (entry.separator === '') {
      const separator = this.#separator(undefined)
      return [{ from: entry.keyEnd, to: entry.keyEnd, text: separator + this.#written(value, '') }]
    }
    const first = more[0]
    if (first !== undefined) {
      const lead = this.#newline + indentAt(text, first.start)
      const [own = '', ...lines] = value.split('\n')
      const written = [this.#writable(own), ...lines.map((line) => lead + this.#writable(line))].join('')
      return [{ from, to: entry.end, text: written }]
    }
    const blank = from === to && entry.separator === ' =' ? ' ' : ''
    return [{ from, to, text: blank + this.#written(value, quoteOf(text.slice(from, to))) }]
  }

  #line(key: string, value: string, neighbour: IniEntry | undefined): string {
    if (key === '' || key.trim() !== key || /[=\n\r]|^[[;#]|:(?:\s|$)/.test(key)) {
      throw this.#refusal.at(0, `${shown(key)} can be no key of an INI file`, 'Use another name.')
    }
    return key + this.#separator(neighbour) + this.#written(value, '')
  }

  /** Of the entry beside it, or of the file; blanks that align values are not taken for a manner. */
  #separator(neighbour: IniEntry | undefined): string {
    const entries = this.#sections.flatMap((section) => section.entries)
    const own = (neighbour === undefined ? [] : [neighbour])
      .concat(entries)
      .find((entry) => entry.separator.trim() !== '')
    if (own === undefined) return ' = '
    const sign = own.separator.trim()
    const [before, after] = [/^\s/.test(own.separator) ? ' ' : '', /\s$/.test(own.separator) ? ' ' : '']
    return own.from === own.to && before !== '' ? ` ${sign} ` : before + sign + after
  }

  #written(value: string, quote: string): string {
    const quotes = this.#sections.some(({ entries }) =>
      entries.some(({ from, to }) => quoteOf(this.#text.slice(from, to)) !== ''),
    )
    const plain = quote === '' && this.#isWritable(value)
    if (plain) return value
    const mark = quote === '' && quotes ? '"' : quote
    if (mark !== '' && !value.includes(mark) && !/[\\\n\r]/.test(value)) return mark + value + mark
    throw unwritable(value, this.#path)
  }

  #writable(value: string): string {
    if (this.#isWritable(value)) return value
    throw unwritable(value, this.#path)
  }

  #isWritable(value: string): boolean {
    return value.trim() === value && !/[\n\r]|\s[;#]|^;|\\$/.test(value) && quoteOf(value) === ''
  }

  #putSection(name: string, sections: readonly IniSection[], entries: readonly [string, PlainValue][]): Splice[] {
    const [section, second] = sections
    const neighbour = section?.entries[0]
    const indent = neighbour === undefined ? '' : indentAt(this.#text, neighbour.start)
    const lines = entries.map(([key, value]) => indent + this.#line(key, String(value), neighbour))
    if (section === undefined) return [this.#newSection(name, lines)]
    if (second !== undefined)
      throw this.#refusal.twice(
        sections.map(({ line }) => line),
        [name],
      )
    const end = section.entries.at(-1)?.end ?? section.end
    return [{ from: section.end, to: end, text: lines.map((line) => this.#newline + line).join('') }]
  }

  #newSection(name: string | null, lines: readonly string[]): Splice {
    if (name === null) return this.#firstLine(lines.join(this.#newline))
    if (name.trim() !== name || /[\]\n\r]/.test(name)) {
      throw this.#refusal.at(0, `${shown(name)} can be no section of an INI file`, 'Use another name.')
    }
    const text = this.#text
    const ended = text === '' || text.endsWith('\n')
    const blank = text === '' || /(?:^|\n)\r?\n$/.test(text)
    const written = [`[${name}]`, ...lines].join(this.#newline)
    const before = (ended ? '' : this.#newline) + (blank ? '' : this.#newline)
    return { from: text.length, to: text.length, text: before + written + (ended ? this.#newline : '') }
  }

  /** Before the first header, and the comments that belong to it. */
  #firstLine(line: string): Splice {
    const text = this.#text
    const first = this.#sections[1]?.line
    if (first === undefined) return this.#lineAfter(text.length, line)
    let at = first
    while (at > 0 && /^[ \t]*[;#]/.test(text.slice(lineStart(text, at - 1), at))) at = lineStart(text, at - 1)
    if (at === 0) at = first
    return { from: at, to: at, text: line + this.#newline.repeat(2) }
  }

  #lineAfter(offset: number, line: string): Splice {
    const at = nextLine(this.#text, offset)
    const ended = at === 0 || this.#text[at - 1] === '\n'
    return { from: at, to: at, text: ended ? line + this.#newline : this.#newline + line }
  }

  drop(path: KeyPath): Splice[] {
    const [name = '', key] = path.map(String)
    const sections = this.#named(name)
    if (key === undefined && sections.length > 0) return sections.map((section) => this.#withoutSection(section))
    const entry = this.#entry(key === undefined ? this.#named(null) : sections, key ?? name, path)
    if (entry === undefined || path.length > 2) throw this.#refusal.noWay(0, path.slice(0, 2))
    return [this.#withoutLines(entry.line, entry.end)]
  }

  #withoutSection(section: IniSection): Splice {
    const text = this.#text
    let { from, to } = this.#withoutLines(section.line, section.entries.at(-1)?.end ?? section.end)
    if (text.slice(to).trim() !== '') {
      while (text.slice(to, lineEnd(text, to)).trim() === '') to = nextLine(text, to)
      return { from, to, text: '' }
    }
    while (from > 0 && text.slice(lineStart(text, from - 1), from).trim() === '') from = lineStart(text, from - 1)
    return { from, to: text.length, text: '' }
  }

  /** Whole lines; without a line ending after them, the one before goes. */
  #withoutLines(from: number, to: number): Splice {
    const text = this.#text
    const end = nextLine(text, to)
    const cut = from > 0 && end === text.length && !text.endsWith('\n')
    return { from: cut ? lineEnd(text, lineStart(text, from - 1)) : from, to: end, text: '' }
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

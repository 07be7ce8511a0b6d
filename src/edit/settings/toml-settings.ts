import type { AST } from 'toml-eslint-parser'
import { checkNesting } from '../nesting.ts'
import { indentAt, invalidLine, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../place.ts'
import { isTable, type PlainValue } from '../plain-value.ts'
import type { Splice } from '../splice.ts'
import { type KeyPath, placeIn } from './key-path.ts'
import { marked, nested } from './plain-change.ts'
import { Refusal } from './refusal.ts'
import type { SettingsFile, SettingsFormat } from './settings-format.ts'
import { hasNull, tomlBlocks, tomlKey, tomlValue } from './toml-form.ts'
import {
  assign,
  type Block,
  type Content,
  endOfBlock,
  headerEnd,
  keysOf,
  leadsTo,
  mannerOf,
  type Pair,
  pairOf,
  samePath,
  tableAt,
} from './toml-parts.ts'

/** TOML 1.0, and what 1.1 adds where a file has it; it is not brought in. */
export const tomlSettings: SettingsFormat = {
  name: 'toml',
  forgetsEmpty: true,
  async read(text, path) {
    checkNesting(text, path)
    const { parseTOML, ParseError } = await import('toml-eslint-parser')
    let program: AST.TOMLProgram
    try {
      program = parseTOML(text, { tomlVersion: '1.1' })
    } catch (error) {
      const line = error instanceof ParseError ? error.lineNumber : 1
      if (!(error instanceof ParseError || error instanceof RangeError)) throw error
      const reason = error instanceof ParseError ? error.message : 'it is nested too deeply'
      throw invalidLine(path, line, `this is not TOML: ${reason}`, 'Correct the file first, as text.')
    }
    return new TomlSettings(text, program, new Refusal(path, text))
  },
}

class TomlSettings implements SettingsFile {
  readonly value: PlainValue
  readonly #text: string
  readonly #newline: string
  readonly #blocks: readonly Block[]
  readonly #pairs: readonly Pair[]
  readonly #refusal: Refusal

  constructor(text: string, program: AST.TOMLProgram, refusal: Refusal) {
    this.#text = text
    this.#newline = newlineOf(text)
    this.#refusal = refusal
    const body = program.body[0].body
    const top = body.filter((node) => node.type === 'TOMLKeyValue')
    const tables = body.filter((node) => node.type === 'TOMLTable')
    this.#blocks = [
      { table: undefined, path: [], pairs: top.map((node) => pairOf(node, [])) },
      ...tables.map((table) => ({
        table,
        path: table.resolvedKey,
        pairs: table.body.map((node) => pairOf(node, table.resolvedKey)),
      })),
    ]
    this.#pairs = this.#blocks.flatMap(({ pairs }) => pairs)
    this.value = this.#plainFile()
  }

  #plainFile(): PlainValue {
    const root: Record<string, unknown> = Object.create(null)
    for (const { path, pairs } of this.#blocks) {
      const table = tableAt(root, path)
      for (const { node } of pairs) assign(table, keysOf(node), this.#plain(node.value))
    }
    return root as PlainValue
  }

  #plain(node: Content): unknown {
    if (node.type === 'TOMLArray') return node.elements.map((item) => this.#plain(item))
    if (node.type === 'TOMLInlineTable') {
      const table: Record<string, unknown> = Object.create(null)
      for (const pair of node.body) assign(table, keysOf(pair), this.#plain(pair.value))
      return table
    }
    const { value } = node
    const plain = typeof value === 'number' ? Number.isFinite(value) : !(value instanceof Date)
    const exact = node.kind !== 'integer' || Number.isSafeInteger(value)
    return plain && exact ? value : marked(this.#text.slice(...node.range))
  }

  put(path: KeyPath, value: PlainValue): Splice[] {
    if (hasNull(value)) throw this.#refusal.at(0, 'TOML has no null', 'Delete the key, or set something else.')
    const pair = this.#pairs.find((one) => leadsTo(one.path, path))
    if (pair !== undefined) return this.#putInside(pair.node.value, path, pair.path.length, value)
    const isThere = (one: KeyPath): boolean => leadsTo(path, one)
    const dropped = [...this.#blocks.slice(1), ...this.#pairs].some((one) => isThere(one.path)) ? this.drop(path) : []
    const [first] = dropped
    if (first === undefined) return this.#add(path, value)
    const headed = this.#blocks.some((block) => block.table !== undefined && isThere(block.path))
    if (!headed || !isTable(value) || typeof path.at(-1) === 'number') {
      // What goes may be where the new line would stand.
      const added = this.#addPair(path, value).map((splice) => {
        const inside = dropped.find(({ from, to }) => from < splice.from && splice.from < to)
        return inside === undefined ? splice : { ...splice, from: inside.from, to: inside.from }
      })
      return [...added, ...dropped]
    }
    const written = tomlBlocks(path, value, `[${tomlKey(path)}]`).map((lines) => lines.join(this.#newline))
    const last = dropped.at(-1)?.to === this.#text.length
    const after = last ? (this.#text.endsWith('\n') ? this.#newline : '') : this.#newline.repeat(2)
    const gap =
      first.from === 0 || this.#text.slice(0, first.from).endsWith(this.#newline.repeat(2)) ? '' : this.#newline
    return [{ from: first.from, to: first.from, text: gap + written.join(this.#newline.repeat(2)) + after }, ...dropped]
  }

  /** `at`: how much of the path leads to `node`. */
  #putInside(node: Content, path: KeyPath, at: number, value: PlainValue): Splice[] {
    const step = path[at]
    if (step === undefined) {
      const [from, to] = node.range
      return [{ from, to, text: tomlValue(value, mannerOf(this.#text, node)).replaceAll('\n', this.#newline) }]
    }
    if (node.type === 'TOMLArray') {
      const place = this.#place(node, path, at)
      const item = node.elements[place]
      if (item !== undefined) return this.#putInside(item, path, at + 1, value)
      return this.#addItem(node, tomlValue(nested(path.slice(at + 1), value)))
    }
    if (node.type !== 'TOMLInlineTable') throw this.#refusal.noWay(node.range[0], path.slice(0, at))
    const pair = node.body.find((one) => leadsTo(keysOf(one), path.slice(at)))
    if (pair !== undefined) return this.#putInside(pair.value, path, at + keysOf(pair).length, value)
    const text = `${tomlKey([String(step)])} = ${tomlValue(nested(path.slice(at + 1), value))}`
    return this.#addItem(node, text)
  }

  #place(node: AST.TOMLArray, path: KeyPath, at: number): number {
    const place = placeIn(path[at] ?? '', node.elements.length)
    if (place !== undefined) return place
    throw this.#refusal.noPlace(node.range[0], path.slice(0, at), node.elements.length)
  }

  #addItem(container: AST.TOMLArray | AST.TOMLInlineTable, written: string): Splice[] {
    const text = this.#text
    const [from, to] = container.range
    const last = (container.type === 'TOMLArray' ? container.elements : container.body).at(-1)
    if (last === undefined) {
      const padded = container.type === 'TOMLArray' ? written : ` ${written} `
      return [{ from: from + 1, to: to - 1, text: padded }]
    }
    const end = last.range[1]
    const comma = /^\s*,/.exec(text.slice(end, to))?.[0].length
    const at = end + (comma ?? 0)
    if (!startsLine(text, last.range[0]) || lineEnd(text, at) >= to) {
      return [{ from: at, to: at, text: comma === undefined ? `, ${written}` : ` ${written},` }]
    }
    const added = this.#newline + indentAt(text, last.range[0]) + written + (comma === undefined ? '' : ',')
    const beside = lineEnd(text, at)
    return [
      ...(comma === undefined ? [{ from: end, to: end, text: ',' }] : []),
      { from: beside, to: beside, text: added },
    ]
  }

  #add(path: KeyPath, value: PlainValue): Splice[] {
    for (let length = path.length - 1; length > 0; length -= 1) {
      const parent = path.slice(0, length)
      const within = this.#blocks.filter((block) => leadsTo(parent, block.path))
      const list = within.find((block) => block.path.length > length && typeof block.path[length] === 'number')
      if (list !== undefined) return this.#addToList(parent, path, value, within)
      if (this.#pairs.some((pair) => pair.block.length < length && leadsTo(parent, pair.path))) {
        return this.#addPair(path, value)
      }
      if (within.length > 0) return this.#addBelow(path, value, within)
    }
    return path.length === 1 && !isBlockValue(value)
      ? this.#addPair(path, value)
      : this.#addBelow(path, value, this.#blocks)
  }

  /** A further item of a list that is made of `[[headers]]`. */
  #addToList(list: KeyPath, path: KeyPath, value: PlainValue, within: readonly Block[]): Splice[] {
    const items = within.filter((block) => block.path.length === list.length + 1)
    const place = placeIn(path[list.length] ?? '', items.length)
    const from = within[0]?.table?.range[0] ?? 0
    if (place !== items.length) throw this.#refusal.noPlace(from, list, items.length)
    const table = nested(path.slice(list.length + 1), value)
    if (!isTable(table)) throw this.#refusal.at(from, 'the items of this list are tables', 'Set a table.')
    return this.#addBlocks(tomlBlocks(path.slice(0, list.length + 1), table, `[[${tomlKey(list)}]]`), within)
  }

  /** Below an existing table, or at the top: beside its values where it has a header, else under a new one. */
  #addBelow(path: KeyPath, value: PlainValue, within: readonly Block[]): Splice[] {
    const parent = path.slice(0, -1)
    const own = this.#blocks.some((block) => block.table !== undefined && samePath(block.path, parent))
    if (own && !isBlockValue(value)) return this.#addPair(path, value)
    const header = isBlockValue(value) ? path : parent
    const table = isBlockValue(value) ? value : { [String(path.at(-1))]: value }
    return this.#addBlocks(
      tomlBlocks(header, table as Readonly<Record<string, PlainValue>>, `[${tomlKey(header)}]`),
      within,
    )
  }

  #addBlocks(blocks: readonly (readonly string[])[], within: readonly Block[]): Splice[] {
    const text = this.#text
    const end = Math.max(0, ...within.map((block) => endOfBlock(block)))
    const last = within.includes(this.#blocks.at(-1) as Block)
    const at = last ? text.length : end === 0 ? 0 : nextLine(text, end)
    const written = blocks.map((lines) => lines.join(this.#newline)).join(this.#newline.repeat(2))
    const ended = at === 0 || text[at - 1] === '\n'
    const blank = at === 0 || /(?:^|\n)\r?\n$/.test(text.slice(0, at))
    const before = (ended ? '' : this.#newline) + (blank ? '' : this.#newline)
    return [{ from: at, to: at, text: before + written + (ended ? this.#newline : '') }]
  }

  /** A pair beside those of the table that it is in, dotted where they are. */
  #addPair(path: KeyPath, value: PlainValue): Splice[] {
    const text = this.#text
    const parent = path.slice(0, -1)
    const dotted = this.#pairs.findLast((pair) => pair.block.length < parent.length && leadsTo(parent, pair.path))
    const block = dotted?.block ?? this.#blocks.findLast((one) => leadsTo(one.path, parent))?.path ?? []
    const home = this.#blocks.find((one) => samePath(one.path, block))
    const neighbour = dotted ?? home?.pairs.at(-1)
    const written = tomlKey(path.slice(block.length).map(String)) + this.#equals(neighbour) + tomlValue(value)
    if (neighbour !== undefined) {
      return [this.#lineAfter(neighbour.node.range[1], indentAt(text, neighbour.node.range[0]) + written)]
    }
    if (home?.table !== undefined)
      return [this.#lineAfter(headerEnd(home.table), indentAt(text, home.table.range[0]) + written)]
    const first = this.#blocks[1]?.table?.range[0]
    if (first === undefined) return [this.#lineAfter(text.length, written)]
    let at = lineStart(text, first)
    while (
      at > 0 &&
      text
        .slice(lineStart(text, at - 1), at)
        .trimStart()
        .startsWith('#')
    )
      at = lineStart(text, at - 1)
    if (at === 0) at = lineStart(text, first)
    return [{ from: at, to: at, text: written + this.#newline.repeat(2) }]
  }

  #lineAfter(offset: number, written: string): Splice {
    const at = nextLine(this.#text, offset)
    const ended = at === 0 || this.#text[at - 1] === '\n'
    return { from: at, to: at, text: ended ? written + this.#newline : this.#newline + written }
  }

  #equals(pair: Pair | undefined): string {
    if (pair === undefined) return ' = '
    const { key, value } = pair.node
    const between = this.#text.slice(key.range[1], value.range[0])
    return between === '=' ? '=' : ' = '
  }

  drop(path: KeyPath): Splice[] {
    const pair = this.#pairs.find((one) => leadsTo(one.path, path) && one.path.length < path.length)
    if (pair !== undefined) return this.#dropInside(pair.node.value, path, pair.path.length)
    const blocks = this.#blocks.filter((block) => block.table !== undefined && leadsTo(path, block.path))
    const inBlocks = new Set(blocks.flatMap(({ pairs }) => pairs))
    const pairs = this.#pairs.filter((one) => !inBlocks.has(one) && leadsTo(path, one.path))
    const ranges = [
      ...pairs.map(({ node }) => this.#lines(node.range[0], node.range[1])),
      ...blocks.map((block) => this.#blockRange(block)),
    ]
    const left = blocks.length === 0 ? (range: Range) => range : (range: Range) => this.#withBlanks(range)
    return united(
      ranges.toSorted(([a], [b]) => a - b),
      (from, to) => this.#text.slice(from, to).trim() === '',
    )
      .map(left)
      .map(([from, to]) => ({ from, to, text: '' }))
  }

  /** Whole lines; without a line ending after them, the one before goes. */
  #lines(from: number, to: number): Range {
    const end = nextLine(this.#text, to)
    const start = lineStart(this.#text, from)
    if (start === 0 || end < this.#text.length || this.#text.endsWith('\n')) return [start, end]
    return [lineEnd(this.#text, lineStart(this.#text, start - 1)), end]
  }

  #blockRange(block: Block): Range {
    return this.#lines(block.table?.range[0] ?? 0, endOfBlock(block))
  }

  /** With the blank lines after it, or before it where nothing comes after. */
  #withBlanks([from, to]: Range): Range {
    const text = this.#text
    let [start, end] = [from, to]
    if (text.slice(end).trim() !== '') {
      while (text.slice(end, lineEnd(text, end)).trim() === '') end = nextLine(text, end)
      return [start, end]
    }
    while (start > 0 && text.slice(lineStart(text, start - 1), start).trim() === '') start = lineStart(text, start - 1)
    return [start, text.length]
  }

  #dropInside(node: Content, path: KeyPath, at: number): Splice[] {
    if (node.type === 'TOMLArray') {
      const item = node.elements[this.#place(node, path, at)]
      if (item === undefined) throw this.#refusal.noPlace(node.range[0], path.slice(0, at), node.elements.length)
      if (at < path.length - 1) return this.#dropInside(item, path, at + 1)
      return [this.#withoutItem(node, node.elements, node.elements.indexOf(item))]
    }
    if (node.type !== 'TOMLInlineTable') throw this.#refusal.noWay(node.range[0], path.slice(0, at))
    const rest = path.slice(at)
    const through = node.body.find((pair) => leadsTo(keysOf(pair), rest) && keysOf(pair).length < rest.length)
    if (through !== undefined) return this.#dropInside(through.value, path, at + keysOf(through).length)
    const index = node.body.findIndex((pair) => leadsTo(rest, keysOf(pair)))
    return [this.#withoutItem(node, node.body, index)]
  }

  #withoutItem(container: AST.TOMLNode, items: readonly AST.TOMLNode[], index: number): Splice {
    const text = this.#text
    const [item, previous, next] = [items[index], items[index - 1], items[index + 1]]
    if (item === undefined) throw new RangeError('what is to be taken out is not there')
    const [from, to] = item.range
    const comma = /^\s*,/.exec(text.slice(to, container.range[1]))?.[0].length ?? 0
    const rest = text.slice(to + comma, lineEnd(text, to + comma)).trim()
    if (startsLine(text, from) && (rest === '' || rest.startsWith('#'))) {
      return { from: lineStart(text, from), to: nextLine(text, to + comma), text: '' }
    }
    const gone =
      next !== undefined
        ? [from, next.range[0]]
        : previous !== undefined
          ? [previous.range[1], to]
          : [container.range[0] + 1, container.range[1] - 1]
    const [start = from, end = to] = gone
    if ((text.slice(start, from) + text.slice(to, end)).includes('#')) {
      throw this.#refusal.at(from, 'comments stand in the way of taking this out', 'Change it as text.')
    }
    return { from: start, to: end, text: '' }
  }
}

type Range = readonly [from: number, to: number]

/** Ranges with nothing but blanks between them are one. */
function united(ranges: readonly Range[], isBlank: (from: number, to: number) => boolean): Range[] {
  const found: Range[] = []
  for (const [from, to] of ranges) {
    const last = found.at(-1)
    if (last !== undefined && isBlank(last[1], from)) found[found.length - 1] = [last[0], Math.max(last[1], to)]
    else found.push([from, to])
  }
  return found
}

function isBlockValue(value: PlainValue): boolean {
  return isTable(value) && Object.keys(value).length > 0
}

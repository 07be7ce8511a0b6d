import type * as Yaml from 'yaml'
import { invalidAt, invalidLine, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../place.ts'
import { isList, isTable, type PlainValue } from '../plain-value.ts'
import type { Splice } from '../splice.ts'
import { DEEPEST_YAML, yamlStream } from '../yaml-stream.ts'
import { type KeyPath, placeIn } from './key-path.ts'
import { marked, nested } from './plain-change.ts'
import { Refusal } from './refusal.ts'
import type { SettingsFile, SettingsFormat } from './settings-format.ts'
import { column, YamlForm } from './yaml-form.ts'
import {
  endOfNode,
  isEmpty,
  isFlow,
  itemsOf,
  keyText,
  startOf,
  type YamlItem,
  type YamlMap,
  type YamlNode,
  type YamlSeq,
} from './yaml-nodes.ts'

/** YAML 1.2, and 1.1 where a file says so. Nothing is written anew but the value that changes. */
export const yamlSettings: SettingsFormat = {
  name: 'yaml',
  forgetsEmpty: false,
  async read(text, path, document) {
    const yaml = await import('yaml')
    const documents = parsed(yaml, text, path)
    const count = Math.max(documents.length, 1)
    if ((document === undefined && count > 1) || (document ?? 0) >= count) {
      const hint = count > 1 ? `Name one, from 0 to ${count - 1}.` : 'Leave its number out.'
      throw invalidLine(path, 1, `the file has ${count} document${count > 1 ? 's' : ''}`, hint)
    }
    return new YamlSettings(yaml, text, documents, document ?? 0, new Refusal(path, text))
  },
}

function parsed(yaml: typeof Yaml, text: string, path: string): Yaml.Document.Parsed[] {
  const stream = yamlStream(yaml, text, { keepSourceTokens: true, prettyErrors: false, logLevel: 'silent' })
  if ('deepAt' in stream) {
    const what = `it is nested too deeply, more than ${DEEPEST_YAML} levels`
    throw invalidAt(path, text, stream.deepAt, what, 'Change it as text.')
  }
  const [error] = stream.documents.flatMap(({ errors }) => errors)
  if (error === undefined) return [...stream.documents]
  const what = `this is not YAML: ${error.message.split('\n')[0]}`
  throw invalidAt(path, text, error.pos[0], what, 'Correct the file first, as text.')
}

type Collection = YamlMap | YamlSeq

/** What holds a value: an item, or, without one, the document itself. */
interface Holder {
  readonly item: YamlItem | undefined
  readonly inList: boolean
  readonly inFlow: boolean
}

class YamlSettings implements SettingsFile {
  readonly value: PlainValue
  readonly #yaml: typeof Yaml
  readonly #text: string
  readonly #document: Yaml.Document.Parsed | undefined
  readonly #form: YamlForm
  readonly #newline: string
  readonly #refusal: Refusal

  constructor(
    yaml: typeof Yaml,
    text: string,
    documents: readonly Yaml.Document.Parsed[],
    index: number,
    refusal: Refusal,
  ) {
    this.#yaml = yaml
    this.#text = text
    this.#document = documents[index]
    this.#form = new YamlForm(yaml, text, documents)
    this.#newline = newlineOf(text)
    this.#refusal = refusal
    this.value = this.#plain(this.#document?.contents ?? undefined, new Map())
  }

  /** `anchors`: how many of each name came before. An alias that then stands for another one is another value. */
  #plain(node: YamlNode | undefined, anchors: Map<string, number>): PlainValue {
    const yaml = this.#yaml
    if (node === undefined || node === null) return null
    if ('anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, (anchors.get(node.anchor) ?? 0) + 1)
    if (yaml.isMap(node)) {
      const table: Record<string, PlainValue> = Object.create(null)
      for (const { key, value } of itemsOf(node as YamlMap)) {
        this.#plain(key, anchors)
        table[keyText(key, this.#text)] = this.#plain(value, anchors)
      }
      return table
    }
    if (yaml.isSeq(node)) return itemsOf(node as YamlSeq).map(({ value }) => this.#plain(value, anchors))
    if (yaml.isAlias(node)) {
      const count = anchors.get(node.source)
      if (count !== undefined) return marked(`*${node.source} ${count}`)
      throw this.#refusal.at(
        startOf(node),
        `the alias *${node.source} stands for nothing`,
        'Correct the file first, as text.',
      )
    }
    const value: unknown = yaml.isScalar(node) ? node.value : undefined
    const plain = value === null || ['string', 'boolean', 'number'].includes(typeof value)
    if (plain && !(typeof value === 'number' && !Number.isFinite(value))) return value as PlainValue
    return marked(this.#text.slice(startOf(node), endOfNode(node)))
  }

  put(path: KeyPath, value: PlainValue): Splice[] {
    let node = (this.#document?.contents ?? undefined) as YamlNode | undefined
    let holder: Holder = { item: undefined, inList: false, inFlow: false }
    for (const [index, step] of path.entries()) {
      const rest = path.slice(index)
      if (this.#isNull(node)) return this.#putAt(holder, node, nested(rest, value))
      const container = this.#container(node as YamlNode, path.slice(0, index))
      const item = this.#item(container, step, path.slice(0, index))
      if (item === undefined) return this.#add(container, step, nested(rest.slice(1), value))
      holder = { item, inList: this.#yaml.isSeq(container), inFlow: holder.inFlow || isFlow(container) }
      node = item.value
    }
    return this.#putAt(holder, node, value)
  }

  #isNull(node: YamlNode | undefined): boolean {
    return node === undefined || (this.#yaml.isScalar(node) && node.value === null)
  }

  #container(node: YamlNode, path: KeyPath): Collection {
    if (this.#yaml.isMap(node) || this.#yaml.isSeq(node)) return node as Collection
    const what = this.#yaml.isAlias(node) ? `the alias *${node.source}` : 'a single value'
    throw this.#refusal.noWay(startOf(node), path, what)
  }

  #item(container: Collection, step: string | number, path: KeyPath): YamlItem | undefined {
    const items = itemsOf(container)
    if (this.#yaml.isMap(container)) return items.find(({ key }) => keyText(key, this.#text) === String(step))
    const place = placeIn(step, items.length)
    if (place === undefined) throw this.#refusal.noPlace(startOf(container), path, items.length)
    return items[place]
  }

  /** Sets what an item, or the document, holds. */
  #putAt(holder: Holder, node: YamlNode | undefined, value: PlainValue): Splice[] {
    const { item } = holder
    if (item === undefined) return this.#putDocument(node, value)
    if (item.tagged) {
      const hint = 'Change it as text: the tag says what the value is.'
      throw this.#refusal.at(item.start, 'the value to be changed has a tag', hint)
    }
    const text = this.#text
    const empty = isEmpty(node) || node === undefined
    const like = this.#yaml.isScalar(node) ? (node.type as Yaml.Scalar.Type | undefined) : undefined
    const wasFlow = !empty && this.#yaml.isCollection(node) && isFlow(node as Collection)
    const composite = (isList(value) && value.length > 0) || (isTable(value) && Object.keys(value).length > 0)
    if (holder.inFlow || (wasFlow && composite)) {
      const written = this.#form.flow(value, quoting(like))
      return [this.#inPlace(item, empty ? undefined : node, written)]
    }
    const multiline = typeof value === 'string' && value.includes('\n')
    const made = this.#form.after(holder.inList, value, multiline ? like : quoting(like))
    const indent = ' '.repeat(column(text, item.start))
    const lines = made.lines.map((line) => this.#newline + (line === '' ? '' : indent + line)).join('')
    if (empty) {
      const first = made.first === '' ? '' : ` ${made.first}`
      const end = lineEnd(text, item.head)
      return [
        { from: item.head, to: item.head, text: first },
        { from: end, to: end, text: lines },
      ]
    }
    return this.#replaced(item, node, made.first, lines)
  }

  /** A value that goes where there was another: on the line of its key, or below it. */
  #replaced(item: YamlItem, node: YamlNode, first: string, lines: string): Splice[] {
    const text = this.#text
    const from = startOf(node)
    const to = endOfNode(node)
    const blockScalar = text[to - 1] === '\n'
    if (text.slice(item.head, from).includes('\n') || (this.#yaml.isCollection(node) && !isFlow(node as Collection))) {
      // What was below the key goes with its lines; a comment on the line of the key stays.
      const below = text.slice(item.head, from).includes('\n')
      const end = blockScalar ? lineEnd(text, lineStart(text, to - 1)) : lineEnd(text, to)
      if (!below) return [{ from: item.head, to: end, text: (first === '' ? '' : ` ${first}`) + lines }]
      return [
        { from: item.head, to: item.head, text: first === '' ? '' : ` ${first}` },
        { from: lineEnd(text, item.head), to: end, text: lines },
      ]
    }
    const start = first === '' ? item.head : from
    if (blockScalar) {
      const comment = /^[^\n#]*?([ \t]+#[^\r\n]*)/.exec(text.slice(from, lineEnd(text, from)))?.[1] ?? ''
      const ending = text.endsWith('\r\n', to) && text.slice(0, to).endsWith('\r\n') ? '\r\n' : '\n'
      return [{ from: start, to, text: first + comment + lines + ending }]
    }
    const end = lineEnd(text, to)
    return [
      { from: start, to, text: first },
      { from: end, to: end, text: lines },
    ]
  }

  #inPlace(item: YamlItem, node: YamlNode | undefined, written: string): Splice {
    if (node === undefined) return { from: item.head, to: item.head, text: ` ${written}` }
    return { from: startOf(node), to: endOfNode(node), text: written }
  }

  #putDocument(node: YamlNode | undefined, value: PlainValue): Splice[] {
    const text = this.#text
    const written = isTable(value)
      ? Object.entries(value).flatMap(([key, item]) => this.#form.pair(key, item))
      : isList(value)
        ? value.flatMap((item) => this.#form.item(item))
        : [this.#form.flow(value)]
    const lines = written.length === 0 ? [this.#form.flow(value)] : written
    if (node !== undefined && !isEmpty(node)) {
      // A text in a block ends with its line; that line goes on ending.
      const end = endOfNode(node) - (/\r?\n$/.exec(text.slice(0, endOfNode(node)))?.[0].length ?? 0)
      return [{ from: startOf(node), to: end, text: lines.join(this.#newline) }]
    }
    const at = this.#document?.range?.[1] ?? text.length
    const before = at === 0 || text[at - 1] === '\n' ? '' : this.#newline
    return [{ from: at, to: at, text: before + lines.join(this.#newline) + this.#newline }]
  }

  #add(container: Collection, step: string | number, value: PlainValue): Splice[] {
    const text = this.#text
    const map = this.#yaml.isMap(container)
    const items = itemsOf(container)
    const last = items.at(-1)
    if (isFlow(container) || last === undefined) {
      const written = map ? this.#form.flowPair(String(step), value) : this.#form.flow(value)
      return [this.#addFlow(container, last, written, map)]
    }
    const lines = map ? this.#form.pair(String(step), value) : this.#form.item(value)
    const indent = ' '.repeat(column(text, items[0]?.start ?? 0))
    const at = text[last.end - 1] === '\n' ? last.end : nextLine(text, last.end)
    const written = lines.map((line) => (line === '' ? '' : indent + line)).join(this.#newline)
    const ends = at > 0 && text[at - 1] === '\n'
    return [{ from: at, to: at, text: ends ? written + this.#newline : this.#newline + written }]
  }

  #addFlow(container: Collection, last: YamlItem | undefined, written: string, map: boolean): Splice {
    const text = this.#text
    const close = endOfNode(container) - 1
    if (last === undefined) {
      const pad = map ? this.#form.padding : ''
      return { from: startOf(container) + 1, to: close, text: pad + written + pad }
    }
    const between = text.slice(last.end, close)
    const comma = /^\s*,/.exec(between)?.[0].length
    const broken = startsLine(text, last.start)
    const lead = broken ? this.#newline + ' '.repeat(column(text, last.start)) : ' '
    const at = last.end + (comma ?? 0)
    return { from: at, to: at, text: comma === undefined ? `,${lead}${written}` : `${lead}${written},` }
  }

  drop(path: KeyPath): Splice[] {
    let node = (this.#document?.contents ?? undefined) as YamlNode
    let holder: Holder = { item: undefined, inList: false, inFlow: false }
    for (const [index, step] of path.entries()) {
      const container = this.#container(node, path.slice(0, index))
      const item = this.#item(container, step, path.slice(0, index))
      if (item === undefined) throw new RangeError('what is to be taken out is not there')
      if (index === path.length - 1) return this.#without(container, item, holder)
      holder = { item, inList: this.#yaml.isSeq(container), inFlow: holder.inFlow || isFlow(container) }
      node = item.value as YamlNode
    }
    throw new RangeError('the top level cannot be taken out')
  }

  #without(container: Collection, item: YamlItem, holder: Holder): Splice[] {
    const text = this.#text
    const items = itemsOf(container)
    const at = items.findIndex(({ start }) => start === item.start)
    const next = items[at + 1]
    if (isFlow(container)) return [this.#withoutFlow(container, item, items[at - 1], next)]
    if (items.length === 1) return this.#putAt(holder, container, this.#yaml.isMap(container) ? {} : [])
    const end = text[item.end - 1] === '\n' ? item.end : nextLine(text, item.end)
    if (startsLine(text, item.start)) {
      const from = lineStart(text, item.start)
      if (end < text.length || text.endsWith('\n')) return [{ from, to: end, text: '' }]
      return [{ from: from === 0 ? 0 : lineEnd(text, lineStart(text, from - 1)), to: end, text: '' }]
    }
    // The first of a table that stands beside a dash: the next one takes its place.
    if (next === undefined || text.slice(end, next.start).trim() !== '') {
      throw this.#refusal.at(item.start, 'comments stand in the way of taking this out', 'Change it as text.')
    }
    return [{ from: item.start, to: next.start, text: '' }]
  }

  #withoutFlow(
    container: Collection,
    item: YamlItem,
    previous: YamlItem | undefined,
    next: YamlItem | undefined,
  ): Splice {
    const from = next !== undefined ? item.start : (previous?.end ?? startOf(container) + 1)
    const to = next !== undefined ? next.start : previous !== undefined ? item.end : endOfNode(container) - 1
    const beside = this.#text.slice(from, item.start) + this.#text.slice(item.end, to)
    if (beside.includes('#')) {
      throw this.#refusal.at(item.start, 'comments stand in the way of taking this out', 'Change it as text.')
    }
    return { from, to, text: '' }
  }
}

/** A string that was quoted is quoted again; what was in a block is not when it needs none. */
function quoting(type: Yaml.Scalar.Type | undefined): Yaml.Scalar.Type | undefined {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE' ? type : undefined
}

import { formOf, type JsonForm, quoted, rendered } from '../json-form.ts'
import { endOf, type JsonNode, jsonTree, propertiesOf } from '../json-tree.ts'
import { indentAt, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../place.ts'
import type { PlainValue } from '../plain-value.ts'
import type { Splice } from '../splice.ts'
import { type KeyPath, placeIn } from './key-path.ts'
import { nested } from './plain-change.ts'
import { Refusal } from './refusal.ts'
import type { SettingsFile, SettingsFormat } from './settings-format.ts'

/** JSON, with or without comments and trailing commas. None is brought in where none was. */
export const jsonSettings: SettingsFormat = {
  name: 'json',
  forgetsEmpty: false,
  async read(text, path) {
    const { getNodeValue } = await import('jsonc-parser')
    const root = await jsonTree(text, path, true)
    return new JsonSettings(text, root, getNodeValue(root) as PlainValue, new Refusal(path, text))
  },
}

/** What comes after an item on its line. */
interface Tail {
  /** Where its comma is. */
  readonly comma: number | undefined
  /** Where the comma and the comments on the line end. */
  readonly end: number
  /** The last of it is a comment that takes the rest of the line. */
  readonly toLineEnd: boolean
}

class JsonSettings implements SettingsFile {
  readonly value: PlainValue
  readonly #text: string
  readonly #root: JsonNode
  readonly #form: JsonForm
  readonly #refusal: Refusal

  constructor(text: string, root: JsonNode, value: PlainValue, refusal: Refusal) {
    this.value = value
    this.#text = text
    this.#root = root
    this.#form = formOf(text, root, newlineOf(text))
    this.#refusal = refusal
  }

  put(path: KeyPath, value: PlainValue): Splice[] {
    let node = this.#root
    let container: JsonNode | undefined
    for (const [index, step] of path.entries()) {
      const found = this.#item(node, path, index)
      if (found === undefined) return this.#add(node, step, nested(path.slice(index + 1), value))
      container = node
      node = valueIn(found)
    }
    const form = this.#formIn(node, container)
    return [{ from: node.offset, to: endOf(node), text: rendered(value, form, indentAt(this.#text, node.offset)) }]
  }

  /** A value is laid out as the old one was; if that was single, as what it stands in. */
  #formIn(node: JsonNode, container: JsonNode | undefined): JsonForm {
    const model = (node.children ?? []).length > 0 ? node : container
    if (model === undefined || this.#text.slice(model.offset, endOf(model)).includes('\n')) return this.#form
    return model === this.#root ? this.#form : oneLine(this.#form)
  }

  /** The property, or item of a list, that a step of a path leads to. */
  #item(node: JsonNode, path: KeyPath, index: number): JsonNode | undefined {
    const step = path[index] as string | number
    if (node.type === 'object') {
      const found = propertiesOf(node, String(step))
      if (found.length > 1) {
        throw this.#refusal.twice(
          found.map(({ offset }) => offset),
          path.slice(0, index + 1),
        )
      }
      return found[0]
    }
    if (node.type !== 'array') throw this.#refusal.noWay(node.offset, path.slice(0, index))
    const items = node.children ?? []
    const place = placeIn(step, items.length)
    if (place === undefined) throw this.#refusal.noPlace(node.offset, path.slice(0, index), items.length)
    return items[place]
  }

  #add(container: JsonNode, step: string | number, value: PlainValue): Splice[] {
    const text = this.#text
    const items = container.children ?? []
    const [first] = items
    const last = items.at(-1)
    const indent = indentAt(text, container.offset)
    if (first === undefined || last === undefined) return this.#addFirst(container, step, value, indent)
    const tail = this.#tail(endOf(last))
    const broken = text.slice(container.offset, first.offset).includes('\n')
    if (!broken && !tail.toLineEnd) {
      const item = this.#itemText(container, step, value, oneLine(this.#form), indent)
      const added = tail.comma === undefined ? `${this.#form.comma}${item}` : ` ${item},`
      return [{ from: tail.end, to: tail.end, text: added }]
    }
    const inner = broken ? indentAt(text, first.offset) : indent + (this.#form.unit ?? '')
    const item = this.#itemText(container, step, value, this.#form, inner)
    const comma = tail.comma === undefined ? [{ from: endOf(last), to: endOf(last), text: ',' }] : []
    const added = `${this.#form.newline}${inner}${item}${tail.comma === undefined ? '' : ','}`
    return [...comma, { from: tail.end, to: tail.end, text: added }]
  }

  #addFirst(container: JsonNode, step: string | number, value: PlainValue, indent: string): Splice[] {
    const { newline, unit, padding } = this.#form
    const from = container.offset + 1
    const to = endOf(container) - 1
    const inside = this.#text.slice(from, to)
    const kept = inside.trimEnd()
    const broken = unit !== null || kept !== ''
    const inner = indent + (unit ?? '')
    const item = this.#itemText(container, step, value, this.#form, inner)
    if (!broken) return [{ from, to, text: container.type === 'object' ? padding + item + padding : item }]
    const last = inside.slice(kept.length).includes('\n') && kept !== '' ? '' : newline + indent
    return [
      { from: from + kept.length, to: last === '' ? from + kept.length : to, text: newline + inner + item + last },
    ]
  }

  #itemText(container: JsonNode, step: string | number, value: PlainValue, form: JsonForm, indent: string): string {
    const text = rendered(value, form, indent)
    return container.type === 'array' ? text : quoted(String(step), form) + form.colon + text
  }

  drop(path: KeyPath): Splice[] {
    let container = this.#root
    let item: JsonNode | undefined
    for (const index of path.keys()) {
      if (item !== undefined) container = valueIn(item)
      item = this.#item(container, path, index)
      if (item === undefined) throw new RangeError('what is to be taken out is not there')
    }
    if (item === undefined) throw new RangeError('the top level cannot be taken out')
    return this.#without(container, item)
  }

  #without(container: JsonNode, item: JsonNode): Splice[] {
    const text = this.#text
    const items = container.children ?? []
    const at = items.indexOf(item)
    const previous = items[at - 1]
    const next = items[at + 1]
    const tail = this.#tail(endOf(item))
    const dangling = next === undefined && tail.comma === undefined ? this.#commaOf(previous) : undefined
    const comma = dangling === undefined ? [] : [{ from: dangling, to: dangling + 1, text: '' }]
    const whole =
      text.slice(tail.end, lineEnd(text, tail.end)).trim() === '' && nextLine(text, tail.end) <= endOf(container)
    const range =
      startsLine(text, item.offset) && whole && lineStart(text, item.offset) > container.offset
        ? { from: lineStart(text, item.offset), to: nextLine(text, tail.end), text: '' }
        : this.#inLine(item, next, tail, dangling)
    if (items.length > 1) return dangling !== undefined && dangling >= range.from ? [range] : [...comma, range]
    const [open, close] = [container.offset + 1, endOf(container) - 1]
    const left = text.slice(open, range.from) + text.slice(range.to, close)
    return left.trim() === '' ? [{ from: open, to: close, text: '' }] : [range]
  }

  /** What goes when an item shares its line with others. */
  #inLine(item: JsonNode, next: JsonNode | undefined, tail: Tail, dangling: number | undefined): Splice {
    const text = this.#text
    const before = /[ \t]*$/.exec(text.slice(0, item.offset))?.[0].length ?? 0
    const end = tail.comma === undefined ? endOf(item) : tail.comma + 1
    if (dangling !== undefined) {
      const bare = text.slice(dangling + 1, item.offset).trim() === ''
      return { from: bare ? dangling : item.offset - before, to: end, text: '' }
    }
    const bare = next !== undefined && /^[ \t]*$/.test(text.slice(end, next.offset))
    return bare ? { from: item.offset, to: next.offset, text: '' } : { from: item.offset - before, to: end, text: '' }
  }

  #commaOf(item: JsonNode | undefined): number | undefined {
    if (item === undefined) return undefined
    for (let at = endOf(item); at < this.#text.length; ) {
      if (this.#text[at] === ',') return at
      at = this.#afterComment(at) ?? at + 1
    }
    return undefined
  }

  /** Where a comment that begins here ends. */
  #afterComment(at: number): number | undefined {
    if (this.#text.startsWith('//', at)) return lineEnd(this.#text, at)
    return this.#text.startsWith('/*', at) ? this.#text.indexOf('*/', at) + 2 : undefined
  }

  #tail(from: number): Tail {
    const text = this.#text
    let comma: number | undefined
    let end = from
    for (let at = from; ; ) {
      if (text[at] === ' ' || text[at] === '\t') at += 1
      else if (text[at] === ',' && comma === undefined) {
        comma = at
        at += 1
        end = at
      } else {
        const after = this.#afterComment(at)
        if (after === undefined || text.slice(at, after).includes('\n')) break
        if (text[at + 1] === '/') return { comma, end: after, toLineEnd: true }
        // A comment before the next item on the line is about that one.
        if (comma !== undefined && text.slice(after, lineEnd(text, after)).trim() !== '') break
        end = after
        at = after
      }
    }
    // A comma on a later line, as some write it.
    return { comma: comma ?? this.#commaAhead(end), end, toLineEnd: false }
  }

  #commaAhead(from: number): number | undefined {
    for (let at = from; at < this.#text.length; ) {
      if (this.#text[at] === ',') return at
      if (/\s/.test(this.#text[at] ?? '')) at += 1
      else {
        const after = this.#afterComment(at)
        if (after === undefined) return undefined
        at = after
      }
    }
    return undefined
  }
}

function oneLine(form: JsonForm): JsonForm {
  return { ...form, unit: null }
}

function valueIn(item: JsonNode): JsonNode {
  if (item.type !== 'property') return item
  const value = item.children?.[1]
  if (value === undefined) throw new RangeError('a property without a value')
  return value
}

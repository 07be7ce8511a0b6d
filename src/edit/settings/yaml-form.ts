import type * as Yaml from 'yaml'
import type { PlainValue } from '../plain-value.ts'
import { isList, isTable } from '../plain-value.ts'
import { isFlow, itemsOf, startOf, type YamlMap, type YamlSeq } from './yaml-nodes.ts'

/** A value as it is written below or beside a key or a dash. */
export interface YamlText {
  /** On the line of the key or dash. */
  readonly first: string
  /** On the lines after it, each with the indentation that it has below a key or dash at the start of a line. */
  readonly lines: readonly string[]
}

/** Words that readers of YAML 1.1 take for booleans, numbers or dates are quoted. */
const COMPATIBLE = { compat: 'yaml-1.1' } as const

/** How a YAML file writes what is in it; of what it does not show, the usual. */
export class YamlForm {
  readonly #yaml: typeof Yaml
  readonly #indent: number
  readonly #indentSeq: boolean
  readonly #singleQuote: true | null
  readonly #padding: string

  constructor(yaml: typeof Yaml, text: string, documents: readonly { readonly contents: unknown }[]) {
    const seen: Seen = { deeper: 0, level: 0 }
    let [single, double] = [0, 0]
    for (const { contents } of documents) {
      yaml.visit(contents as Yaml.Node, {
        Scalar(_, { type }) {
          if (type === 'QUOTE_SINGLE') single += 1
          if (type === 'QUOTE_DOUBLE') double += 1
        },
        Map(_, map) {
          if (!isFlow(map)) look(map, text, yaml, seen)
        },
      })
    }
    this.#yaml = yaml
    this.#indent = seen.indent ?? 2
    this.#indentSeq = seen.deeper >= seen.level
    this.#singleQuote = single > double ? true : null
    this.#padding = /\{ [^}\n]/.test(text) || !/\{[^ }\n]/.test(text) ? ' ' : ''
  }

  /** A pair, laid out on lines of its own. */
  pair(key: string, value: PlainValue): string[] {
    return this.#lines({ [key]: value } as PlainValue)
  }

  item(value: PlainValue): string[] {
    return this.#lines([value])
  }

  /** What stands after a key, or after a dash; `like`: the value that was there. */
  after(inList: boolean, value: PlainValue, like: Yaml.Scalar.Type | undefined): YamlText {
    const [first = '', ...lines] = this.#lines(inList ? [value] : { k: value }, like)
    return { first: first.slice(inList ? 1 : 2).trimStart(), lines }
  }

  /** On one line. */
  flow(value: PlainValue, like?: Yaml.Scalar.Type): string {
    if (isList(value)) return `[${value.map((item) => this.flow(item)).join(', ')}]`
    if (isTable(value)) {
      const pairs = Object.entries(value).map(([key, item]) => this.flowPair(key, item))
      return pairs.length === 0 ? '{}' : `{${this.#padding}${pairs.join(', ')}${this.#padding}}`
    }
    const document = new this.#yaml.Document([this.#node(value, like)], COMPATIBLE)
    if (this.#yaml.isSeq(document.contents)) document.contents.flow = true
    const text = document.toString({ ...this.#options(), flowCollectionPadding: false }).trim()
    return text.slice(1, -1).trim()
  }

  flowPair(key: string, value: PlainValue): string {
    return `${this.flow(key)}: ${this.flow(value)}`
  }

  get padding(): string {
    return this.#padding
  }

  #lines(value: PlainValue | Record<string, PlainValue>, like?: Yaml.Scalar.Type): string[] {
    const document = new this.#yaml.Document(value, COMPATIBLE)
    const { contents } = document
    if (like !== undefined && this.#yaml.isCollection(contents)) {
      const [item] = contents.items
      const scalar = this.#yaml.isPair(item) ? item.value : item
      if (this.#yaml.isScalar(scalar) && typeof scalar.value === 'string') scalar.type = like
    }
    const lines = document.toString(this.#options()).split('\n')
    if (lines.at(-1) === '') lines.pop()
    return lines
  }

  #node(value: PlainValue, like: Yaml.Scalar.Type | undefined): unknown {
    const scalar = new this.#yaml.Scalar(value)
    // On one line, line breaks must be escaped.
    if (typeof value === 'string' && /[\n\r]/.test(value)) scalar.type = 'QUOTE_DOUBLE'
    else if (like !== undefined && typeof value === 'string') scalar.type = like
    return scalar
  }

  #options(): Yaml.ToStringOptions {
    return {
      indent: this.#indent,
      indentSeq: this.#indentSeq,
      singleQuote: this.#singleQuote,
      lineWidth: 0,
      doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    }
  }
}

/** Of lists below a key, how many stand deeper than it, and how many do not. */
interface Seen {
  indent?: number
  deeper: number
  level: number
}

/** What a table shows of the indentation. */
function look(map: YamlMap, text: string, yaml: typeof Yaml, seen: Seen): void {
  for (const { start, value } of itemsOf(map)) {
    if (!yaml.isCollection(value) || isFlow(value as YamlMap | YamlSeq)) continue
    const inner = itemsOf(value as YamlMap | YamlSeq)[0]?.start ?? startOf(value)
    const deeper = column(text, inner) - column(text, start)
    if (yaml.isSeq(value)) seen[deeper > 0 ? 'deeper' : 'level'] += 1
    if (deeper > 0) seen.indent ??= deeper
  }
}

export function column(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}

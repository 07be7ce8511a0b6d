/** Where the parts of a YAML document stand. Ranges of block collections reach over comments and blanks after them; these do not. */
import type { Node, Pair, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml'

export type YamlNode = Node | ParsedNode
export type YamlMap = YAMLMap<unknown, unknown>
export type YamlSeq = YAMLSeq<unknown>

interface Piece {
  readonly type: string
  readonly offset: number
  readonly source: string
}

/** An item of a list or a pair of a table. */
export interface YamlItem {
  /** Where it begins: at its key or its dash, with what stands before these of its own. */
  readonly start: number
  /** After its colon or dash, and after an anchor or tag of the value. */
  readonly head: number
  /** Where its value ends. */
  readonly end: number
  readonly key: YamlNode | undefined
  readonly value: YamlNode | undefined
  /** The value has a tag, or is told by `?`. */
  readonly tagged: boolean
  readonly explicit: boolean
}

interface ItemToken {
  readonly start?: readonly Piece[]
  readonly sep?: readonly Piece[]
}

const OWN: ReadonlySet<string> = new Set(['explicit-key-ind', 'seq-item-ind', 'anchor', 'tag'])
const HEAD: ReadonlySet<string> = new Set(['map-value-ind', 'seq-item-ind', 'anchor', 'tag'])

/** What `yaml` keeps of the source of a node, by itself or for each item. */
function tokenOf(node: unknown): (ItemToken & { readonly items?: readonly ItemToken[] }) | undefined {
  return (node as { srcToken?: ItemToken & { items?: ItemToken[] } }).srcToken
}

export function isFlow(node: YamlMap | YamlSeq): boolean {
  return node.flow === true
}

export function startOf(node: YamlNode): number {
  return node.range?.[0] ?? 0
}

/** Where a node ends, without the comments and blanks after it. */
export function endOfNode(node: YamlNode): number {
  const items = 'items' in node && node.flow !== true ? itemsOf(node as YamlMap | YamlSeq) : []
  return items.at(-1)?.end ?? node.range?.[1] ?? 0
}

/** Nothing stands there, which means null. */
export function isEmpty(node: YamlNode | undefined): boolean {
  return node === undefined || (node.range?.[0] === node.range?.[1] && !('items' in node))
}

export function itemsOf(node: YamlMap | YamlSeq): YamlItem[] {
  const items = node.items as readonly unknown[]
  if (isMapNode(node)) return (items as readonly Pair[]).map((pair) => pairItem(pair))
  const tokens = (tokenOf(node)?.items ?? []).filter(
    (token) => isFlow(node) || token.start?.some(({ type }) => type === 'seq-item-ind'),
  )
  return items.map((value, index) => seqItem(value as YamlNode, tokens[index]))
}

/** As `isMap` of `yaml` tells it, which need not be loaded for this. */
function isMapNode(node: YamlMap | YamlSeq): boolean {
  return (node as unknown as Record<symbol, unknown>)[Symbol.for('yaml.node.type')] === Symbol.for('yaml.map')
}

function pairItem(pair: Pair): YamlItem {
  const token = tokenOf(pair)
  const key = (pair.key ?? undefined) as YamlNode | undefined
  const value = (pair.value ?? undefined) as YamlNode | undefined
  const own = token?.start?.find(({ type }) => OWN.has(type))
  const heads = (token?.sep ?? []).filter(({ type }) => HEAD.has(type))
  const last = heads.at(-1)
  const keyEnd = key?.range?.[1] ?? own?.offset ?? 0
  const head = last === undefined ? keyEnd : last.offset + last.source.length
  return {
    start: own?.offset ?? (key === undefined ? head : startOf(key)),
    head,
    end: isEmpty(value) || value === undefined ? head : endOfNode(value),
    key,
    value,
    tagged: heads.some(({ type }) => type === 'tag'),
    explicit: own?.type === 'explicit-key-ind',
  }
}

function seqItem(node: YamlNode, token: ItemToken | undefined): YamlItem {
  const heads = (token?.start ?? []).filter(({ type }) => HEAD.has(type))
  const [first] = heads
  const last = heads.at(-1)
  const begin = node === null ? 0 : startOf(node)
  const head = last === undefined ? begin : last.offset + last.source.length
  return {
    start: first?.offset ?? begin,
    head,
    end: isEmpty(node) ? head : endOfNode(node),
    key: undefined,
    value: node,
    tagged: heads.some(({ type }) => type === 'tag'),
    explicit: false,
  }
}

/** The text of a key, as it is asked for. */
export function keyText(key: YamlNode | undefined, text: string): string {
  if (key !== undefined && 'value' in key) return String((key as Scalar).value)
  return key === undefined ? '' : text.slice(startOf(key), endOfNode(key))
}

import type { JournalError } from '../errors.ts'
import { endOf, type JsonNode, jsonTree, memberOf } from './json-tree.ts'
import { invalidAt } from './place.ts'

/** One list of cells: a notebook has one, and up to version 3 one for every worksheet. */
export interface CellList {
  readonly node: JsonNode
  /** The first of its cells, counted over the whole notebook. */
  readonly start: number
}

/** What an edit must know of a notebook: its version, and where each cell stands. */
export interface NotebookOutline {
  readonly root: JsonNode
  readonly major: number
  readonly minor: number
  readonly lists: readonly CellList[]
  readonly cells: readonly JsonNode[]
  /** Every cell has an id: nbformat 4.5 and later. */
  readonly hasIds: boolean
}

/**
 * Reads a notebook of nbformat 3 or 4.
 * @throws JournalError `INVALID` with the line where it is none
 */
export async function outlineOf(text: string, path: string): Promise<NotebookOutline> {
  const root = await jsonTree(text, path, false)
  const refused = (node: JsonNode, what: string): JournalError =>
    invalidAt(path, text, node.offset, `this is no Jupyter notebook: ${what}`, 'Name a notebook of nbformat 3 or 4.')
  if (root.type !== 'object') throw refused(root, 'its top level is no object')
  const major = version(root, 'nbformat')
  if (major === undefined) throw refused(root, 'it has no number nbformat')
  if (major !== 3 && major !== 4) throw refused(root, `nbformat ${major} is not known here`)
  const minor = version(root, 'nbformat_minor') ?? 0
  const nodes = major === 4 ? [memberOf(root, 'cells')] : worksheetsOf(root).map((sheet) => memberOf(sheet, 'cells'))
  const lists: CellList[] = []
  const cells: JsonNode[] = []
  for (const node of nodes) {
    if (node?.type !== 'array') throw refused(node ?? root, 'it has no list of cells')
    lists.push({ node, start: cells.length })
    for (const cell of node.children ?? []) {
      if (cell.type !== 'object' || typeof memberOf(cell, 'cell_type')?.value !== 'string') {
        throw refused(cell, 'one of its cells has no cell_type')
      }
      cells.push(cell)
    }
  }
  if (lists.length === 0) throw refused(root, 'it has no worksheet')
  return { root, major, minor, lists, cells, hasIds: major === 4 && minor >= 5 }
}

function version(root: JsonNode, key: string): number | undefined {
  const value: unknown = memberOf(root, key)?.value
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function worksheetsOf(root: JsonNode): readonly JsonNode[] {
  return memberOf(root, 'worksheets')?.children ?? []
}

/** The id of a cell; that which Colab keeps in the metadata where the format has none. */
export function idOf(cell: JsonNode): string | undefined {
  const own: unknown = memberOf(cell, 'id')?.value
  if (typeof own === 'string') return own
  const metadata = memberOf(cell, 'metadata')
  const kept: unknown = metadata === undefined ? undefined : memberOf(metadata, 'id')?.value
  return typeof kept === 'string' ? kept : undefined
}

/** Which key of a cell holds its source: code cells of version 3 call it `input`. */
export function sourceKey(major: number, type: string): 'source' | 'input' {
  return major === 3 && type === 'code' ? 'input' : 'source'
}

/** The source of a cell as one text; undefined when it has none. */
export function sourceOf(node: JsonNode | undefined): string | undefined {
  if (node?.type === 'string') return node.value as string
  if (node?.type !== 'array') return undefined
  const lines = (node.children ?? []).map(({ value }) => value as unknown)
  return lines.every((line) => typeof line === 'string') ? lines.join('') : undefined
}

/** Whether an array stands on one line. */
export function onOneLine(text: string, node: JsonNode): boolean {
  return (node.children ?? []).length > 0 && !text.slice(node.offset, endOf(node)).includes('\n')
}

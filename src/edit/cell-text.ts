import type { CellType } from './cell-edit.ts'
import { type JsonForm, quoted, rendered } from './json-form.ts'
import { itemOf, type JsonItem, withItems } from './json-items.ts'
import { type JsonNode, memberOf } from './json-tree.ts'
import { type NotebookOutline, onOneLine, sourceKey, sourceOf } from './notebook-outline.ts'
import { indentAt } from './place.ts'
import type { PlainValue } from './plain-value.ts'

/** How the source of a cell stands in the file. */
export type SourceShape = 'text' | 'lines' | 'lines on one line'

/** What the cells of one notebook have in common. */
export interface CellManner {
  readonly outline: NotebookOutline
  readonly form: JsonForm
  /** Of new cells, and of those whose own source is empty. */
  readonly shape: SourceShape
  /** Of code cells of version 3. */
  readonly language: string
}

/** How the source of a cell stands; undefined where an empty one does not tell. */
export function shapeOf(text: string, source: JsonNode | undefined): SourceShape | undefined {
  if (source?.type === 'array') return onOneLine(text, source) ? 'lines on one line' : 'lines'
  return source?.type === 'string' && source.value !== '' ? 'text' : undefined
}

function sourceText(source: string, shape: SourceShape, form: JsonForm, indent: string): string {
  if (shape === 'text') return quoted(source, form)
  const lines = source.split(/(?<=\n)/).filter((line) => line !== '')
  return rendered(
    lines,
    shape === 'lines' ? form : { ...form, unit: null, comma: form.unit === null ? form.comma : ', ' },
    indent,
  )
}

/** The members of a cell beside its type, id, metadata and source, for one that was never run. */
function unrun(manner: CellManner, type: CellType): Readonly<Record<string, PlainValue>> {
  if (type !== 'code') return {}
  if (manner.outline.major === 4) return { execution_count: null, outputs: [] }
  return { collapsed: false, language: manner.language, outputs: [] }
}

/** A new cell, its keys in the order in which Jupyter writes them. */
export function newCell(
  manner: CellManner,
  type: CellType,
  source: string,
  id: string | undefined,
  indent: string,
): string {
  const { form, outline } = manner
  const inner = indent + (form.unit ?? '')
  const members = new Map<string, string>([
    ['cell_type', quoted(type, form)],
    ['metadata', '{}'],
    [sourceKey(outline.major, type), sourceText(source, manner.shape, form, inner)],
    ...Object.entries(unrun(manner, type)).map(([key, value]) => [key, rendered(value, form, inner)] as const),
    ...(id === undefined ? [] : [['id', quoted(id, form)] as const]),
  ])
  const lines = [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => quoted(key, form) + form.colon + value)
  if (form.unit === null) return `{${form.padding}${lines.join(form.comma)}${form.padding}}`
  return `{${form.newline}${lines.map((line) => inner + line).join(`,${form.newline}`)}${form.newline}${indent}}`
}

/** A cell with another source, and perhaps another type; what came of running the old one is gone, all else is as it was. */
export function changedCell(
  text: string,
  cell: JsonNode,
  manner: CellManner,
  to: { readonly source: string; readonly type: string; readonly id: string | undefined },
): string {
  const { form, outline } = manner
  const was = memberOf(cell, 'cell_type')?.value as string
  const key = sourceKey(outline.major, to.type)
  const source = memberOf(cell, sourceKey(outline.major, was))
  const inner = innerIndent(text, cell, form)
  const written = sourceText(to.source, shapeOf(text, source) ?? manner.shape, form, inner)
  const wanted = new Map<string, string>([[key, written]])
  if (to.id !== undefined) wanted.set('id', quoted(to.id, form))
  if (to.type !== was) wanted.set('cell_type', quoted(to.type, form))
  if (to.type === 'code') {
    const count = outline.major === 4 ? 'execution_count' : 'prompt_number'
    if (was !== 'code') {
      for (const [name, value] of Object.entries(unrun(manner, 'code'))) wanted.set(name, rendered(value, form, inner))
    }
    if (outline.major === 4 || memberOf(cell, count) !== undefined) wanted.set(count, 'null')
    wanted.set('outputs', '[]')
  }
  const gone = new Set(
    to.type === was ? [] : ['execution_count', 'prompt_number', 'outputs', 'collapsed', 'language', 'level'],
  )
  if (to.type !== was) gone.add(sourceKey(outline.major, was))
  if (to.type === 'code') gone.add('attachments')
  return withItems(text, cell, members(text, cell, form, wanted, gone), form, indentAt(text, cell.offset))
}

/** Blanks before the members of a cell. */
function innerIndent(text: string, cell: JsonNode, form: JsonForm): string {
  const first = cell.children?.[0]
  if (first !== undefined && text.slice(cell.offset, first.offset).includes('\n')) return indentAt(text, first.offset)
  return indentAt(text, cell.offset) + (form.unit ?? '')
}

function members(
  text: string,
  cell: JsonNode,
  form: JsonForm,
  wanted: Map<string, string>,
  gone: ReadonlySet<string>,
): JsonItem[] {
  const items: (JsonItem & { readonly key: string })[] = []
  const missing = new Map(wanted)
  for (const node of cell.children ?? []) {
    const [name, value] = node.children ?? []
    const key = name?.value as string
    const now = wanted.get(key)
    missing.delete(key)
    if (now === undefined && gone.has(key)) continue
    const item = itemOf(text, node)
    const head = value === undefined ? item.text : text.slice(node.offset, value.offset)
    items.push({ key, ...item, text: now === undefined || sameText(text, value, now) ? item.text : head + now })
  }
  const sorted = items.every(({ key }, index) => index === 0 || (items[index - 1]?.key ?? '') <= key)
  for (const [key, value] of missing) {
    const at = sorted ? items.findIndex((item) => item.key > key) : -1
    items.splice(at < 0 ? items.length : at, 0, { key, text: quoted(key, form) + form.colon + value })
  }
  return items
}

/** An empty list may be written with blanks in it; it stays as it is. */
function sameText(text: string, value: JsonNode | undefined, now: string): boolean {
  if (value === undefined) return false
  if (now === '[]' && value.type === 'array') return (value.children ?? []).length === 0
  return text.slice(value.offset, value.offset + value.length) === now
}

/** The source of a cell that stands in the file. */
export function cellSource(outline: NotebookOutline, cell: JsonNode): string | undefined {
  const type = memberOf(cell, 'cell_type')?.value as string
  return sourceOf(memberOf(cell, sourceKey(outline.major, type)))
}

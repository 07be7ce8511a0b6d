import { createHash } from 'node:crypto'
import { JournalError, shown } from '../errors.ts'
import type { CellEdit, CellName, CellType } from './cell-edit.ts'
import { type CellManner, cellSource, changedCell, newCell, type SourceShape, shapeOf } from './cell-text.ts'
import { formOf } from './json-form.ts'
import { itemOf, type JsonItem, withItems } from './json-items.ts'
import { endOf, type JsonNode, memberOf } from './json-tree.ts'
import { type CellList, idOf, type NotebookOutline, outlineOf, sourceKey } from './notebook-outline.ts'
import { indentAt, lineAt, newlineOf } from './place.ts'
import { type Splice, spliced } from './splice.ts'

/** A cell while the edits are worked in. */
interface Slot {
  /** Where it stands in the file; none of a new one. */
  readonly node: JsonNode | undefined
  readonly list: CellList
  id: string | undefined
  type: string
  source: string | undefined
  changed: boolean
  deleted: boolean
  /** New cells that come right after it. */
  readonly followers: Slot[]
}

/**
 * The text of a notebook after these edits, in order: one pass, whatever their number. A cell that no edit names stays byte for byte; a changed one
 * keeps its id, its metadata and the form of its source; a code cell whose source changed loses its outputs and its count, which came from the old one.
 * @throws JournalError `INVALID` with the line where the file is no notebook of version 3 or 4; with the edit's number where it names no cell
 */
export async function changedNotebook(text: string, edits: readonly CellEdit[], path: string): Promise<string> {
  const outline = await outlineOf(text, path)
  const cells = new CellBook(text, outline, path)
  for (const [index, edit] of edits.entries()) cells.apply(edit, index + 1)
  return cells.written()
}

class CellBook {
  readonly #text: string
  readonly #path: string
  readonly #outline: NotebookOutline
  readonly #manner: CellManner
  readonly #slots: readonly Slot[]
  /** New cells before the first of a list. */
  readonly #heads: ReadonlyMap<CellList, Slot[]>
  readonly #byId = new Map<string, Slot[]>()

  constructor(text: string, outline: NotebookOutline, path: string) {
    this.#text = text
    this.#path = path
    this.#outline = outline
    this.#manner = mannerOf(text, outline)
    this.#heads = new Map(outline.lists.map((list) => [list, []]))
    this.#slots = outline.lists.flatMap((list) => (list.node.children ?? []).map((node) => this.#slot(node, list)))
  }

  #slot(node: JsonNode, list: CellList): Slot {
    const id = idOf(node)
    const type = memberOf(node, 'cell_type')?.value as string
    const slot = { node, list, id, type, source: undefined, changed: false, deleted: false, followers: [] }
    if (id !== undefined) this.#name(id, slot)
    return slot
  }

  #name(id: string, slot: Slot): void {
    const same = this.#byId.get(id)
    if (same === undefined) this.#byId.set(id, [slot])
    else same.push(slot)
  }

  apply(edit: CellEdit, number: number): void {
    if (edit.edit === 'insert') {
      this.#insert(edit, number)
      return
    }
    const slot = this.#find(edit.cell, number)
    if (edit.edit === 'delete') {
      slot.deleted = true
      return
    }
    const type = edit.type ?? slot.type
    const source = slot.source ?? (slot.node === undefined ? undefined : cellSource(this.#outline, slot.node))
    if (source === edit.source && type === slot.type) return
    slot.type = type
    slot.source = edit.source
    slot.changed = true
    this.#giveId(slot, number)
  }

  #insert(edit: Extract<CellEdit, { edit: 'insert' }>, number: number): void {
    const after = edit.after === undefined ? undefined : this.#find(edit.after, number)
    const list = after?.list ?? this.#outline.lists[0]
    if (list === undefined) throw new RangeError('a notebook without a list of cells')
    if (edit.id !== undefined && !this.#outline.hasIds) {
      throw this.#refused(
        number,
        'cells of this notebook have no ids',
        'Leave id out: only nbformat 4.5 and later has ids.',
      )
    }
    if (edit.id !== undefined && this.#byId.has(edit.id)) {
      throw this.#refused(number, `there is a cell ${shown(edit.id)} already`, 'Choose another id, or leave it out.')
    }
    const { type, source, id } = edit
    const slot: Slot = { node: undefined, list, id, type, source, changed: true, deleted: false, followers: [] }
    if (id === undefined) this.#giveId(slot, number)
    else this.#name(id, slot)
    if (after === undefined) this.#heads.get(list)?.push(slot)
    else after.followers.push(slot)
  }

  /** Made from what the cell is, so that the same edits make the same notebook. */
  #giveId(slot: Slot, number: number): void {
    if (!this.#outline.hasIds || (slot.node === undefined ? slot.id : memberOf(slot.node, 'id')) !== undefined) return
    for (let round = 0; ; round += 1) {
      const id = createHash('sha256').update(`${number}\n${round}\n${slot.source}`).digest('hex').slice(0, 8)
      if (this.#byId.has(id)) continue
      slot.id = id
      this.#name(id, slot)
      return
    }
  }

  #find(name: CellName, number: number): Slot {
    const found = typeof name === 'number' ? this.#slots.slice(name, name + 1) : (this.#byId.get(name) ?? [])
    const [slot] = found
    if (slot === undefined) {
      const hint =
        typeof name === 'number'
          ? `It has ${this.#slots.length}, counted from 0.`
          : 'Read the notebook again; cells are named by their id, or by their place, counted from 0.'
      throw this.#refused(number, `there is no cell ${shown(name)}`, hint)
    }
    if (found.length > 1) {
      const lines = found.flatMap(({ node }) => (node === undefined ? [] : [lineAt(this.#text, node.offset)]))
      const hint = `They begin at lines ${lines.join(', ')}. Name the cell by its place.`
      throw this.#refused(number, `${found.length} cells have the id ${shown(name)}`, hint, { lines })
    }
    if (slot.deleted)
      throw this.#refused(number, `cell ${shown(name)} was deleted before`, 'Leave one of the edits out.')
    return slot
  }

  #refused(number: number, what: string, hint: string, details: Record<string, unknown> = {}): JournalError {
    return new JournalError('INVALID', `${this.#path}, cell edit ${number}: ${what}`, {
      hint,
      path: this.#path,
      details: { edit: number, ...details },
    })
  }

  written(): string {
    return spliced(
      this.#text,
      this.#outline.lists.flatMap((list) => this.#listSplices(list)),
    )
  }

  #listSplices(list: CellList): Splice[] {
    const own = this.#slots.slice(list.start, list.start + (list.node.children ?? []).length)
    const heads = this.#heads.get(list) ?? []
    if (heads.length === 0 && own.every(({ deleted, followers }) => !deleted && followers.length === 0)) {
      return own.flatMap((slot) => {
        const { node } = slot
        return slot.changed && node !== undefined
          ? [{ from: node.offset, to: endOf(node), text: this.#textOf(slot, '') }]
          : []
      })
    }
    const indent = indentAt(this.#text, list.node.offset)
    const items = inOrder(heads, own).map((slot): JsonItem => {
      const inner = this.#cellIndent(list, indent)
      return slot.node !== undefined && !slot.changed
        ? itemOf(this.#text, slot.node)
        : { node: slot.node, text: this.#textOf(slot, inner) }
    })
    const text = withItems(this.#text, list.node, items, this.#manner.form, indent)
    return [{ from: list.node.offset, to: endOf(list.node), text }]
  }

  /** Blanks before a cell of a list. */
  #cellIndent(list: CellList, indent: string): string {
    const first = list.node.children?.[0]
    return first === undefined ? indent + (this.#manner.form.unit ?? '') : indentAt(this.#text, first.offset)
  }

  #textOf(slot: Slot, indent: string): string {
    const { node, type, id } = slot
    const source = slot.source ?? ''
    if (node !== undefined) {
      const made = this.#outline.hasIds && memberOf(node, 'id') === undefined ? id : undefined
      return changedCell(this.#text, node, this.#manner, { source, type, id: made })
    }
    return newCell(this.#manner, type as CellType, source, id, indent)
  }
}

/** The cells that are left, each before the new ones that follow it. */
function inOrder(heads: readonly Slot[], own: readonly Slot[]): Slot[] {
  const found: Slot[] = []
  const left = [...own.toReversed(), ...heads.toReversed()]
  for (let slot = left.pop(); slot !== undefined; slot = left.pop()) {
    if (!slot.deleted) found.push(slot)
    for (let index = slot.followers.length - 1; index >= 0; index -= 1) left.push(slot.followers[index] as Slot)
  }
  return found
}

function mannerOf(text: string, outline: NotebookOutline): CellManner {
  const shapes = new Map<SourceShape, number>()
  let language = 'python'
  for (const cell of outline.cells) {
    const type = memberOf(cell, 'cell_type')?.value as string
    const shape = shapeOf(text, memberOf(cell, sourceKey(outline.major, type)))
    const own: unknown = memberOf(cell, 'language')?.value
    if (typeof own === 'string') language = own
    // A single line looks the same in both forms of a list.
    if (shape !== undefined) shapes.set(shape, (shapes.get(shape) ?? 0) + 1)
  }
  const [usual] = [...shapes].sort(([, a], [, b]) => b - a)
  const form = formOf(text, outline.root, newlineOf(text))
  return { outline, form, shape: usual?.[0] ?? 'lines', language }
}

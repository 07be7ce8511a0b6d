import { JournalError, shown } from '../errors.ts'

export type CellType = 'code' | 'markdown' | 'raw'

/** A cell by its id, or by its place in the notebook as it was before the call, from 0. */
export type CellName = string | number

/** One change to the cells of a notebook. */
export type CellEdit =
  /** Gives a cell a new source, and another type when `type` says so. */
  | {
      readonly edit?: 'replace' | undefined
      readonly cell: CellName
      readonly source: string
      readonly type?: CellType | undefined
    }
  /** A new cell after another, or at the start. Several at one place stand in the order given. */
  | {
      readonly edit: 'insert'
      readonly after?: CellName | undefined
      readonly type: CellType
      readonly source: string
      /** Of the new cell; made when left out. Only notebooks of version 4.5 and later have ids. */
      readonly id?: string | undefined
    }
  | { readonly edit: 'delete'; readonly cell: CellName }

const TYPES: ReadonlySet<unknown> = new Set(['code', 'markdown', 'raw'] satisfies CellType[])
/** What nbformat 4.5 allows. */
const ID = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * A frozen copy of a list of cell edits, once it is one.
 * @throws JournalError `INVALID` that names the edit by its number
 */
export function checkedCells(path: string, cells: readonly CellEdit[]): readonly CellEdit[] {
  if (!Array.isArray(cells) || cells.length === 0) {
    throw refused(path, 'the cell edits are no list with anything in it')
  }
  return Object.freeze(cells.map((cell, index) => checkedCell(path, cell, index + 1)))
}

function checkedCell(path: string, given: CellEdit, number: number): CellEdit {
  const edit: unknown = given?.edit ?? 'replace'
  if (typeof given !== 'object' || given === null) throw refused(path, `cell edit ${number} is no object`)
  if (given.edit === 'delete') return Object.freeze({ edit: 'delete', cell: checkedName(path, given.cell, number) })
  if (edit !== 'replace' && edit !== 'insert') {
    throw refused(path, `cell edit ${number}: ${shown(edit)} is not replace, insert or delete`)
  }
  const { source, type } = given
  if (typeof source !== 'string' || !source.isWellFormed()) {
    throw refused(path, `cell edit ${number}: the source is no well-formed text`)
  }
  if (!(TYPES.has(type) || (type === undefined && edit === 'replace'))) {
    throw refused(path, `cell edit ${number}: ${shown(type)} is not the type code, markdown or raw`)
  }
  if (given.edit !== 'insert') {
    const cell = checkedName(path, given.cell, number)
    return Object.freeze({ edit: 'replace', cell, source, ...(type === undefined ? {} : { type }) })
  }
  const { after, id } = given
  if (id !== undefined && !(typeof id === 'string' && ID.test(id))) {
    throw refused(path, `cell edit ${number}: ${shown(id)} is no cell id, 1 to 64 letters, digits, _ and -`)
  }
  return Object.freeze({
    edit: 'insert',
    ...(after === undefined ? {} : { after: checkedName(path, after, number) }),
    type: given.type,
    source,
    ...(id === undefined ? {} : { id }),
  })
}

function checkedName(path: string, name: unknown, number: number): CellName {
  if (typeof name === 'string' && name !== '' && name.isWellFormed()) return name
  if (typeof name === 'number' && Number.isSafeInteger(name) && name >= 0) return name
  throw refused(path, `cell edit ${number}: ${shown(name)} names no cell`)
}

function refused(path: string, what: string): JournalError {
  return new JournalError('INVALID', `${shown(path)}: ${what}`, {
    hint: 'Give { cell, source } to replace, { edit: "insert", after, type, source } or { edit: "delete", cell }; a cell is an id or a number from 0.',
    path,
  })
}

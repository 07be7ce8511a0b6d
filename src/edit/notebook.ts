/** Cells of Jupyter notebooks. `change`: `{ cells }`, a list of `CellEdit`. */
import { changedNotebook } from './cell-book.ts'
import { type CellEdit, checkedCells } from './cell-edit.ts'
import { withinStack } from './nesting.ts'
import type { Change, Reviser } from './revisers.ts'

export const notebook: Reviser = {
  check(path, change) {
    return { cells: checkedCells(path, change.cells as unknown as CellEdit[]) as unknown as Change[] }
  },
  async revise(text, change, path) {
    const cells = change.cells as unknown as CellEdit[]
    return {
      text: await withinStack(path, () => changedNotebook(text, cells, path)),
      report: null,
      changes: cells.length,
    }
  },
}

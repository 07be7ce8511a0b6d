import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedNotebook } from '../../src/edit/cell-book.ts'
import { type CellEdit, checkedCells } from '../../src/edit/cell-edit.ts'
import type { JournalError } from '../../src/errors.ts'

interface Cell {
  cell_type: string
  id?: string
  source?: string | string[]
  input?: string | string[]
  outputs?: unknown[]
  execution_count?: number | null
  metadata: unknown
}

const FOLDER = join(import.meta.dirname, 'notebooks')
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.ipynb'))
const load = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const edit = (text: string, ...edits: CellEdit[]): Promise<string> =>
  changedNotebook(text, checkedCells('a.ipynb', edits), 'a.ipynb')

function cellsOf(text: string): Cell[] {
  const notebook = JSON.parse(text) as { cells?: Cell[]; worksheets?: { cells: Cell[] }[] }
  return notebook.cells ?? notebook.worksheets?.flatMap(({ cells }) => cells) ?? []
}

function sourceOf(cell: Cell | undefined): string | undefined {
  const source = cell?.source ?? cell?.input
  return Array.isArray(source) ? source.join('') : source
}

async function failure(action: () => unknown): Promise<JournalError> {
  try {
    await action()
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

const NOTEBOOK = `{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "intro",
   "metadata": { "tags":["keep"] },
   "source": "# One\\n\\ntext"
  },
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "work",
   "metadata": {},
   "outputs": [
    {
     "output_type": "stream",
     "text": ["x\\n"]
    }
   ],
   "source": [
    "a = 1\\n",
    "print(a)"
   ]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
`

describe('a cell that is replaced', () => {
  it('keeps the form of its source, its id and its metadata, and loses what came of the old source', async () => {
    expect(await edit(NOTEBOOK, { cell: 'work', source: 'b = 2\n\nb' })).toBe(
      NOTEBOOK.replace('"execution_count": 7', '"execution_count": null')
        .replace(/"outputs": \[[^\]]*\][^\]]*\]/, '"outputs": []')
        .replace('"a = 1\\n",\n    "print(a)"', '"b = 2\\n",\n    "\\n",\n    "b"'),
    )
    expect(await edit(NOTEBOOK, { cell: 0, source: '# Two\n' })).toBe(
      NOTEBOOK.replace('"# One\\n\\ntext"', '"# Two\\n"'),
    )
  })

  it('stays as it is, outputs and all, when the source is the same', async () => {
    expect(await edit(NOTEBOOK, { cell: 'work', source: 'a = 1\nprint(a)' })).toBe(NOTEBOOK)
  })

  it('changes its type, and has the members of the new one', async () => {
    const cells = cellsOf(
      await edit(NOTEBOOK, { cell: 0, source: 'x', type: 'code' }, { cell: 1, source: 'y', type: 'markdown' }),
    )
    expect(cells).toEqual([
      { cell_type: 'code', execution_count: null, id: 'intro', metadata: { tags: ['keep'] }, outputs: [], source: 'x' },
      { cell_type: 'markdown', id: 'work', metadata: {}, source: ['y'] },
    ])
  })

  it('can be emptied', async () => {
    expect(
      cellsOf(await edit(NOTEBOOK, { cell: 0, source: '' }, { cell: 1, source: '' })).map(({ source }) => source),
    ).toEqual(['', []])
  })
})

describe('cells that are inserted and deleted', () => {
  it('come after the one named, at the start when none is, in the order given', async () => {
    const text = await edit(
      NOTEBOOK,
      { edit: 'insert', type: 'raw', source: 'first' },
      { edit: 'insert', after: 'intro', type: 'code', source: 'b', id: 'b' },
      { edit: 'insert', after: 0, type: 'markdown', source: 'd' },
      { edit: 'insert', after: 'b', type: 'markdown', source: 'c' },
      { edit: 'insert', after: 1, type: 'code', source: 'last' },
      { edit: 'delete', cell: 'work' },
    )
    const cells = cellsOf(text)
    expect(cells.map(sourceOf)).toEqual(['first', '# One\n\ntext', 'b', 'c', 'd', 'last'])
    expect(cells[5]).toEqual({
      cell_type: 'code',
      execution_count: null,
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
      metadata: {},
      outputs: [],
      source: 'last',
    })
    expect(new Set(cells.map(({ id }) => id)).size).toBe(6)
    expect(text).toContain('   "metadata": { "tags":["keep"] },')
  })

  it('leave a list that is still one', async () => {
    const empty = await edit(NOTEBOOK, { edit: 'delete', cell: 0 }, { edit: 'delete', cell: 1 })
    expect(empty).toBe(
      NOTEBOOK.replace(/"cells": \[[\s\S]*\],\n "metadata": {},\n "nb/, '"cells": [],\n "metadata": {},\n "nb'),
    )
    expect(await edit(empty, { edit: 'insert', type: 'raw', source: '', id: 'n' })).toBe(
      empty.replace(
        '[]',
        '[\n  {\n   "cell_type": "raw",\n   "id": "n",\n   "metadata": {},\n   "source": []\n  }\n ]',
      ),
    )
  })

  it('have ids where the format has them, and the same ones when it is done again', async () => {
    const insert = { edit: 'insert', type: 'code', source: 'x' } as const
    expect(await edit(NOTEBOOK, insert, insert)).toBe(await edit(NOTEBOOK, insert, insert))
    const older = await edit(load('autokill-4.4.ipynb'), insert)
    expect(cellsOf(older)[0]).not.toHaveProperty('id')
    const bare = NOTEBOOK.replace('   "id": "work",\n', '')
    expect(cellsOf(await edit(bare, { cell: 1, source: 'x' }))[1]?.id).toMatch(/^[0-9a-f]{8}$/)
    expect(await edit(bare, { cell: 0, source: 'x' })).toContain('"execution_count": 7,\n   "metadata"')
  })
})

describe('a notebook of version 3', () => {
  const old = load('clear-output-3.ipynb')

  it('has input, language and worksheets', async () => {
    const before = cellsOf(old)
    const text = await edit(
      old,
      { cell: 0, source: 'changed' },
      { edit: 'insert', after: 0, type: 'code', source: 'new\ncode' },
      { edit: 'insert', after: 0, type: 'markdown', source: 'words' },
    )
    const after = cellsOf(text)
    expect(sourceOf(after[0])).toBe('changed')
    expect(after[1]).toEqual({
      cell_type: 'code',
      collapsed: false,
      input: ['new\n', 'code'],
      language: 'python',
      metadata: {},
      outputs: [],
    })
    expect(after[2]).toEqual({ cell_type: 'markdown', metadata: {}, source: ['words'] })
    expect(after.slice(3)).toEqual(before.slice(1))
  })
})

describe('real notebooks', () => {
  const cellEdit = (count: number): fc.Arbitrary<CellEdit> => {
    const cell = fc.nat({ max: count - 1 })
    const source = fc.string({ unit: fc.constantFrom('a', '\n', '"', '\\', 'é', ' ', '\u2028'), maxLength: 12 })
    const type = fc.constantFrom('code', 'markdown', 'raw')
    return fc.oneof(
      fc.record({ cell, source }),
      fc.record({ cell, source, type }),
      fc.record({ edit: fc.constant('insert'), after: cell, type, source }),
      fc.record({ edit: fc.constant('insert'), type, source }),
      fc.record({ edit: fc.constant('delete'), cell }),
    ) as fc.Arbitrary<CellEdit>
  }

  /** The same worked out on plain lists. */
  function expected(text: string, edits: readonly CellEdit[]): (Cell | { type: string; source: string })[] | null {
    const cells = cellsOf(text)
    const now: (Cell | { type: string; source: string } | null)[] = [...cells]
    const added = new Map<number, { type: string; source: string }[]>()
    for (const one of edits) {
      if (one.edit === 'insert') {
        const at = (one.after ?? -1) as number
        if (at >= 0 && now[at] === null) return null
        added.set(at, [...(added.get(at) ?? []), { type: one.type, source: one.source }])
        continue
      }
      const at = one.cell as number
      const cell = now[at]
      if (cell === null || cell === undefined) return null
      if (one.edit === 'delete') now[at] = null
      else {
        const was = 'cell_type' in cell ? { type: cell.cell_type, source: sourceOf(cell) } : cell
        const type = one.type ?? was.type
        if (type !== was.type || one.source !== was.source) now[at] = { type, source: one.source }
      }
    }
    return [
      ...(added.get(-1) ?? []),
      ...now.flatMap((cell, at) => [...(cell === null ? [] : [cell]), ...(added.get(at) ?? [])]),
    ]
  }

  it.each(NAMES)('%s keeps what no edit names, and its form', async (name) => {
    for (const form of [
      (text: string) => text,
      (text: string) => text.replaceAll('\n', '\r\n'),
      (text: string) => JSON.stringify(JSON.parse(text)),
      (text: string) => JSON.stringify(JSON.parse(text), null, '\t'),
    ]) {
      const text = form(load(name))
      const own = JSON.parse(text) as Record<string, unknown>
      await fc.assert(
        fc.asyncProperty(fc.array(cellEdit(cellsOf(text).length), { minLength: 1, maxLength: 6 }), async (edits) => {
          const wanted = expected(text, edits)
          if (wanted === null) {
            expect(await failure(() => edit(text, ...edits))).toMatchObject({ code: 'INVALID' })
            return
          }
          const after = await edit(text, ...edits)
          const found = cellsOf(after)
          expect(found.length).toBe(wanted.length)
          for (const [index, cell] of wanted.entries()) {
            const now = found[index]
            if ('cell_type' in cell) expect(now).toEqual(cell)
            else expect({ type: now?.cell_type, source: sourceOf(now) }).toEqual(cell)
          }
          const again = JSON.parse(after) as Record<string, unknown>
          expect({ ...again, cells: 0, worksheets: 0 }).toEqual({ ...own, cells: 0, worksheets: 0 })
          expect(/\r/.test(after)).toBe(/\r/.test(text))
          if (/\r/.test(text)) expect(/(?<!\r)\n/.test(after)).toBe(false)
          if (JSON.stringify(own) === text) expect(after).toBe(JSON.stringify(again))
          else if (JSON.stringify(own, null, '\t') === text) expect(after).toBe(JSON.stringify(again, null, '\t'))
        }),
        { numRuns: 50 },
      )
    }
  })
})

describe('what cannot be edited', () => {
  it.each([
    ['words', 'nothing here', 1],
    ['[\n]', 'top level', 1],
    ['{\n "cells": [] }', 'nbformat', 1],
    ['{\n "cells": {},\n "nbformat": 4 }', 'list of cells', 2],
    ['{\n "cells": [\n  1],\n "nbformat": 4 }', 'cell_type', 3],
    ['{\n "cells": [],\n "nbformat": 2 }', 'nbformat 2', 1],
    ['{\n "worksheets": [],\n "nbformat": 3 }', 'worksheet', 1],
    ['{\n "cells": [], // no\n "nbformat": 4 }', 'comment', 2],
    [`${'['.repeat(1e5)}`, 'too deeply', 1],
  ])('%s is no notebook', async (text, _why, line) => {
    const error = await failure(() => edit(text, { cell: 0, source: '' }))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.ipynb', details: { line } })
  })

  it('is a cell that is not there, was deleted, or shares its id', async () => {
    expect(await failure(() => edit(NOTEBOOK, { cell: 0, source: '' }, { cell: 2, source: '' }))).toMatchObject({
      code: 'INVALID',
      details: { edit: 2 },
    })
    expect((await failure(() => edit(NOTEBOOK, { cell: 'x', source: '' }))).message).toMatch(/no cell "x"/)
    expect(
      (await failure(() => edit(NOTEBOOK, { edit: 'delete', cell: 0 }, { cell: 'intro', source: '' }))).message,
    ).toMatch(/deleted before/)
    const twice = NOTEBOOK.replace('"work"', '"intro"')
    expect(await failure(() => edit(twice, { cell: 'intro', source: '' }))).toMatchObject({
      details: { lines: [3, 9] },
    })
  })

  it('is an id that is taken, or that the format does not have', async () => {
    const insert = { edit: 'insert', type: 'code', source: '', id: 'work' } as const
    expect((await failure(() => edit(NOTEBOOK, insert))).message).toMatch(/already/)
    expect((await failure(() => edit(load('autokill-4.4.ipynb'), insert))).message).toMatch(/no ids/)
  })

  it.each([
    [[]],
    [[null]],
    [[{ edit: 'move', cell: 1, source: '' }]],
    [[{ cell: -1, source: '' }]],
    [[{ cell: '', source: '' }]],
    [[{ cell: 0 }]],
    [[{ cell: 0, source: '\ud800' }]],
    [[{ cell: 0, source: '', type: 'heading' }]],
    [[{ edit: 'insert', source: '' }]],
    [[{ edit: 'insert', type: 'code', source: '', id: 'a b' }]],
    ['cells'],
  ])('is a list of edits that is none: %j', async (edits) => {
    expect(await failure(() => checkedCells('a', edits as unknown as CellEdit[]))).toMatchObject({
      code: 'INVALID',
      path: 'a',
    })
  })
})

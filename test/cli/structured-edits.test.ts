import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { commit, errorOf, journal, journalObject, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const NOTEBOOK = readFileSync(path.join(import.meta.dirname, '../edit/notebooks/error-4.5.ipynb'), 'utf8')

interface Cell {
  cell_type: string
  source: string[]
}

describe('structured edits', () => {
  test('change cells, settings and imports, one transaction each', async () => {
    const cwd = await workspace()
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
    const run = (args: string[], input = '') => journalObject(args, { cwd, input })
    const cells = () =>
      (JSON.parse(read('n.ipynb')) as { cells: Cell[] }).cells.map(({ cell_type, source }) => [
        cell_type,
        source.join(''),
      ])
    await run(['write', 'n.ipynb'], NOTEBOOK)
    await run(['notebook', 'n.ipynb', '--at', '0', '--source', '-'], 'one\ntwo')
    await run(['notebook', 'n.ipynb', '--insert', '--type', 'markdown', '--source', '# Top'])
    await run(['notebook', 'n.ipynb', '--cells', '-'], '[{"edit":"insert","after":1,"type":"raw","source":"end"}]')
    expect(cells()).toEqual([
      ['markdown', '# Top'],
      ['code', 'one\ntwo'],
      ['raw', 'end'],
    ])
    await run(['notebook', 'n.ipynb', '--at', '2', '--delete'])
    expect(cells()).toHaveLength(2)

    await run(['write', 'p.json'], '{\n  "a": { "b": 1 }\n}\n')
    await run(['set', 'p.json', 'a.b=2', 'c.d=x=y', '"e.f"=[1]', '--merge', 'a={"g":null}'])
    await run(['set', 'p.json', '--text', 'h=1', '--delete', 'c'])
    expect(JSON.parse(read('p.json'))).toEqual({ a: { b: 2, g: null }, 'e.f': [1], h: '1' })

    await run(['write', 's'], 'import a\n')
    await run(['imports', 's', '--language', 'python', '--add', 'from b import c', '--remove', 'a'])
    expect(read('s')).toBe('from b import c\n')
    const rehearsal = await run(['imports', 's', '--language', 'python', '--add', 'import d', '--dry-run'])
    expect(rehearsal).toMatchObject({ dryRun: true, revisions: [{ path: 's', by: 'imports' }] })
    expect(read('s')).toBe('from b import c\n')
  })

  test('stand in a batch', async () => {
    const cwd = await workspace()
    writeFileSync(path.join(cwd, 'two.yaml'), 'a: 1\n---\nb: 1\n')
    writeFileSync(path.join(cwd, 'c'), 'k = 1\n')
    const batch = [
      { op: 'set', path: 'two.yaml', document: 1, changes: [{ key: ['b'], value: 2 }] },
      { op: 'set', path: 'c', format: 'ini', changes: [{ key: 'k', value: 2 }] },
      { op: 'write', path: 'm.mjs', content: 'f()\n' },
      { op: 'imports', path: 'm.mjs', changes: [{ add: "import f from 'f'" }] },
      { op: 'write', path: 'n.ipynb', content: NOTEBOOK },
      { op: 'notebook', path: 'n.ipynb', cells: [{ cell: 0, source: 'x' }] },
    ]
    await journalObject(['commit', '--batch', '-'], {
      cwd,
      input: batch.map((line) => `${JSON.stringify(line)}\n`).join(''),
    })
    expect(readFileSync(path.join(cwd, 'two.yaml'), 'utf8')).toBe('a: 1\n---\nb: 2\n')
    expect(readFileSync(path.join(cwd, 'c'), 'utf8')).toBe('k = 2\n')
    expect(readFileSync(path.join(cwd, 'm.mjs'), 'utf8')).toBe("import f from 'f'\n\nf()\n")
  })

  test.each([
    ['no change', ['set', 'p.json'], 2],
    ['no value', ['set', 'p.json', 'a'], 2],
    ['an unknown format', ['set', 'p.json', 'a=1', '--format', 'xml'], 2],
    ['no import', ['imports', 'a.ts'], 2],
    ['an unknown language', ['imports', 'a.ts', '--add', 'x', '--language', 'c'], 2],
    ['no cell', ['notebook', 'p.json', '--source', 'x'], 2],
    ['two names of a cell', ['notebook', 'p.json', '--source', 'x', '--cell', 'a', '--at', '0'], 2],
    ['no source', ['notebook', 'p.json', '--cell', 'a'], 2],
    ['no type', ['notebook', 'p.json', '--insert', '--source', 'a'], 2],
    ['an unknown type', ['notebook', 'p.json', '--insert', '--source', 'a', '--type', 'x'], 2],
    ['nothing to delete', ['notebook', 'p.json', '--delete'], 2],
    ['a list and a cell', ['notebook', 'p.json', '--cells', '-', '--cell', 'a'], 2],
    ['no notebook', ['notebook', 'p.json', '--at', '0', '--source', 'x'], 1],
    ['a scalar on the way', ['set', 'p.json', 'a.b=1'], 1],
    ['no import statement', ['imports', 'a.ts', '--add', 'x'], 1],
  ])('%s is refused', async (_, args, code) => {
    const cwd = await workspace()
    await commit(cwd, { 'p.json': '{"a": 1}', 'a.ts': '' })
    const result = await journal([...args, '--json'], { cwd })
    expect(result.code).toBe(code)
    expect(errorOf(result).code).toBe('INVALID')
  })
})

/** Notebooks, settings and imports as a transaction changes them, and as the history keeps them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Journal, SettingChange } from '../../src/index.ts'
import { failure } from '../edit/settings/failure.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'

const NOTEBOOK = readFileSync(join(import.meta.dirname, '../edit/notebooks/blank-template-4.5.ipynb'), 'utf8')

async function prepared(files: Record<string, string | Uint8Array>) {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.transact(async (tx) => {
    for (const [name, content] of Object.entries(files)) await tx.write(name, content)
  })
  return { disk, journal, read: (name: string) => disk.readText(`${ROOT}/${name}`) }
}

const bytes = (text: string, encoding: 'utf16le' | 'latin1'): Buffer => Buffer.from(text, encoding)
const contentOf = async (journal: Journal, name: string): Promise<Buffer> => Buffer.from(await journal.readAt(name))

describe('structured edits', () => {
  it('are revisions: in the history as what was asked for, undone like any other change', async () => {
    const { journal, read } = await prepared({ 'a.ipynb': NOTEBOOK, 'b.yml': 'a: 1 # one\n', 'c.py': 'import os\n' })
    const receipt = await journal.transact(async (tx) => {
      await tx.notebook('a.ipynb', [
        { cell: 'd8f54f6a', source: '# Two' },
        { edit: 'insert', after: 1, type: 'code', source: 'x' },
        { edit: 'delete', cell: 2 },
      ])
      await tx.set('b.yml', [
        { key: 'a', value: 2 },
        { key: 'b', merge: { c: true } },
      ])
      await tx.imports('c.py', [{ add: 'import sys' }])
    })
    expect(receipt.revisions?.map(({ path, by, changes }) => [path, by, changes])).toEqual([
      ['a.ipynb', 'notebook', 3],
      ['b.yml', 'set', 2],
      ['c.py', 'imports', 1],
    ])
    expect(receipt.saved).toEqual({ reads: 3, writes: 3 })
    expect(read('b.yml')).toBe('a: 2 # one\nb:\n  c: true\n')
    expect(read('c.py')).toBe('import os\nimport sys\n')
    expect(JSON.parse(read('a.ipynb')).cells).toHaveLength(3)
    const { entries } = await journal.show(receipt.seq)
    expect(entries[1]).toMatchObject({
      op: 'revise',
      by: 'set',
      change: {
        changes: [
          { key: ['a'], value: 2 },
          { key: ['b'], merge: { c: true } },
        ],
      },
    })
    await journal.undo(receipt.tx)
    expect(read('a.ipynb')).toBe(NOTEBOOK)
    expect(read('b.yml')).toBe('a: 1 # one\n')
    await journal.close()
  })

  it('keep the encoding, the byte order mark and the line endings of a file', async () => {
    const { journal } = await prepared({
      'a.json': '\ufeff{\r\n  "a": 1\r\n}\r\n',
      'b.ini': bytes('\ufeff[ä]\r\nk = v\r\n', 'utf16le'),
      'c.cfg': bytes('[ä]\nk = v\n', 'latin1'),
      'd.ts': "\ufeffimport a from 'a'\r\n",
      'e.ipynb': `\ufeff${NOTEBOOK.replaceAll('\n', '\r\n')}`,
    })
    await journal.set('a.json', [{ key: 'b', value: 2 }])
    await journal.set('b.ini', [{ key: 'ä.k', value: 'ü' }])
    await journal.set('c.cfg', [{ key: 'ä.k', value: 'ü' }], { encoding: 'latin1' })
    await journal.imports('d.ts', [{ add: "import { b } from 'a'" }])
    await journal.notebook('e.ipynb', [{ cell: 0, source: '# Two\nlines' }])
    expect((await contentOf(journal, 'a.json')).toString()).toBe('\ufeff{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n')
    expect(await contentOf(journal, 'b.ini')).toEqual(bytes('\ufeff[ä]\r\nk = ü\r\n', 'utf16le'))
    expect(await contentOf(journal, 'c.cfg')).toEqual(bytes('[ä]\nk = ü\n', 'latin1'))
    expect((await contentOf(journal, 'd.ts')).toString()).toBe("\ufeffimport a, { b } from 'a'\r\n")
    const notebook = (await contentOf(journal, 'e.ipynb')).toString()
    expect(notebook.startsWith('\ufeff{\r\n')).toBe(true)
    expect(/(?<!\r)\n/.test(notebook)).toBe(false)
    expect(
      await failure(() => journal.set('c.cfg', [{ key: 'ä.k', value: '€' }], { encoding: 'latin1' })),
    ).toMatchObject({
      code: 'INVALID',
      details: { line: 2 },
    })
    await journal.close()
  })

  it('take the format, the document and the language where the name does not tell', async () => {
    const { journal, read } = await prepared({ conf: 'a = 1\n', 'two.yaml': 'a: 1\n---\nb: 2\n', tool: 'import a\n' })
    await journal.set('conf', [{ key: 'a', value: 'x' }], { format: 'toml' })
    await journal.set('two.yaml', [{ key: 'b', value: 3 }], { document: 1 })
    await journal.imports('tool', [{ remove: 'a' }, { add: 'import b' }], { language: 'python' })
    expect([read('conf'), read('two.yaml'), read('tool')]).toEqual(['a = "x"\n', 'a: 1\n---\nb: 3\n', 'import b\n'])
    await journal.close()
  })

  it('are merged with what others changed, where that is asked for', async () => {
    const { journal, read } = await prepared({ 'a.toml': 'a = 1\n\n[b]\nc = 1\n\n[d]\ne = 1\n' })
    const seen = (await journal.show(journal.head.seq)).entries[0]?.after
    const expected = seen?.kind === 'file' ? seen.hash : ''
    await journal.set('a.toml', [{ key: 'd.e', value: 2 }])
    await journal.set('a.toml', [{ key: 'a', value: 2 }], { expect: expected, merge: true })
    expect(read('a.toml')).toBe('a = 2\n\n[b]\nc = 1\n\n[d]\ne = 2\n')
    await journal.close()
  })

  it.each([1_000, 4_000, 60_000])('refuse what is nested too deep, %i levels, or change it', async (depth) => {
    const [open, close] = ['['.repeat(depth), ']'.repeat(depth)]
    const { journal } = await prepared({
      'a.ipynb': `{"nbformat": 4, "cells": [], "metadata": ${open}${close}}`,
      'b.json': `{"a": ${open}${close}}`,
      'c.yaml': `a: ${open}${close}\n`,
      'd.toml': `a = ${open}${close}\n`,
      'e.js': `a = ${open}${close}\n`,
      'f.py': `a = ${'f"{'.repeat(depth)}1${'}"'.repeat(depth)}\n`,
    })
    for (const work of [
      () => journal.notebook('a.ipynb', [{ edit: 'insert', type: 'raw', source: '' }]),
      ...['b.json', 'c.yaml', 'd.toml'].map((name) => () => journal.set(name, [{ key: 'b', value: 1 }])),
      () => journal.imports('e.js', [{ add: "import a from 'a'" }]),
      () => journal.imports('f.py', [{ add: 'import a' }]),
    ]) {
      const error = await work().then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (error !== null) expect(error).toMatchObject({ code: 'INVALID' })
    }
    await journal.close()
  })

  it('change nothing when one of them is refused', async () => {
    const files = {
      'a.ipynb': '{}',
      'b.json': '{"a": 1}',
      'c.ts': 'let = ;',
      d: 'a = 1\n',
      'e.bin': Buffer.from([0, 1]),
    }
    const { journal, read } = await prepared(files)
    const { seq } = journal.head
    const list = [{ key: 'a', value: 2 }] as const
    for (const [work, message] of [
      [() => journal.notebook('a.ipynb', [{ cell: 0, source: '' }]), /no Jupyter notebook/],
      [() => journal.notebook('a.ipynb', []), /no list/],
      [() => journal.set('b.json', [...list, { key: 'a.b', value: 1 }]), /single value/],
      [() => journal.set('b.json', [{ key: 'a..b', value: 1 }]), /no key path/],
      [() => journal.set('b.json', [{ key: 'a' } as unknown as SettingChange]), /has 0 of/],
      [() => journal.set('b.json', list, { document: 1 }), /no documents/],
      [() => journal.set('b.json', list, { document: -1 }), /no number of a document/],
      [() => journal.set('b.json', list, { format: 'xml' as 'json' }), /no format/],
      [() => journal.set('d', list), /does not tell what format/],
      [() => journal.imports('c.ts', [{ add: "import a from 'a'" }]), /cannot be read/],
      [() => journal.imports('d', [{ add: 'import a' }]), /does not tell what language/],
      [() => journal.imports('c.ts', [{ add: '' }]), /no import/],
      [() => journal.imports('c.ts', [{}] as never), /not one of add and remove/],
      [() => journal.set('e.bin', list, { format: 'json' }), /is no text: a zero byte/],
    ] as const) {
      const error = await failure(work)
      expect(error.code, String(message)).toBe('INVALID')
      expect(error.message).toMatch(message)
    }
    expect((await failure(() => journal.set('none.json', list))).code).toBe('NOT_FOUND')
    expect(read('b.json')).toBe('{"a": 1}')
    expect(journal.head.seq).toBe(seq)
    await journal.close()
  })
})

/** The golden journal of undos of several transactions: it stays readable for ever. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { temporary } from './scratch.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v4-undo')

interface Reading {
  readonly transactions: readonly {
    readonly tx: string
    readonly kind: string
    readonly of?: string
    readonly about?: readonly (readonly [string, readonly string[] | null])[]
  }[]
  readonly trees: Record<string, Record<string, { readonly hash: string }>>
  readonly chain: string
  readonly problems: readonly string[]
}
const expected = JSON.parse(fs.readFileSync(path.join(GOLDEN, 'expected.json'), 'utf8')) as Reading
const points = Object.keys(expected.trees).map(Number)
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0

function runReader(journal: string, ...options: string[]): Reading {
  const run = spawnSync('python3', ['-B', path.join(HERE, 'reader.py'), journal, '--json', ...options], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONUTF8: '1' },
  })
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as Reading
}

describe('the golden journal of undos', () => {
  it('covers several, parts, and one', () => {
    const said = expected.transactions.filter(({ about }) => about !== undefined)
    expect(said.some(({ about, kind }) => kind === 'undo' && about?.length === 2)).toBe(true)
    expect(said.some(({ about, kind }) => kind === 'redo' && about?.length === 2)).toBe(true)
    expect(said.some(({ about }) => about?.some(([, paths]) => paths !== null))).toBe(true)
    expect(expected.transactions.some(({ of }) => of !== undefined)).toBe(true)
    expect(expected.problems).toEqual([])
  })

  it('says what it said, and knows what is undone', async () => {
    const root = temporary()
    fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
    const journal = await openJournal(root, { actor: 'later' })
    expect((await journal.verify()).problems).toEqual([])
    expect(journal.head.chain).toBe(expected.chain)
    for (const [at, { tx, kind, of, about }] of expected.transactions.entries()) {
      const commit = await journal.show(at + 1)
      expect([commit.tx, commit.kind, commit.of]).toEqual([tx, kind, of])
      expect(commit.about?.map(({ tx: named, paths }) => [named, paths])).toEqual(about)
    }
    for (const point of points) {
      for (const [name, { hash }] of Object.entries(expected.trees[point] ?? {})) {
        if (hash === undefined) continue
        expect(
          createHash('sha256')
            .update(await journal.readAt(name, point))
            .digest('hex'),
        ).toBe(hash)
      }
    }
    await expect(journal.undo(1)).rejects.toMatchObject({ code: 'INVALID' })
    await expect(journal.undo(2)).rejects.toMatchObject({ code: 'INVALID' })
    const redone = await journal.redo('head')
    expect(redone.seq).toBe(expected.transactions.length + 1)
    await journal.close()
    if (python) expect(runReader(path.join(root, '.journal')).problems).toEqual([])
  })

  it.skipIf(!python)('says to reader.py what it said when it was made', () => {
    const options = points.flatMap((n) => ['--at', String(n)])
    expect(runReader(path.join(GOLDEN, 'journal'), ...options)).toEqual(expected)
  })
})

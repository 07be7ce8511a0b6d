/** The golden journal of revisions: it stays readable for ever, and says for ever the same. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Entry, openJournal } from '../../src/index.ts'
import { temporary } from './scratch.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v4')

interface Said {
  readonly op: string
  readonly path: string
  readonly by?: string
  readonly change?: unknown
}
interface Reading {
  readonly format: { readonly version: number }
  readonly transactions: readonly { readonly chain: string; readonly entries: readonly Said[] }[]
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
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONUTF8: '1' },
  })
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as Reading
}

function said(entry: Entry | Said): Said {
  return entry.op === 'revise'
    ? { op: entry.op, path: entry.path, by: (entry as Said).by as string, change: (entry as Said).change }
    : { op: entry.op, path: entry.path ?? '' }
}

describe('the golden journal of version 4', () => {
  it('covers what revisions say, and one that was purged', () => {
    const revisions = expected.transactions.flatMap(({ entries }) => entries.filter(({ op }) => op === 'revise'))
    expect(new Set(revisions.map(({ by }) => by))).toEqual(new Set(['edit', 'merge', 'apply_patch']))
    expect(revisions.map(({ change }) => change === null)).toContain(true)
    expect(expected).toMatchObject({ format: { version: 4 }, problems: [] })
  })

  it('says what it said, has what it had, and can be written to', async () => {
    const root = temporary()
    fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
    const journal = await openJournal(root, { actor: 'later' })
    expect((await journal.verify()).problems).toEqual([])
    expect(journal.head.chain).toBe(expected.chain)
    for (const [index, { entries }] of expected.transactions.entries()) {
      expect((await journal.show(index + 1)).entries.map(said)).toEqual(entries.map(said))
    }
    for (const point of points) {
      for (const [name, { hash }] of Object.entries(expected.trees[point] ?? {})) {
        const content = await journal.readAt(name, point).catch(() => null)
        // Purged, since.
        if (content === null) expect(name).toBe('leaked.txt')
        else expect(createHash('sha256').update(content).digest('hex')).toBe(hash)
      }
    }
    await journal.write('later.txt', '  x\n  y\n')
    await journal.edit('later.txt', [{ oldText: 'x\ny\n', newText: 'z\n' }], { lenient: true })
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
    if (python) expect(runReader(path.join(root, '.journal')).problems).toEqual([])
  })

  it.skipIf(!python)('says to reader.py what it said when it was made', () => {
    const options = points.flatMap((n) => ['--at', String(n)])
    expect(runReader(path.join(GOLDEN, 'journal'), ...options)).toEqual(expected)
  })
})

/** The golden journal of contents that are compressed, or changes of others: it stays readable for ever. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { temporary } from './scratch.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v3')

interface State {
  readonly type: string
  readonly hash: string
}
interface Reading {
  readonly transactions: readonly { readonly chain: string }[]
  readonly contents: Record<string, 'log' | 'blob' | 'purged'>
  readonly encodings: Record<string, number>
  readonly trees: Record<string, Record<string, State>>
  readonly chain: string
  readonly problems: readonly string[]
}
const expected = JSON.parse(fs.readFileSync(path.join(GOLDEN, 'expected.json'), 'utf8')) as Reading
const points = Object.keys(expected.trees).map(Number)

function goldenWorkspace(): string {
  const root = temporary()
  fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
  return root
}

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0

function runReader(journal: string, ...options: string[]): Reading {
  const given = ['-B', path.join(HERE, 'reader.py'), journal, '--json', ...options]
  const run = spawnSync('python3', given, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONUTF8: '1' },
  })
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as Reading
}

function hashesIn(folder: string): Record<string, string> {
  const list = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    list
      .filter((name) => fs.statSync(path.join(folder, name)).isFile())
      .map((name) => [
        name,
        createHash('sha256')
          .update(fs.readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  )
}

describe('the golden journal of version 3', () => {
  it('covers every encoding, and every place of a content', () => {
    expect(Object.keys(expected.encodings)).toEqual(['0', '1', '2', '3'])
    expect(new Set(Object.values(expected.contents))).toEqual(new Set(['log', 'blob', 'purged']))
    expect(expected.problems).toEqual([])
  })

  it('has every content and tree that it had, and can be written to', async () => {
    const root = goldenWorkspace()
    for (const readOnly of [true, false]) {
      const journal = await openJournal(root, { readOnly, actor: 'later' })
      expect((await journal.verify()).problems).toEqual([])
      expect((await journal.show(expected.transactions.length)).chain).toBe(expected.chain)
      for (const n of points) {
        const to = path.join(temporary(), 'tree')
        await journal.replay({ to, at: n })
        const files = Object.entries(expected.trees[n] ?? {}).map(([name, { hash }]) => [name, hash])
        expect(hashesIn(to)).toEqual(Object.fromEntries(files))
      }
      if (!readOnly) expect((await journal.append('clean.txt', 'later\n')).seq).toBe(expected.transactions.length + 1)
      await journal.close()
    }
    if (python) expect(runReader(path.join(root, '.journal')).problems).toEqual([])
  })

  it.skipIf(!python)('says to reader.py what it said when it was made', () => {
    const options = points.flatMap((n) => ['--at', String(n)])
    expect(runReader(path.join(GOLDEN, 'journal'), ...options)).toEqual(expected)
  })
})

describe.skipIf(!python)('reader.py, written from journal-format.md alone', () => {
  it('agrees with the library about changes made just now, and after a purge', async () => {
    const root = temporary()
    const journal = await openJournal(root, { actor: 'changes', segmentSize: 128 * 1024 })
    let text = Array.from({ length: 600 }, (_, n) => `line ${n * 7919} of the source\n`).join('')
    for (let n = 0; n < 80; n += 1) {
      text = `${text.slice(0, 170 * n)}now ${n}${text.slice(170 * n + 4 + (n % 3))}`
      await journal.write(n % 9 === 0 ? 'other.txt' : 'source.txt', text)
    }
    await journal.purge('other.txt')
    const { transactions } = runReader(path.join(root, '.journal'))
    const { problems, encodings, trees } = runReader(path.join(root, '.journal'), '--at', String(transactions.length))
    expect(problems).toEqual([])
    expect(encodings['3']).toBeGreaterThan(30)
    const { hash } = (trees[transactions.length] as Record<string, State>)['source.txt'] as State
    expect(hash).toBe(
      createHash('sha256')
        .update(fs.readFileSync(path.join(root, 'source.txt')))
        .digest('hex'),
    )
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
  })
})

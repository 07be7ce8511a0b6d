/** The golden journal of format version 3, which begins with a horizon: read by the library, and by reader.py. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Journal, type OpenOptions, openJournal } from '../../src/index.ts'
import { temporary } from './scratch.ts'

type Json = Record<string, unknown>

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v3-horizon')
const expected = JSON.parse(fs.readFileSync(path.join(GOLDEN, 'expected.json'), 'utf8')) as Json & {
  readonly horizon: { readonly seq: number; readonly chain: string; readonly written: number }
  readonly transactions: readonly { readonly tx: string; readonly seq: number; readonly chain: string }[]
  readonly trees: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

function goldenWorkspace(): string {
  const root = temporary()
  fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
  return root
}

async function using<T>(root: string, options: OpenOptions, work: (journal: Journal) => Promise<T>): Promise<T> {
  const journal = await openJournal(root, options)
  return work(journal).finally(() => journal.close())
}

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0

function runReader(journal: string, points: readonly number[]): { status: number | null; reading: Json } {
  const run = spawnSync(
    'python3',
    ['-B', path.join(HERE, 'reader.py'), journal, '--json', ...points.flatMap((n) => ['--at', String(n)])],
    { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, PYTHONUTF8: '1' } },
  )
  expect(run.stderr).toBe('')
  return { status: run.status, reading: JSON.parse(run.stdout) as Json }
}

const points = Object.keys(expected.trees).map(Number)

describe('the golden journal with a horizon', () => {
  it('has the transactions, the horizon and the trees that it had, and goes on', async () => {
    const root = goldenWorkspace()
    await using(root, { readOnly: true }, async (journal) => {
      const commits: { tx: string; seq: number; chain: string }[] = []
      for await (const { tx, seq, chain } of journal.history({ order: 'oldest' })) commits.push({ tx, seq, chain })
      expect(commits).toEqual(expected.transactions.map(({ tx, seq, chain }) => ({ tx, seq, chain })))
      const report = await journal.verify({ head: expected.horizon.chain })
      expect(report).toMatchObject({ ok: true, problems: [], purged: 1 })
      const { seq, chain, written } = expected.horizon
      expect(report.horizon).toMatchObject({ seq, chain, written })
      for (const point of points) {
        const tree = expected.trees[point] ?? {}
        for (const [name, { hash }] of Object.entries(tree)) {
          const state = await journal.stateAt(name, point)
          expect([name, point, state?.kind === 'file' ? state.hash : undefined]).toEqual([name, point, hash])
        }
        const names = await journal.readAt('src/lib/größe 名.txt', point)
        expect(Buffer.from(names).toString()).toContain('names are UTF-8')
      }
      await expect(journal.readAt('gone.txt')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
    await using(root, { segmentSize: 16 * 1024 }, async (journal) => {
      await journal.write('later.txt', 'goes on\n')
      await journal.compact({ keepTransactions: 0 })
      expect(await journal.verify()).toMatchObject({ ok: true, problems: [], transactions: 0 })
    })
  })

  it.runIf(python)('is read by reader.py as it was', () => {
    const { status, reading } = runReader(path.join(GOLDEN, 'journal'), points)
    expect(reading).toEqual(expected)
    expect(status).toBe(0)
  })

  it.runIf(python)('reader.py agrees with the library about a journal that dropped more than once', async () => {
    const root = temporary()
    await using(root, { segmentSize: 16 * 1024 }, async (journal) => {
      for (let round = 0; round < 3; round += 1) {
        await journal.write(`once ${round}`, `${round}\n`)
        for (let n = 0; n < 12; n += 1) await journal.write(`often ${n % 4}`, `${round} ${n}\n`.repeat(300))
        await journal.purge('often 1')
        const { horizon } = await journal.compact({ keepTransactions: 4 })
        const head = journal.head.seq
        const { status, reading } = runReader(path.join(root, '.journal'), [horizon, head])
        expect(reading.problems).toEqual([])
        expect(status).toBe(0)
        expect(reading).toMatchObject({ chain: journal.head.chain, horizon: { seq: horizon } })
        const trees = reading.trees as Record<string, Record<string, Json>>
        for (const point of [horizon, head]) {
          for (const [name, { hash }] of Object.entries(trees[point] ?? {})) {
            const state = await journal.stateAt(name, point)
            expect([name, state?.kind === 'file' ? state.hash : undefined]).toEqual([name, hash])
          }
        }
      }
    })
  })
})

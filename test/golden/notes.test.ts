/** The golden journal of notes: it stays readable for ever, and says for ever the same. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { temporary } from './scratch.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v5')

interface Said {
  readonly op: string
  readonly path?: string
  readonly topic?: string
  readonly value?: { readonly do?: string }
}
interface Reading {
  readonly format: { readonly version: number }
  readonly transactions: readonly { readonly kind: string; readonly entries: readonly Said[] }[]
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

function said({ op, path: at, topic, value }: Said): Said {
  return op === 'note' ? { op, topic: topic as string, value: value as object } : { op, path: at as string }
}

describe('the golden journal of version 5', () => {
  it('covers every topic of the journal itself, and one of a caller beside writes', () => {
    const notes = expected.transactions.flatMap(({ entries }) => entries.filter(({ op }) => op === 'note'))
    expect(notes.map(({ topic, value }) => [topic, value?.do])).toEqual([
      ['intent', 'announce'],
      ['lease', 'acquire'],
      ['work', undefined],
      ['lease', 'renew'],
      ['lease', 'release'],
      ['intent', 'withdraw'],
      ['breach', undefined],
    ])
    expect(expected).toMatchObject({ format: { version: 5 }, problems: [] })
    expect(expected.transactions.filter(({ kind }) => kind === 'note')).toHaveLength(6)
  })

  it('says what it said, has what it had, and can be written to', async () => {
    const root = temporary()
    fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
    const journal = await openJournal(root, { actor: 'later' })
    expect((await journal.verify()).problems).toEqual([])
    expect(journal.head.chain).toBe(expected.chain)
    for (const [index, { entries }] of expected.transactions.entries()) {
      expect(((await journal.show(index + 1)).entries as readonly Said[]).map(said)).toEqual(entries.map(said))
    }
    expect(await journal.leases.list()).toEqual([])
    const { token } = await journal.leases.acquire('src')
    await journal.write('src/a.txt', 'three\n', { lease: token })
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
    if (python) expect(runReader(path.join(root, '.journal')).problems).toEqual([])
  })

  it.skipIf(!python)('says to reader.py what it said when it was made', () => {
    const options = points.flatMap((n) => ['--at', String(n)])
    expect(runReader(path.join(GOLDEN, 'journal'), ...options)).toEqual(expected)
  })
})

describe('a journal of version 4', () => {
  it('becomes one of version 5 with the first note, and not before', async () => {
    const root = temporary()
    fs.cpSync(path.join(HERE, 'v4', 'journal'), path.join(root, '.journal'), { recursive: true })
    const version = () => JSON.parse(fs.readFileSync(path.join(root, '.journal', 'FORMAT'), 'utf8')).version
    const journal = await openJournal(root)
    await journal.write('x', '1')
    expect(version()).toBe(4)
    await journal.transact((tx) => tx.note('work', { done: true }))
    expect(version()).toBe(5)
    await journal.close()
  })
})

/** Golden files: journals of every format version stay readable for ever, and say for ever the same. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  type ChainedCommit,
  type Entry,
  type Journal,
  type OpenOptions,
  openJournal,
  type State,
  salvageJournal,
} from '../../src/index.ts'
import { temporary } from './scratch.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const GOLDEN = path.join(HERE, 'v1')
const SEGMENT = 16 * 1024

type Json = Record<string, unknown>
/** What reader.py says, and expected.json holds. */
interface Reading {
  readonly format: Json
  readonly end: { readonly is: 'clean' | 'torn' | 'corrupt'; readonly position: readonly [number, number] }
  readonly frames: Record<string, number>
  readonly checkpoints: readonly { readonly position: readonly [number, number] }[]
  readonly transactions: readonly Json[]
  readonly contents: Record<string, 'log' | 'blob' | 'purged'>
  readonly trees: Record<string, Record<string, Json>>
  readonly chain: string
  readonly problems: readonly string[]
}
interface Variant {
  readonly segment: string
  readonly end: Reading['end']
  readonly transactions: number
  readonly chain: string
}

const expected = JSON.parse(fs.readFileSync(path.join(GOLDEN, 'expected.json'), 'utf8')) as Reading &
  Record<'torn' | 'corrupt', Variant>
const points = Object.keys(expected.trees).map(Number)
const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0)

/** A workspace with the golden journal in place; of a variant: with that one segment instead of the journal's own. */
function goldenWorkspace(variant?: 'torn' | 'corrupt'): string {
  const root = temporary()
  fs.cpSync(path.join(GOLDEN, 'journal'), path.join(root, '.journal'), { recursive: true })
  if (variant !== undefined) {
    const { segment } = expected[variant]
    fs.copyFileSync(path.join(GOLDEN, variant, segment), path.join(root, '.journal/log', segment))
  }
  return root
}

function segmentFile(root: string, segment: number): string {
  return path.join(root, '.journal/log', `${String(segment).padStart(12, '0')}.wal`)
}

/** Takes away every segment from the first that has a checkpoint on, and the hint. What remains must be read from its beginning. */
function keepOldSegments(root: string): void {
  const first = Math.min(...expected.checkpoints.map(({ position }) => position[0]))
  for (let segment = first; segment <= expected.end.position[0]; segment += 1) fs.rmSync(segmentFile(root, segment))
  fs.rmSync(path.join(root, '.journal/CHECKPOINT'))
}

async function using<T>(root: string, options: OpenOptions, work: (journal: Journal) => Promise<T>): Promise<T> {
  const journal = await openJournal(root, options)
  try {
    return await work(journal)
  } finally {
    await journal.close()
  }
}

function logBytes(root: string): Record<string, string> {
  const folder = path.join(root, '.journal/log')
  const digest = (name: string) =>
    createHash('sha256')
      .update(fs.readFileSync(path.join(folder, name)))
      .digest('hex')
  return Object.fromEntries(fs.readdirSync(folder).map((name) => [name, digest(name)]))
}

// The library's values in the reader's form.

function stateJson(state: State): Json | null {
  if (state === null) return null
  switch (state.kind) {
    case 'file':
      return { type: 'file', hash: state.hash, size: state.size, mode: state.mode, ...state.owner }
    case 'dir':
      return { type: 'folder', mode: state.mode, ...state.owner }
    case 'symlink':
      return { type: 'symlink', target: state.target }
  }
}

function entryJson(entry: Entry): Json {
  if (entry.op === 'note') return { ...entry }
  const json: Json = { ...entry, before: stateJson(entry.before), after: stateJson(entry.after) }
  if (entry.op === 'rename') json.replaced = stateJson(entry.replaced)
  if (entry.op === 'edit')
    json.edits = entry.edits?.map((edit) => [edit.oldText, edit.newText, edit.all === true]) ?? null
  return json
}

const transactionJson = (commit: ChainedCommit): Json => ({ ...commit, entries: commit.entries.map(entryJson) })

async function transactionsOf(journal: Journal): Promise<Json[]> {
  const list: Json[] = []
  for await (const commit of journal.history()) list.push(transactionJson(commit))
  return list.sort((a, b) => Number(a.seq) - Number(b.seq))
}

/** The chain value before the first transaction. */
function genesisOf(id: string): string {
  return createHash('sha256').update(Buffer.from(id, 'hex')).digest('hex')
}

/** What stands in a folder, in the reader's form, without owners: they cannot be set by everybody. */
function treeOf(folder: string): Record<string, Json> {
  const tree: Record<string, Json> = {}
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const key = name.split(path.sep).join('/')
    if (key === '.journal' || key.startsWith('.journal/')) continue
    const file = path.join(folder, name)
    const stat = fs.lstatSync(file)
    const mode = stat.mode & 0o7777
    if (stat.isSymbolicLink()) tree[key] = { type: 'symlink', target: fs.readlinkSync(file) }
    else if (stat.isDirectory()) tree[key] = { type: 'folder', mode }
    else {
      const hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex')
      tree[key] = { type: 'file', hash, size: stat.size, mode }
    }
  }
  return tree
}

function withoutOwners(tree: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.entries(tree).map(([name, { uid: _, gid: __, ...state }]) => [name, state]))
}

// The reader.

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0
if (!python) console.warn('golden: python3 (3.8 or later) is not there, so reader.py is not tried')

function runReader(journal: string, ...options: string[]): { status: number | null; reading: Reading } {
  const run = spawnSync('python3', ['-B', path.join(HERE, 'reader.py'), journal, '--json', ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONUTF8: '1' },
  })
  expect(run.stderr).toBe('')
  return { status: run.status, reading: JSON.parse(run.stdout) as Reading }
}

const at = (list: readonly number[]): string[] => list.flatMap((n) => ['--at', String(n)])

describe('the golden journal of version 1, read by the library', () => {
  it('holds the transactions, the chain and the head that it held when it was made', async () => {
    const root = goldenWorkspace()
    const before = logBytes(root)
    await using(root, { readOnly: true }, async (journal) => {
      expect(journal.id).toBe(expected.format.journal)
      expect(await transactionsOf(journal)).toEqual(expected.transactions)
      expect((await journal.show(expected.transactions.length)).chain).toBe(expected.chain)
    })
    expect(logBytes(root)).toEqual(before)
  })

  it('covers every operation, kind of transaction, and place of a content', () => {
    const entries = expected.transactions.flatMap((transaction) => transaction.entries as Json[])
    const operations = 'append chmod edit mkdir patch preserve purge put remove rename rmdir symlink write'
    expect([...new Set(entries.map((entry) => entry.op))].sort().join(' ')).toBe(operations)
    const kinds = 'adopt purge recovery redo restore revert undo write'
    expect([...new Set(expected.transactions.map(({ kind }) => kind))].sort().join(' ')).toBe(kinds)
    expect(new Set(Object.values(expected.contents))).toEqual(new Set(['log', 'blob', 'purged']))
  })

  it.each(points)('has the tree that it had, at %i', async (n) => {
    const tree = expected.trees[n] as Record<string, Json>
    await using(goldenWorkspace(), { readOnly: true }, async (journal) => {
      for (const name of new Set(points.flatMap((point) => Object.keys(expected.trees[point] ?? {})))) {
        expect([name, stateJson(await journal.stateAt(name, n))]).toEqual([name, tree[name] ?? null])
      }
      const to = path.join(temporary(), 'tree')
      await journal.replay({ to, at: n })
      expect(treeOf(to)).toEqual(withoutOwners(tree))
    })
  })

  it('verifies, with every frame and blob counted', async () => {
    const report = await using(goldenWorkspace(), { readOnly: true }, (journal) => journal.verify())
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ ok: true, transactions: expected.transactions.length, frames: sum(expected.frames) })
    expect(report.blobs).toBe(Object.values(expected.contents).filter((place) => place === 'blob').length)
  })

  it('can be written to, and keeps its history', async () => {
    const root = goldenWorkspace()
    await using(root, {}, async (journal) => {
      const receipt = await journal.write('later.txt', 'a later version of the program\n')
      expect(receipt.seq).toBe(expected.transactions.length + 1)
      const all = await transactionsOf(journal)
      expect(all.slice(0, -1)).toEqual(expected.transactions)
      expect((await journal.verify()).problems).toEqual([])
    })
  })
})

describe('the ends of a log', () => {
  it('torn: history ends before the write that never finished, and the next writer goes on there', async () => {
    const root = goldenWorkspace('torn')
    const { chain, transactions } = expected.torn
    const report = await using(root, { readOnly: true }, (journal) => journal.verify())
    expect(report).toMatchObject({ ok: true, transactions })
    expect(report.tornBytes).toBeGreaterThan(0)
    await using(root, {}, async (journal) => {
      expect(journal.head).toMatchObject({ seq: transactions, chain })
      expect((await journal.write('next.txt', 'next\n')).seq).toBe(transactions + 1)
    })
    expect(fs.readdirSync(path.join(root, '.journal/broken')).length).toBeGreaterThan(0)
  })

  it('corrupt: acknowledged bytes that no longer read back right are reported', async () => {
    const root = goldenWorkspace('corrupt')
    const report = await using(root, { readOnly: true }, (journal) => journal.verify())
    expect(report.ok).toBe(false)
    expect(report.problems.map(({ position }) => position)).toContainEqual(expected.corrupt.end.position)
  })

  it('corrupt, and no checkpoint behind it: no writer opens, and nothing is changed', async () => {
    const root = goldenWorkspace('corrupt')
    keepOldSegments(root)
    const before = logBytes(root)
    await expect(openJournal(root)).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { position: expected.corrupt.end.position },
    })
    expect(logBytes(root)).toEqual(before)
  })

  // A segment that was lost, by a careless clean-up or a failing disk, left a log whose earlier part ended in nothing. A writer took that for
  // the end, opened with a shorter history than had been acknowledged, and would have written over what was left of it.
  it.each([1, 2])('a missing segment is corruption, not the end of the log: segment %i', async (segment) => {
    const root = goldenWorkspace()
    keepOldSegments(root)
    fs.rmSync(segmentFile(root, segment))
    const before = logBytes(root)
    await expect(openJournal(root)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(logBytes(root)).toEqual(before)
  })

  it.each([1, 2, 4])('a segment missing before a checkpoint shortens no history: segment %i', async (segment) => {
    const root = goldenWorkspace()
    fs.rmSync(segmentFile(root, segment))
    try {
      await using(root, {}, async (journal) => {
        expect(journal.head.seq).toBe(expected.transactions.length)
        expect((await journal.verify()).ok).toBe(false)
      })
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPT' })
    }
  })

  it('the last segment is missing, which CHECKPOINT shows', async () => {
    const root = goldenWorkspace()
    fs.rmSync(segmentFile(root, expected.end.position[0]))
    await expect(openJournal(root)).rejects.toMatchObject({ code: 'CORRUPT' })
    if (python)
      expect(runReader(path.join(root, '.journal'))).toMatchObject({ status: 4, reading: { end: { is: 'corrupt' } } })
  })

  it('verify too sees that the last segment is missing', async () => {
    const root = goldenWorkspace()
    fs.rmSync(segmentFile(root, expected.end.position[0]))
    const report = await using(root, { readOnly: true }, (journal) => journal.verify())
    expect(report.ok).toBe(false)
  })

  it('status of a journal of which only the history was copied', async () => {
    const status = await using(goldenWorkspace(), { readOnly: true }, (journal) => journal.status())
    expect(status).toMatchObject({ chain: expected.chain, needsRecovery: false })
  })
})

describe('the worked example of journal-format.md', () => {
  it('shows the first bytes of the golden journal', () => {
    const page = fs.readFileSync(path.join(HERE, '../../journal-format.md'), 'utf8')
    const bytes = fs.readFileSync(path.join(GOLDEN, 'journal/log/000000000001.wal'))
    let end = 0
    for (const [, offset = '', left = '', right = ''] of page.matchAll(
      /^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} ?)+) {1,2}((?:[0-9a-f]{2} )*)/gm,
    )) {
      expect(Number.parseInt(offset, 16)).toBe(end)
      const shown = Buffer.from(`${left}${right}`.replaceAll(' ', ''), 'hex')
      expect(shown.toString('hex')).toBe(bytes.subarray(end, end + shown.length).toString('hex'))
      end += shown.length
    }
    expect(end).toBe(0x2b8)
    expect(page).toContain(genesisOf(String(expected.format.journal)))
    expect(page).toContain(String(expected.transactions[0]?.chain))
  })
})

describe.skipIf(!python)('reader.py, written from journal-format.md alone', { timeout: 60_000 }, () => {
  it('says of the golden journal what it said when that was made', () => {
    const journal = path.join(GOLDEN, 'journal')
    const { status, reading } = runReader(journal, ...at(points))
    const { torn: _, corrupt: __, ...whole } = expected
    expect(reading).toEqual(whole)
    expect(reading.problems).toEqual([])
    expect(status).toBe(0)
  })

  it.each([
    ['torn', 0],
    ['corrupt', 4],
  ] as const)('sees where the %s log ends', (variant, code) => {
    const { status, reading } = runReader(path.join(goldenWorkspace(variant), '.journal'))
    const { end, transactions, chain } = expected[variant]
    expect(status).toBe(code)
    expect({ end: reading.end, transactions: reading.transactions.length, chain: reading.chain }).toEqual({
      end,
      transactions,
      chain,
    })
  })

  it('rebuilds the tree', () => {
    for (const n of points) {
      const to = path.join(temporary(), 'tree')
      runReader(path.join(GOLDEN, 'journal'), '--at', String(n), '--to', to)
      expect(treeOf(to)).toEqual(withoutOwners(expected.trees[n] ?? {}))
    }
  })

  it('agrees with the library about a journal made just now', async () => {
    const root = temporary()
    await makeJournal(root)
    await using(root, { readOnly: true }, async (journal) => {
      const transactions = await transactionsOf(journal)
      const every = [...transactions.keys(), transactions.length]
      const { status, reading } = runReader(path.join(root, '.journal'), ...at(every))
      expect(reading.problems).toEqual([])
      expect(status).toBe(0)
      expect(reading.end.is).toBe('clean')
      expect(reading.transactions).toEqual(transactions)
      expect(reading.chain).toBe((await journal.status()).chain)
      expect(sum(reading.frames)).toBe((await journal.verify()).frames)
      for (const n of every) {
        const to = path.join(temporary(), 'tree')
        await journal.replay({ to, at: n })
        expect(treeOf(to)).toEqual(withoutOwners(reading.trees[n] ?? {}))
      }
      expect(treeOf(root)).toEqual(withoutOwners(reading.trees[transactions.length] ?? {}))
      const to = path.join(temporary(), 'tree')
      runReader(path.join(root, '.journal'), '--to', to)
      expect(treeOf(to)).toEqual(treeOf(root))
    })
  })

  it('agrees with the library about a journal with gaps, left by a salvage', async () => {
    const root = temporary()
    await makeJournal(root)
    for (const [segment, at] of [
      [1, 900],
      [2, 4000],
    ] as const) {
      const bytes = fs.readFileSync(segmentFile(root, segment))
      bytes.fill(1, at, at + 300)
      fs.writeFileSync(segmentFile(root, segment), bytes)
    }
    const { salvaged, lost } = await salvageJournal(root)
    expect(lost.length).toBeGreaterThan(0)
    await using(root, { segmentSize: SEGMENT }, async (journal) => {
      await journal.write('later.txt', 'behind the gaps\n')
      const transactions = await transactionsOf(journal)
      const { status, reading } = runReader(path.join(root, '.journal'))
      expect(reading.problems).toEqual([])
      expect(status).toBe(0)
      expect(reading.transactions).toEqual(transactions)
      expect(transactions).toHaveLength(salvaged + 1)
      const gaps = (reading as unknown as { gaps: { lost: number[] }[] }).gaps
      expect(gaps.flatMap((gap) => gap.lost)).toEqual(lost.map(({ seq }) => seq))
      expect(await journal.verify()).toMatchObject({ ok: true, transactions: salvaged + 1 })
    })
  })

  it('agrees with the library about a journal that is being written', async () => {
    const root = temporary()
    await using(root, { segmentSize: SEGMENT }, async (journal) => {
      await Promise.all(
        Array.from({ length: 40 }, (_, n) => journal.write(`at-once/${n % 7}.txt`, `${n}\n`.repeat(200))),
      )
      const { reading } = runReader(path.join(root, '.journal'))
      expect(reading.problems).toEqual([])
      expect(reading.end.is).toBe('clean')
      expect(reading.chain).toBe(journal.head.chain)
      expect(withoutOwners(reading.trees[40] ?? {})).toEqual(treeOf(root))
    })
  })
})

/** Two writers, some segments, a blob, and every operation. */
async function makeJournal(root: string): Promise<void> {
  await using(root, { actor: 'first', segmentSize: SEGMENT }, async (journal) => {
    await journal.transact({ message: 'much at once', tags: ['a', 'b'], parent: 'p' }, async (tx) => {
      await tx.write('a/b/c.txt', 'one\ntwo\n', { mode: 0o640 })
      await tx.append('a/b/c.txt', 'three\n')
      await tx.edit('a/b/c.txt', [{ oldText: 'two', newText: 'zwei' }])
      await tx.write('empty', new Uint8Array(0))
      await tx.symlink('a/link', 'b/c.txt')
      await tx.mkdir('a/hollow')
    })
    await journal.patch('a/b/c.txt', '--- a\n+++ b\n@@ -1,3 +1,2 @@\n one\n-zwei\n three\n')
    await journal.chmod('a/b/c.txt', 0o755)
    await journal.rename('a', 'z/y')
    await journal.rmdir('z/y/hollow')
    for (let n = 0; n < 16; n += 1) await journal.write('padding', `${n % 10}`.repeat(3000 + n))
    await journal.write('large', new Uint8Array(1024 * 1024 + 1).fill(7))
  })
  fs.writeFileSync(path.join(root, 'padding'), 'edited behind the journal')
  await using(root, { actor: 'second', segmentSize: SEGMENT }, async (journal) => {
    await journal.adopt()
    const removed = await journal.remove('z', { recursive: true })
    await journal.undo(removed.tx)
    await journal.redo(removed.tx)
    await journal.restore({ to: 3 })
    await journal.write('名/größe 🙂.txt', 'names\n')
  })
}

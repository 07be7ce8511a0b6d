import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { collect, failure, newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

/** Several transactions to a segment, contents in the log and as blobs. */
const OPTIONS = { segmentSize: 16 * 1024 }
const LARGE = 5000

/** Fills some segments: paths that live on, paths that go, a rename, a blob, an undo. */
async function fill(journal: Journal, from = 0): Promise<void> {
  await journal.write('early.txt', `written once, ${from}\n`)
  await journal.write('large.bin', `${from}`.repeat(LARGE))
  await journal.write('gone.txt', `soon gone ${from}\n`)
  await journal.symlink(`link${from}`, 'early.txt')
  for (let n = 0; n < 12; n += 1) {
    await journal.write(`many/${n % 5}.txt`, `${from} ${n}\n`.repeat(300))
    if (n === 4) await journal.remove('gone.txt')
    if (n === 6) await journal.undo('head')
    if (n === 8) await journal.rename('many/0.txt', `many/moved${from}.txt`)
  }
}

interface Answers {
  readonly [question: string]: unknown
}

/** Everything that is said of the points from `first` on. */
async function answers(journal: Journal, first: number): Promise<Answers> {
  const all: Record<string, unknown> = {}
  const head = await journal.resolve('head')
  const paths = new Set<string>()
  for await (const commit of journal.history({ since: first })) {
    all[`commit ${commit.seq}`] = commit
    all[`diff ${commit.seq}`] = await collect(journal.diff({ tx: commit.seq }))
    for (const entry of commit.entries) paths.add(entry.path ?? '')
  }
  for (const path of ['early.txt', 'large.bin', 'many', 'link0', 'never', 'many/3.txt']) paths.add(path)
  for (let seq = first; seq <= head; seq += 1) {
    for (const path of paths) {
      const state = await journal.stateAt(path, seq)
      all[`${path} at ${seq}`] = state
      if (state?.kind === 'file')
        all[`content of ${path} at ${seq}`] = Buffer.from(await journal.readAt(path, seq)).toString()
    }
    all[`restore to ${seq}`] = (await journal.restore({ to: seq, dryRun: true })).changes
  }
  all['from the first to the last'] = await collect(journal.diff({ from: first, to: 'head' }))
  return all
}

async function reopened(disk: SimDisk, journal: Journal, options = OPTIONS): Promise<Journal> {
  await journal.close()
  return openOn(disk, options)
}

const logFiles = (disk: SimDisk) => disk.readDirectory(`${ROOT}/.journal/log`).map(({ name }) => name)

describe('dropping old transactions', () => {
  it('leaves every answer about what is kept as it was, now, after a reopening, and from an index built anew', async () => {
    const disk = newDisk()
    let journal = await openOn(disk, OPTIONS)
    await fill(journal)
    await fill(journal, 1)
    const head = journal.head
    const tree = workspace(disk)
    const result = await journal.compact({ keepTransactions: 15 })
    expect(result.transactionsDropped).toBeGreaterThan(5)
    expect(result.horizon).toBe(result.transactionsDropped)
    expect(result.segmentsRemoved).toBeGreaterThan(0)
    expect(result.bytesFreed).toBeGreaterThan(0)
    expect(head.seq - result.horizon).toBeGreaterThanOrEqual(15)
    expect(logFiles(disk).filter((name) => name.endsWith('.base'))).toHaveLength(1)
    expect(differences(tree, workspace(disk))).toEqual([])
    const first = result.horizon
    for (let round = 0; round < 3; round += 1) {
      const own = await answers(journal, first)
      expect(Object.keys(own).length).toBeGreaterThan(100)
      expect(await journal.verify({ workspace: true })).toMatchObject({
        ok: true,
        problems: [],
        changed: [],
        orphans: 0,
      })
      expect(journal.head.chain).toBe(head.chain)
      const again = await reopened(disk, journal)
      expect(await answers(again, first)).toEqual(own)
      journal = again
    }
    await journal.close()
  })

  it('answers as the whole history would', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await fill(journal)
    await fill(journal, 1)
    const every = await answers(journal, 0)
    const { horizon } = await journal.compact({ keepTransactions: 12 })
    const kept = await answers(journal, horizon)
    for (const [question, answer] of Object.entries(kept)) {
      if (question !== 'from the first to the last') expect([question, answer]).toEqual([question, every[question]])
    }
    await journal.close()
  })

  it('says of what was dropped that it was, and when', async () => {
    const disk = newDisk()
    let journal = await openOn(disk, OPTIONS)
    await fill(journal)
    const [first] = await collect(journal.history({ order: 'oldest', limit: 1 }))
    const { horizon } = await journal.compact({ keepTransactions: 5 })
    for (let round = 0; round < 2; round += 1) {
      const dropped = { code: 'NOT_FOUND', details: { dropped: { seq: horizon, reason: 'transactions' } } }
      expect(await failure(() => journal.readAt('early.txt', 1))).toMatchObject(dropped)
      expect(await failure(() => journal.undo(1))).toMatchObject(dropped)
      expect(await failure(() => journal.show(horizon))).toMatchObject(dropped)
      expect(await failure(() => journal.restore({ to: 0 }))).toMatchObject(dropped)
      expect(await failure(() => journal.restore({ to: new Date(0) }))).toMatchObject(dropped)
      expect((await failure(() => journal.show(1))).message).toMatch(/dropped by retention on \d{4}-/)
      const byId = await failure(() => journal.show(first?.tx ?? ''))
      expect(byId).toMatchObject({ code: 'NOT_FOUND' })
      expect(byId.hint).toContain(`up to number ${horizon} were dropped`)
      expect(Buffer.from(await journal.readAt('early.txt', horizon)).toString()).toBe('written once, 0\n')
      const stats = await journal.stats()
      expect(stats).toMatchObject({ dropped: horizon, transactions: journal.head.seq - horizon })
      journal = await reopened(disk, journal)
    }
    await journal.close()
  })

  it('goes on: horizons follow horizons, and each keeps what is there', async () => {
    const disk = newDisk()
    let journal = await openOn(disk, OPTIONS)
    for (let round = 0; round < 5; round += 1) {
      await fill(journal, round)
      const { horizon, transactionsDropped } = await journal.compact({ keepTransactions: 3 })
      expect(transactionsDropped).toBeGreaterThan(0)
      const own = await answers(journal, horizon)
      const report = await journal.verify({ workspace: true })
      expect(report).toMatchObject({ ok: true, problems: [], changed: [], orphans: 0 })
      expect(report.horizon).toMatchObject({ seq: horizon, reason: 'transactions' })
      if (round % 2 === 0) journal = await reopened(disk, journal)
      expect(await answers(journal, horizon)).toEqual(own)
    }
    expect(logFiles(disk).filter((name) => name.endsWith('.base'))).toHaveLength(1)
    await journal.close()
  })

  it('can drop everything, and the tree is still known', async () => {
    const disk = newDisk()
    let journal = await openOn(disk, OPTIONS)
    await fill(journal)
    const { seq } = journal.head
    expect(await journal.compact({ keepTransactions: 0 })).toMatchObject({ horizon: seq, transactionsDropped: seq })
    expect(await collect(journal.history())).toEqual([])
    journal = await reopened(disk, journal)
    expect(Buffer.from(await journal.readAt('large.bin')).toString()).toBe('0'.repeat(LARGE))
    expect(await journal.verify({ workspace: true })).toMatchObject({
      ok: true,
      problems: [],
      changed: [],
      transactions: 0,
    })
    const next = await journal.write('early.txt', 'changed\n')
    await journal.undo(next.tx)
    expect(disk.readText(`${ROOT}/early.txt`)).toBe('written once, 0\n')
    expect(await journal.compact({ keepTransactions: 0, dryRun: true })).toMatchObject({ horizon: seq })
    await journal.close()
  })

  it('by age, and by size', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await fill(journal)
    expect(await journal.compact({ keepDays: 1 })).toMatchObject({ transactionsDropped: 0 })
    disk.setTime(disk.now() + 2 * 86_400_000)
    const aged = await journal.compact({ keepDays: 1 })
    expect(aged.horizon).toBe(journal.head.seq)
    expect((await journal.verify()).horizon).toMatchObject({ reason: 'age' })
    await fill(journal, 1)
    const { logBytes, blobBytes } = await journal.stats()
    const sized = await journal.compact({ maxBytes: Math.floor((logBytes + blobBytes) * 0.8) })
    expect(sized.transactionsDropped).toBeGreaterThan(0)
    const after = await journal.stats()
    expect(after.transactions).toBeGreaterThan(0)
    expect(after.logBytes + after.blobBytes).toBeLessThanOrEqual(Math.floor((logBytes + blobBytes) * 0.8))
    expect((await journal.verify()).ok).toBe(true)
    await journal.close()
  })

  it('only says what it would do', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await fill(journal)
    const files = logFiles(disk)
    const planned = await journal.compact({ keepTransactions: 5, dryRun: true })
    expect(logFiles(disk)).toEqual(files)
    const reader = await openOn(disk, { ...OPTIONS, readOnly: true })
    await journal.checkpoint()
    expect((await reader.compact({ keepTransactions: 5, dryRun: true })).horizon).toBe(planned.horizon)
    await reader.close()
    const done = await journal.compact({ keepTransactions: 5 })
    expect(done.horizon).toBe(planned.horizon)
    expect(done).toMatchObject({
      segmentsRemoved: planned.segmentsRemoved,
      transactionsDropped: planned.transactionsDropped,
    })
    await journal.close()
  })

  it('an anchored head that was dropped is told apart from one that never was', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    const anchors: string[] = []
    for (let n = 0; n < 12; n += 1) anchors.push((await journal.write('a', `${n}`.repeat(2000))).chain)
    const { horizon } = await journal.compact({ keepTransactions: 3 })
    const problemOf = async (head: string) => (await journal.verify({ head })).problems[0]
    expect(await problemOf(anchors[11] ?? '')).toBe(undefined)
    expect(await problemOf(anchors[horizon - 1] ?? '')).toBe(undefined)
    expect((await problemOf(anchors[0] ?? ''))?.message).toContain('transaction number 1, which retention dropped')
    expect((await problemOf('ab'.repeat(32)))?.message).toContain('is not in this history')
    await journal.close()
  })
})

describe('the index of a journal that dropped transactions', () => {
  it('says the same whether it was pruned, never pruned, or built anew', async () => {
    const { openMemory } = await import('../../src/history/index-database.ts')
    const disk = newDisk()
    let kept = await openMemory()
    const openKept = async () => {
      kept = await openMemory()
      return kept
    }
    const journal = await openOn(disk, { ...OPTIONS, openDatabase: openKept })
    await fill(journal)
    await fill(journal, 1)
    await journal.stats()
    const keysOf = async () => (await kept.keys().all()).length
    const before = await keysOf()
    const reader = await openOn(disk, { ...OPTIONS, readOnly: true })
    await reader.stats()
    const { horizon } = await journal.compact({ keepTransactions: 10 })
    expect(await keysOf()).toBeLessThan(before * 0.8)
    const fresh = await openOn(disk, { ...OPTIONS, readOnly: true })
    const all = [journal, reader, fresh]
    const [pruned, stale, anew] = await Promise.all(all.map((one) => answers(one, horizon)))
    expect(stale).toEqual(pruned)
    expect(anew).toEqual(pruned)
    const [a, b, c] = await Promise.all(all.map((one) => one.stats()))
    expect(b).toEqual(a)
    expect(c).toEqual(a)
    const [d, e, f] = await Promise.all(all.map((one) => one.status()))
    expect(e?.changed).toEqual(d?.changed)
    expect(f?.tracked).toBe(d?.tracked)
    for (const one of all) await one.close()
  })
})

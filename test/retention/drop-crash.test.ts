import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { collect, newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

const OPTIONS = { segmentSize: 8 * 1024 }
const KEPT = 4

/** Two drops' worth of history, the first of them done. */
async function prepared(): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  await journal.write('early', 'once and never again\n')
  await journal.write('blob', 'b'.repeat(9000))
  for (let n = 0; n < 6; n += 1) await journal.write(`a${n % 2}`, `${n}`.repeat(1500))
  await journal.compact({ keepTransactions: 2 })
  await journal.write('blob', 'c'.repeat(9000))
  for (let n = 0; n < 6; n += 1) await journal.write(`a${n % 3}`, `later ${n}`.repeat(200))
  return { disk, journal }
}

async function check(disk: SimDisk, tree: Tree, acknowledged: boolean, before: number): Promise<boolean> {
  const journal = await openOn(disk, OPTIONS)
  expect(differences(tree, workspace(disk))).toEqual([])
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  expect(report.changed).toEqual([])
  const horizon = report.horizon?.seq ?? 0
  expect(horizon >= before).toBe(true)
  expect(horizon > before || !acknowledged).toBe(true)
  expect(Buffer.from(await journal.readAt('early', horizon)).toString()).toBe('once and never again\n')
  for (let seq = horizon; seq <= journal.head.seq; seq += 1) {
    for (const path of ['a0', 'a1', 'blob'])
      if ((await journal.stateAt(path, seq)) !== null) await journal.readAt(path, seq)
  }
  expect(disk.readDirectory(`${ROOT}/.journal/staging`)).toEqual([])
  // What is left over is gone: one base, and only the segments behind it.
  const names = disk.readDirectory(`${ROOT}/.journal/log`).map(({ name }) => name)
  const bases = names.filter((name) => name.endsWith('.base'))
  expect(bases.length).toBe(1)
  for (const name of names.filter((name) => name.endsWith('.wal'))) expect(name > (bases[0] ?? '')).toBe(true)
  await journal.write('a0', 'goes on')
  await journal.compact({ keepTransactions: KEPT })
  expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [], orphans: 0 })
  await journal.close()
  return horizon > before
}

describe('a drop that is interrupted', () => {
  it.each(['process', 'ordered', 'any'] as const)(
    'is whole or was never begun, wherever it crashes: %s',
    async (model) => {
      let finished = 0
      for (let crash = 1; ; crash += 1) {
        const { disk, journal } = await prepared()
        const before = (await journal.verify()).horizon?.seq ?? 0
        const tree = workspace(disk)
        disk.faults.crashAtChange(crash)
        const done = await journal.compact({ keepTransactions: KEPT }).then(
          () => true,
          () => false,
        )
        const completed = !disk.faults.crashed
        await journal.close().catch(() => undefined)
        let after = disk.crash(model, { seed: crash })
        after.faults.crashAtChange((crash % 11) + 1)
        await openOn(after, OPTIONS)
          .then(
            (opened) => opened.close(),
            () => undefined,
          )
          .catch(() => undefined)
        after = after.crash(model, { seed: crash + 1 })
        if ((await check(after, tree, done, before)) && !done) finished += 1
        if (completed) break
      }
      expect(finished).toBeGreaterThan(2)
    },
    120_000,
  )

  it('ends with a typed error, and the next opening goes on, whichever operation of the disk fails', async () => {
    let failed = 0
    const kinds = ['open', 'write', 'sync', 'rename', 'unlink', 'syncDirectory', 'truncate'] as const
    for (let at = 1; ; at += 1) {
      const { disk, journal } = await prepared()
      const before = (await journal.verify()).horizon?.seq ?? 0
      const tree = workspace(disk)
      const reached = counted(disk, kinds, at)
      disk.faults.failAt(at, at % 2 === 0 ? 'EIO' : 'ENOSPC', { kinds })
      const error = await journal.compact({ keepTransactions: KEPT }).catch((thrown: unknown) => thrown)
      const met = reached()
      disk.faults.heal()
      if (error instanceof Error) {
        failed += 1
        expect(error).toHaveProperty('code')
      }
      await journal.close().catch(() => undefined)
      await check(disk, tree, false, before)
      if (!met) break
    }
    expect(failed).toBeGreaterThan(10)
  }, 120_000)
})

/** Tells whether so many operations of these kinds came since. */
function counted(disk: SimDisk, kinds: readonly string[], at: number): () => boolean {
  disk.faults.trace = []
  const { trace } = disk.faults
  return () => {
    disk.faults.trace = null
    return trace.filter(({ kind }) => kinds.includes(kind)).length >= at
  }
}

describe('a drop beside commits', () => {
  it('loses nothing that they rely on, whatever they write, and holds none of them up', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { ...OPTIONS, retention: { keepTransactions: 6 } })
    const dropped: number[] = []
    journal.on('retention', (outcome) => {
      expect(outcome.error).toBe(null)
      dropped.push(outcome.dropped?.transactions ?? 0)
    })
    // The same few contents again and again: what a commit relies on is what is just being dropped.
    const contents = Array.from({ length: 6 }, (_, n) => `${n}`.repeat(n % 2 === 0 ? 700 : 9000))
    for (let n = 0; n < 150; n += 1) {
      const done = [journal.write(`p${n % 4}`, contents[(n * 7) % 6] ?? '')]
      if (n % 5 === 0) done.push(journal.write(`q${n % 3}`, contents[n % 6] ?? ''))
      await Promise.all(done)
      if (n % 6 === 0) await journal.undo('head')
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(dropped.length).toBeGreaterThan(3)
    const report = await journal.verify({ workspace: true })
    expect(report).toMatchObject({ ok: true, problems: [], changed: [] })
    expect(report.transactions).toBeLessThan(40)
    for await (const { seq } of journal.history()) await collect(journal.diff({ tx: seq }))
    await journal.close()
    const again = await openOn(disk, OPTIONS)
    expect(await again.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [] })
    await again.close()
  })
})

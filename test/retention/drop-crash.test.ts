import { describe, expect, it } from 'vitest'
import { collect, newDisk, openOn, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { check, crashInDrop, cutBehindDrop, KEPT, OPTIONS, prepared } from './interrupted-drop.ts'

describe('a drop that is interrupted', () => {
  it.each(['process', 'ordered', 'any'] as const)(
    'is whole or was never begun, wherever it crashes: %s',
    async (model) => expect(await crashInDrop(model)).toBeGreaterThan(2),
    120_000,
  )

  it('leaves nothing in staging that could come back as a transaction that was never committed', () => cutBehindDrop())

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

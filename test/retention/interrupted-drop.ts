import { expect } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { PowerCut, SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

export const OPTIONS = { segmentSize: 8 * 1024 }
export const KEPT = 4
/** Power cuts at the same moment: each leaves another part of what was not synced. */
const CUTS = 6

/** Two drops' worth of history, the first of them done. */
export async function prepared(): Promise<{ disk: SimDisk; journal: Journal }> {
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

export async function check(disk: SimDisk, tree: Tree, acknowledged: boolean, before: number): Promise<boolean> {
  const journal = await openOn(disk, OPTIONS)
  expect(differences(tree, workspace(disk))).toEqual([])
  expect(journal.recovery.discarded).toEqual([])
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

/** Segments and bases that the newest base stands for: a drop that is done has removed them for good. */
function leftOver(disk: SimDisk): string[] {
  const names = disk.readDirectory(`${ROOT}/.journal/log`).map(({ name }) => name)
  const newest = names.filter((name) => name.endsWith('.base')).at(-1) ?? ''
  return names.filter((name) => name < newest)
}

/**
 * Drops that crash, each at another change, and openings that crash in turn; the next one must find all that is promised. `tamper` does something to every
 * disk before it is used. Returns how many drops were found to be done that nobody was told of.
 */
export async function crashInDrop(model: 'process' | PowerCut, tamper?: (disk: SimDisk) => void): Promise<number> {
  let finished = 0
  for (let crash = 1; ; crash += 1) {
    const { disk, journal } = await prepared()
    const before = (await journal.verify()).horizon?.seq ?? 0
    const tree = workspace(disk)
    tamper?.(disk)
    disk.faults.crashAtChange(crash)
    const done = await journal.compact({ keepTransactions: KEPT }).then(
      () => true,
      () => false,
    )
    const completed = !disk.faults.crashed
    await journal.close().catch(() => undefined)
    for (let cut = 0; cut < (model === 'any' ? CUTS : 1); cut += 1) {
      let after = disk.crash(model, { seed: crash + 1000 * cut })
      tamper?.(after)
      if (done) expect(leftOver(after)).toEqual([])
      after.faults.crashAtChange((crash % 11) + 1)
      await openOn(after, OPTIONS)
        .then(
          (opened) => opened.close(),
          () => undefined,
        )
        .catch(() => undefined)
      after = after.crash(model, { seed: crash + 1 })
      tamper?.(after)
      if ((await check(after, tree, done, before)) && !done) finished += 1
    }
    if (completed) return finished
  }
}

/** A file that a dropped transaction has left in `staging`, and that comes back with a power cut, belongs to nobody who could be missed. */
export async function cutBehindDrop(tamper?: (disk: SimDisk) => void): Promise<void> {
  const { disk, journal } = await prepared()
  tamper?.(disk)
  let kept = false
  disk.faults.before = ({ kind, path }) => {
    if (kept || kind !== 'unlink' || path?.includes('/staging/') !== true) return
    kept = true
    disk.settle()
  }
  await journal.write('a0', 'it takes the place of another')
  expect(kept).toBe(true)
  for (let n = 0; n < 12; n += 1) await journal.write('a1', `and more ${n} `.repeat(200))
  const { tx } = await journal.show(journal.head.seq - 12)
  const { horizon } = await journal.compact({ keepTransactions: 0 })
  expect((await journal.show(tx).catch((error: unknown) => error)) as object).toMatchObject({ code: 'NOT_FOUND' })
  expect(horizon).toBeGreaterThan(0)
  const left = disk.crash('none', { seed: 1 })
  tamper?.(left)
  const again = await openOn(left, OPTIONS)
  expect(again.recovery.discarded).toEqual([])
  await again.close()
}

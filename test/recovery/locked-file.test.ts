import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

/** Its owner may write it, and not read it. */
const LOCKED = 0o200
const TEXT = 'word '.repeat(500)
/** Beyond what the log of small segments takes. */
const BLOB = 'B'.repeat(5000)
const OPTIONS = { segmentSize: 16 * 1024 }

type Act = (journal: Journal) => Promise<unknown>

const ACTS: readonly [name: string, before: readonly Act[], act: Act][] = [
  ['is made', [], (journal) => journal.write('a', TEXT, { mode: LOCKED })],
  ['is made of a blob', [], (journal) => journal.write('a', BLOB, { mode: LOCKED })],
  [
    'takes the place of another',
    [(journal) => journal.write('a', 'old')],
    (journal) => journal.write('a', TEXT, { mode: LOCKED }),
  ],
  ['becomes one', [(journal) => journal.write('a', TEXT)], (journal) => journal.chmod('a', LOCKED)],
  [
    'is replaced',
    [(journal) => journal.write('a', TEXT, { mode: LOCKED })],
    (journal) => journal.write('a', 'new', { mode: 0o644 }),
  ],
]

/** Opens what a crash left; the power goes once more, and everything is as it was before or after the act. */
async function settled(left: SimDisk, trees: readonly Tree[]): Promise<number> {
  const journal = await openOn(left, OPTIONS)
  expect(journal.recovery.conflicts).toEqual([])
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  expect(report.changed).toEqual([])
  await journal.checkpoint()
  const cut = left.crash('none')
  await journal.close()
  const again = await openOn(cut, OPTIONS)
  expect(again.recovery.conflicts).toEqual([])
  await again.close()
  const which = trees.findIndex((tree) => differences(tree, workspace(cut)).length === 0)
  expect(which, JSON.stringify(differences(trees.at(-1) as Tree, workspace(cut)))).toBeGreaterThanOrEqual(0)
  return which
}

describe('a file that may not be read any more', () => {
  it('can be made durable by a checkpoint when it was written and locked before it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await journal.write('a', TEXT)
    await journal.chmod('a', LOCKED)
    await journal.checkpoint()
    const tree = workspace(disk)
    const cut = disk.crash('none')
    await journal.close()
    expect(await settled(cut, [tree])).toBe(0)
  })

  it('is no hindrance to a checkpoint that began before', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await journal.write('a', TEXT)
    await journal.write('z', TEXT)
    let locked: Promise<unknown> | null = null
    disk.syncGate = async () => {
      disk.syncGate = null
      locked = journal.chmod('z', LOCKED)
      await locked
    }
    await journal.checkpoint()
    expect(locked).not.toBeNull()
    await journal.checkpoint()
    const tree = workspace(disk)
    const cut = disk.crash('none')
    await journal.close()
    expect(await settled(cut, [tree])).toBe(0)
  })

  describe.each([
    { exchange: true, link: true },
    { exchange: false, link: true },
    { exchange: false, link: false },
  ])('on a disk with %j', (options) => {
    it.each(ACTS)('%s, and a crash comes anywhere', async (_name, before, act) => {
      let whole = 0
      for (let at = 1, over = false; !over; at += 1) {
        const disk = newDisk({ ...options, seed: at })
        const journal = await openOn(disk, OPTIONS)
        for (const earlier of before) await earlier(journal)
        const trees = [workspace(disk)]
        disk.faults.crashAtChange(at)
        const acknowledged = await act(journal).then(
          () => true,
          () => false,
        )
        if (acknowledged) await journal.checkpoint().catch(() => undefined)
        over = !disk.faults.crashed
        // What comes of it, on a disk where nothing fails.
        const other = newDisk(options)
        const undisturbed = await openOn(other, OPTIONS)
        for (const earlier of [...before, act]) await earlier(undisturbed)
        trees.push(workspace(other))
        await undisturbed.close()
        await journal.close().catch(() => undefined)
        for (const model of ['process', 'none', 'any', 'ordered'] as const) {
          const left = disk.crash(model, { seed: at })
          const which = await settled(left, trees)
          expect(which === 1 || !acknowledged, `${model} at ${at}: what was acknowledged is there`).toBe(true)
          whole += which
        }
      }
      expect(whole).toBeGreaterThan(0)
    })
  })
})

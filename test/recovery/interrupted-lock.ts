import { expect } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, workspace } from '../journal/fixture.ts'
import type { SimDisk, SimOptions } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

/** Its owner may write it, and not read it. */
export const LOCKED = 0o200
export const TEXT = 'word '.repeat(500)
/** Beyond what the log of small segments takes. */
const BLOB = 'B'.repeat(5000)
export const OPTIONS = { segmentSize: 16 * 1024 }

type Act = (journal: Journal) => Promise<unknown>
type Tamper = (disk: SimDisk) => void

/** What comes before, and what is done: to a file that is unreadable then, or was. */
export const ACTS = {
  'is made': [[], (journal) => journal.write('a', TEXT, { mode: LOCKED })],
  'is made of a blob': [[], (journal) => journal.write('a', BLOB, { mode: LOCKED })],
  'takes the place of another': [
    [(journal) => journal.write('a', 'old')],
    (journal) => journal.write('a', TEXT, { mode: LOCKED }),
  ],
  'becomes one': [[(journal) => journal.write('a', TEXT)], (journal) => journal.chmod('a', LOCKED)],
  'is replaced': [
    [(journal) => journal.write('a', TEXT, { mode: LOCKED })],
    (journal) => journal.write('a', 'new', { mode: 0o644 }),
  ],
} satisfies Record<string, [before: Act[], act: Act]>

/** Opens what a crash left; the power goes once more, and everything is as in one of the trees: returns which. */
export async function settled(left: SimDisk, trees: readonly Tree[]): Promise<number> {
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

/** An act that crashes at every change; `tamper` does something to every disk before it is used. */
export async function crashEverywhere(
  name: keyof typeof ACTS,
  options: Partial<SimOptions> = {},
  tamper?: Tamper,
): Promise<void> {
  const [before, act]: [readonly Act[], Act] = ACTS[name]
  let whole = 0
  for (let at = 1, over = false; !over; at += 1) {
    const disk = newDisk({ ...options, seed: at })
    tamper?.(disk)
    const journal = await openOn(disk, OPTIONS)
    for (const earlier of before) await earlier(journal)
    const trees = [workspace(disk), await undisturbed([...before, act], options)]
    disk.faults.crashAtChange(at)
    const acknowledged = await act(journal).then(
      () => true,
      () => false,
    )
    if (acknowledged) await journal.checkpoint().catch(() => undefined)
    over = !disk.faults.crashed
    await journal.close().catch(() => undefined)
    for (const model of ['process', 'none', 'any', 'ordered'] as const) {
      const left = disk.crash(model, { seed: at })
      tamper?.(left)
      const which = await settled(left, trees)
      expect(which === 1 || !acknowledged, `${model} at ${at}: what was acknowledged is there`).toBe(true)
      whole += which
    }
  }
  expect(whole).toBeGreaterThan(0)
}

/** What comes of it where nothing fails. */
async function undisturbed(acts: readonly Act[], options: Partial<SimOptions>): Promise<Tree> {
  const disk = newDisk(options)
  const journal = await openOn(disk, OPTIONS)
  for (const act of acts) await act(journal)
  const tree = workspace(disk)
  await journal.close()
  return tree
}

/** The power is cut when the permissions are taken, and may be on the disk before anything else is. */
export async function cutBehindLock(tamper?: Tamper): Promise<void> {
  const disk = newDisk()
  tamper?.(disk)
  const journal = await openOn(disk, OPTIONS)
  await journal.write('a', TEXT)
  const before = workspace(disk)
  const lefts: SimDisk[] = []
  let locked = false
  disk.faults.before = ({ kind }) => {
    if (locked) for (let seed = 1; seed <= 30; seed += 1) lefts.push(disk.crash('any', { seed }))
    locked = kind === 'chmod'
  }
  await journal.chmod('a', LOCKED)
  disk.faults.before = null
  const after = workspace(disk)
  await journal.close()
  expect(lefts.length).toBeGreaterThan(0)
  for (const left of lefts) {
    tamper?.(left)
    await settled(left, [before, after])
  }
}

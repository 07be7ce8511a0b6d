import { expect } from 'vitest'
import { openOn, workspace } from '../journal/fixture.ts'
import { prepared } from '../retention/interrupted-drop.ts'
import type { PowerCut, SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'
import { bytesOf, files, JOURNAL, SEGMENT, segmentName } from './built.ts'
import { salvageAndCheck, salvageOn } from './salvaged.ts'
import { SEED, type Subject } from './trial.ts'

/** Power cuts at the moment when the marker goes: each leaves another part of what was not synced. */
const CUTS = 96

/** A damage in each of two segments, one segment gone, a blob damaged, the end cut off. */
export function tear(bad: SimDisk): void {
  const first = bytesOf(bad, segmentName(1))
  first.fill(9, 700, 900)
  bad.writeFile(`${JOURNAL}/${segmentName(1)}`, first)
  bad.unlink(`${JOURNAL}/${segmentName(2)}`)
  const third = bytesOf(bad, segmentName(3))
  bad.writeFile(`${JOURNAL}/${segmentName(3)}`, third.subarray(0, 1500))
  const blob = files(bad).find((name) => name.startsWith('blobs/')) as string
  bad.writeFile(`${JOURNAL}/${blob}`, 'damaged')
}

/** The last two segments are rubbish, the one that CHECKPOINT names among them; folders stand in the places of files. */
export function misplace(bad: SimDisk): void {
  const segments = files(bad).filter((name) => name.startsWith('log/'))
  for (const name of segments.sort().slice(-2)) bad.writeFile(`${JOURNAL}/${name}`, 'rubbish '.repeat(200))
  bad.unlink(`${JOURNAL}/FORMAT`)
  for (const name of ['FORMAT', segmentName(99)]) {
    bad.mkdirp(`${JOURNAL}/${name}`)
    bad.writeFile(`${JOURNAL}/${name}/inside`, `kept: ${name}`)
  }
}

async function isSound(disk: SimDisk): Promise<void> {
  const writer = await openOn(disk, { segmentSize: SEGMENT })
  expect((await writer.verify()).problems).toEqual([])
  await writer.close()
}

/**
 * A salvage that crashes at a change, and the next one, which finishes it. `tamper` does something to every disk before it is used.
 * @returns true when it came to its end before
 */
export async function crashedAt(
  subject: Subject,
  damage: (bad: SimDisk) => void,
  at: number,
  model: 'process' | PowerCut,
  tamper?: (disk: SimDisk) => void,
): Promise<boolean> {
  const bad = subject.disk.crash('process')
  damage(bad)
  bad.settle()
  const damaged = bad.crash('process')
  const before = workspace(bad)
  tamper?.(bad)
  let ending = false
  bad.faults.before = ({ kind, path }) => {
    ending ||= kind === 'unlink' && path === `${JOURNAL}/SALVAGE`
  }
  bad.faults.crashAtChange(at)
  const done = await salvageOn(bad).then(
    () => true,
    () => false,
  )
  const left = bad.crash(model, { seed: at + SEED })
  tamper?.(left)
  expect(differences(before, workspace(left)), `crash at ${at}`).toEqual([])
  // What is lost may be as long as the history, and a marker that is too long is none: it names the report only.
  if (left.exists(`${JOURNAL}/SALVAGE`)) expect(left.readFile(`${JOURNAL}/SALVAGE`).byteLength).toBeLessThan(100)
  try {
    if (done) await isSound(left)
    for (let cut = 1; ending && !done && cut <= CUTS; cut += 1) {
      const other = bad.crash(model, { seed: cut * 1000 + SEED })
      tamper?.(other)
      // Whoever finds no marker takes the journal for sound.
      if (!other.exists(`${JOURNAL}/SALVAGE`)) await isSound(other)
    }
    await salvageAndCheck(subject, left, damaged)
  } catch (error) {
    throw new Error(`${model}, crash at change ${at}, DAMAGE_SEED=${SEED}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return done
}

/** Salvages of a journal whose base is damaged, each crashing at another change: the next one finishes it, and what was damaged is kept. */
export async function crashWithBadBase(model: 'process' | PowerCut, tamper?: (disk: SimDisk) => void): Promise<void> {
  for (let at = 1; ; at += 1) {
    const { disk, journal } = await prepared()
    await journal.close()
    const base = files(disk).find((name) => name.endsWith('.base')) as string
    const damaged = bytesOf(disk, base)
    damaged.fill(9, 100, 140)
    disk.writeFile(`${JOURNAL}/${base}`, damaged)
    const node = disk.tree(JOURNAL).get(base)
    const wanted = node?.kind === 'file' ? node.content : ''
    disk.settle()
    tamper?.(disk)
    disk.faults.crashAtChange(at)
    const done = await salvageOn(disk).then(
      () => true,
      () => false,
    )
    for (let cut = 1; cut <= (model === 'any' ? 6 : 1); cut += 1) {
      const left = disk.crash(model, { seed: cut * 1000 + at })
      tamper?.(left)
      await salvageOn(left)
      const kept = [...left.tree(`${JOURNAL}/broken`).values()].map((node) => node.kind === 'file' && node.content)
      expect(kept, `crash at ${at}`).toContain(wanted)
      await isSound(left)
    }
    if (done) return
  }
}

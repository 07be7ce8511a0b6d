import { expect } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { PowerCut, SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

const SECRET = 'hunter2-is-the-secret'
const LARGE_SECRET = `${SECRET}\n${'x'.repeat(5000)}`
const OPTIONS = { segmentSize: 16 * 1024 }

/** Does something to every disk before it is used. */
export type Tamper = (disk: SimDisk) => void

/** Several segments, the secret in two of them, in a blob, and in what a killed process and a repair left. */
export async function prepared(tamper?: Tamper): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk()
  tamper?.(disk)
  const journal = await openOn(disk, OPTIONS)
  await journal.write('.env', `key=${SECRET}\n`)
  for (let n = 0; n < 8; n += 1) await journal.write('other', `${n}`.repeat(3500))
  await journal.edit('.env', [{ oldText: SECRET, newText: `${SECRET}2` }])
  await journal.write('.env', LARGE_SECRET)
  await journal.write('.env', 'clean')
  for (const left of ['staging/t000000000000000.0', 'broken/torn-1'])
    disk.writeFile(`${ROOT}/.journal/${left}`, SECRET, 0o600)
  return { disk, journal }
}

function holders(disk: SimDisk): string[] {
  const tree = disk.tree(`${ROOT}/.journal`)
  return [...tree].filter(([, node]) => node.kind === 'file' && node.content.includes(SECRET)).map(([path]) => path)
}

/** Opens what was left of it: the purge is whole, or was never begun. Says which. */
export async function check(disk: SimDisk, tree: Tree, acknowledged: boolean): Promise<boolean> {
  const journal = await openOn(disk, OPTIONS)
  expect(differences(tree, workspace(disk))).toEqual([])
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  expect(report.changed).toEqual([])
  let purged = false
  for await (const { kind } of journal.history()) purged ||= kind === 'purge'
  expect(purged || !acknowledged).toBe(true)
  expect(disk.exists(`${ROOT}/.journal/PURGE`)).toBe(false)
  expect(disk.readDirectory(`${ROOT}/.journal/staging`)).toEqual([])
  if (purged) {
    expect(holders(disk)).toEqual([])
    expect(report.purged).toBeGreaterThan(0)
    await expect(journal.readAt('.env', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  } else expect(Buffer.from(await journal.readAt('.env', 1)).toString()).toBe(`key=${SECRET}\n`)
  expect(Buffer.from(await journal.readAt('other', 3)).toString()).toBe('1'.repeat(3500))
  await journal.write('.env', 'goes on')
  await journal.close()
  return purged
}

/** A purge that crashes at every change, and the opening that finishes it too; returns how many that one finished. */
export async function crashEverywhere(model: 'process' | PowerCut, tamper?: Tamper): Promise<number> {
  let finished = 0
  for (let crash = 1; ; crash += 1) {
    const { disk, journal } = await prepared(tamper)
    const tree = workspace(disk)
    disk.faults.crashAtChange(crash)
    const done = await journal.purge('.env').then(
      () => true,
      () => false,
    )
    const completed = !disk.faults.crashed
    await journal.close().catch(() => undefined)
    let after = disk.crash(model, { seed: crash })
    // The opening that finishes it crashes too.
    after.faults.crashAtChange((crash % 23) + 1)
    tamper?.(after)
    await openOn(after, OPTIONS)
      .then(
        (opened) => opened.close(),
        () => undefined,
      )
      .catch(() => undefined)
    after = after.crash(model, { seed: crash + 1 })
    tamper?.(after)
    if ((await check(after, tree, done)) && !done) finished += 1
    if (completed) return finished
  }
}

/** A purge that is over, and the power cut at once: nothing of what was erased comes back. */
export async function cutBehind(tamper?: Tamper): Promise<void> {
  const { disk, journal } = await prepared(tamper)
  await journal.purge('.env')
  const left = disk.crash('none')
  await journal.close()
  expect(holders(left)).toEqual([])
  await check(left, workspace(left), true)
}

/** What was purged is written once more, and then the power is cut: no purge is finished a second time at its cost. */
export async function writtenAgain(tamper?: Tamper): Promise<void> {
  const { disk, journal } = await prepared(tamper)
  await journal.purge('.env')
  await journal.write('again', LARGE_SECRET)
  const left = disk.crash('none')
  await journal.close()
  tamper?.(left)
  const opened = await openOn(left, OPTIONS)
  expect((await opened.verify({ workspace: true })).problems).toEqual([])
  expect(Buffer.from(await opened.readAt('again', opened.head.seq)).toString()).toBe(LARGE_SECRET)
  await opened.close()
  expect(left.readText(`${ROOT}/again`)).toBe(LARGE_SECRET)
}

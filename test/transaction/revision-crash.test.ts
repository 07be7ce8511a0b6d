/** The first revision in a journal of an older format, interrupted wherever it can be. */
import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'
import type { PowerCut, SimDisk } from '../sim/sim-disk.ts'

const FORMAT = `${ROOT}/.journal/FORMAT`
const BEFORE = '  x\n  y\n'
const AFTER = '  x\n  z\n'

/** A journal of version 3 with a file. */
async function prepared(): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk()
  const made = await openOn(disk)
  await made.write('a', BEFORE)
  await made.close()
  disk.writeFile(FORMAT, `${JSON.stringify({ ...JSON.parse(disk.readText(FORMAT)), version: 3 })}\n`)
  disk.settle()
  return { disk, journal: await openOn(disk) }
}

const revise = (journal: Journal) =>
  journal.edit('a', [{ oldText: 'x\ny\n', newText: 'x\nz\n' }], { lenient: true }).then(
    () => true,
    () => false,
  )

/** All of it or nothing, and never an entry that the format says is not there. Gives whether it was committed. */
async function check(disk: SimDisk, acknowledged: boolean): Promise<boolean> {
  const journal = await openOn(disk)
  const { version } = JSON.parse(disk.readText(FORMAT)) as { version: number }
  // What could not be put into the workspace is in the history, and taken back there.
  const reverted = journal.head.seq > 2 && (await journal.show(3)).kind === 'revert'
  const committed = journal.head.seq > 1 && !reverted
  expect(committed || !acknowledged).toBe(true)
  expect(disk.readText(`${ROOT}/a`)).toBe(committed ? AFTER : BEFORE)
  if (journal.head.seq > 1) {
    expect((await journal.show(2)).entries).toMatchObject([{ op: 'revise', by: 'edit' }])
    expect(version).toBe(4)
  }
  expect([3, 4]).toContain(version)
  expect((await journal.verify({ workspace: true })).problems).toEqual([])
  if (!committed) expect(await revise(journal)).toBe(true)
  await journal.close()
  return committed
}

describe('the first revision in a journal of version 3', () => {
  it.each<'process' | PowerCut>(['process', 'ordered', 'any', 'none'])(
    'is whole or not there, wherever it crashes: %s',
    async (model) => {
      const found = new Set<boolean>()
      for (let crash = 1; ; crash += 1) {
        const { disk, journal } = await prepared()
        disk.faults.crashAtChange(crash)
        const done = await revise(journal)
        const completed = !disk.faults.crashed
        await journal.close().catch(() => undefined)
        for (let cut = 0; cut < (model === 'any' ? 6 : 1); cut += 1) {
          found.add(await check(disk.crash(model, { seed: crash + 1000 * cut }), done))
        }
        if (completed) break
      }
      expect(found).toEqual(new Set([true, false]))
    },
    120_000,
  )

  it('fails with a typed error, or is made, whichever operation of the disk fails', async () => {
    const kinds = ['open', 'write', 'sync', 'rename', 'unlink', 'syncDirectory'] as const
    let failed = 0
    for (let at = 1; at < 60; at += 1) {
      const { disk, journal } = await prepared()
      disk.faults.failAt(at, at % 2 === 0 ? 'EIO' : 'ENOSPC', { kinds })
      const done = await revise(journal)
      disk.faults.heal()
      if (!done) failed += 1
      await journal.close().catch(() => undefined)
      await check(disk, done)
    }
    expect(failed).toBeGreaterThan(4)
  }, 120_000)
})

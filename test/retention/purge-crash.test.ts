import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

const SECRET = 'hunter2-is-the-secret'
const OPTIONS = { segmentSize: 16 * 1024 }

/** Several segments, the secret in two of them and in a blob. */
async function prepared(): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  await journal.write('.env', `key=${SECRET}\n`)
  for (let n = 0; n < 8; n += 1) await journal.write('other', `${n}`.repeat(3500))
  await journal.edit('.env', [{ oldText: SECRET, newText: `${SECRET}2` }])
  await journal.write('.env', `${SECRET}\n${'x'.repeat(5000)}`)
  await journal.write('.env', 'clean')
  return { disk, journal }
}

function holders(disk: SimDisk): string[] {
  const tree = disk.tree(`${ROOT}/.journal`)
  return [...tree].filter(([, node]) => node.kind === 'file' && node.content.includes(SECRET)).map(([path]) => path)
}

async function check(disk: SimDisk, tree: Tree, acknowledged: boolean): Promise<boolean> {
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

describe('a purge that is interrupted', () => {
  it.each(['process', 'ordered', 'any'] as const)(
    'is whole or was never begun, wherever it crashes: %s',
    async (model) => {
      let finished = 0
      for (let crash = 1; ; crash += 1) {
        const { disk, journal } = await prepared()
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
        await openOn(after, OPTIONS)
          .then(
            (opened) => opened.close(),
            () => undefined,
          )
          .catch(() => undefined)
        after = after.crash(model, { seed: crash + 1 })
        if ((await check(after, tree, done)) && !done) finished += 1
        if (completed) break
      }
      expect(finished).toBeGreaterThan(5)
    },
    120_000,
  )

  it('is finished by the next opening when the disk fails', async () => {
    const { disk, journal } = await prepared()
    const tree = workspace(disk)
    disk.faults.failAt(1, 'EIO', { kinds: ['unlink'], persistent: true })
    const error = await journal.purge('.env').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'POISONED' })
    disk.faults.heal()
    await expect(journal.write('a', 'a')).rejects.toMatchObject({ code: 'POISONED' })
    await journal.close().catch(() => undefined)
    expect(await check(disk, tree, true)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { workspace } from '../journal/fixture.ts'
import { check, crashEverywhere, cutBehind, prepared, writtenAgain } from './interrupted-purge.ts'

describe('a purge that is interrupted', () => {
  it.each(['process', 'ordered', 'any', 'none'] as const)(
    'is whole or was never begun, wherever it crashes: %s',
    async (model) => {
      expect(await crashEverywhere(model)).toBeGreaterThan(5)
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

describe('a purge that was acknowledged', () => {
  it('is for good', () => cutBehind())

  it('leaves alone what was written again since', () => writtenAgain())
})

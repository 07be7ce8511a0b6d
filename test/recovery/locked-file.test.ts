import { describe, expect, it } from 'vitest'
import { collect, newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import { ACTS, crashEverywhere, cutBehindLock, LOCKED, OPTIONS, settled, TEXT } from './interrupted-lock.ts'

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

  it('is durable before its permissions are', () => cutBehindLock())

  it('that somebody wrote to without being able to read it is kept', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    await journal.write('a', 'theirs to be', { mode: LOCKED })
    const left = disk.crash('process')
    await journal.close()
    left.writeFile(`${ROOT}/a`, 'theirs it is', LOCKED)
    const next = await openOn(left, OPTIONS)
    const kept = await collect(next.history())
    expect(kept.map(({ kind }) => kind)).toContain('recovery')
    expect((await next.verify()).problems).toEqual([])
    await next.close()
  })

  describe.each([
    { exchange: true, link: true },
    { exchange: false, link: true },
    { exchange: false, link: false },
  ])('on a disk with %j', (options) => {
    it.each(Object.keys(ACTS) as (keyof typeof ACTS)[])('%s, and a crash comes anywhere', (name) =>
      crashEverywhere(name, options),
    )
  })
})

import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { PinnedFolders } from '../../src/workspace/pinned-folders.ts'
import { SimDisk } from '../sim/sim-disk.ts'

function setting(): { disk: SimDisk; pins: PinnedFolders; opened: () => number } {
  const disk = SimDisk.create()
  for (const folder of ['/ws', '/ws/a', '/ws/b']) disk.makeDirectory(folder, 0o755)
  disk.faults.trace = []
  const opened = (): number => disk.faults.trace?.filter(({ kind }) => kind === 'anchor').length ?? 0
  return { disk, pins: new PinnedFolders(disk), opened }
}

describe('pinned folders', () => {
  it('are opened once for many users, and let go when trimmed', async () => {
    const { disk, pins, opened } = setting()
    for (let turn = 0; turn < 3; turn += 1) {
      const one = pins.pin('/ws/a')
      const other = pins.pin('/ws/a')
      expect(other.path).toBe(one.path)
      one.release()
      one.release()
      disk.lstat(`${other.path}/x`)
      other.release()
      await setImmediate()
    }
    expect(opened()).toBe(1)
    expect(disk.openHandles).toHaveLength(1)
    pins.trim(0)
    expect(disk.openHandles).toEqual([])
  })

  it('stay open for who uses them, whatever is trimmed', () => {
    const { disk, pins } = setting()
    const used = pins.pin('/ws/a')
    pins.pin('/ws/b').release()
    pins.trim(0)
    expect(disk.openHandles).toHaveLength(1)
    expect(disk.lstat(`${used.path}/none`)).toBeNull()
    used.release()
    pins.trim(0)
    expect(disk.openHandles).toEqual([])
  })

  it('of another turn are not believed: another folder at the path is another one', async () => {
    const { disk, pins, opened } = setting()
    const before = pins.pin('/ws/a')
    disk.rename('/ws/a', '/ws/old')
    disk.makeDirectory('/ws/a', 0o755)
    disk.makeDirectory('/ws/a/new', 0o755)
    await setImmediate()
    const after = pins.pin('/ws/a')
    expect(opened()).toBe(2)
    expect(disk.lstat(`${before.path}/new`)).toBeNull()
    expect(disk.lstat(`${after.path}/new`)).not.toBeNull()
    before.release()
    after.release()
    pins.trim(0)
    expect(disk.openHandles).toEqual([])
  })

  it('a symbolic link where a pinned folder was is refused', async () => {
    const { disk, pins } = setting()
    pins.pin('/ws/a').release()
    disk.rename('/ws/a', '/ws/old')
    disk.symlink('/ws/b', '/ws/a')
    await setImmediate()
    expect(() => pins.pin('/ws/a')).toThrow('ELOOP')
  })

  it('that the journal itself removed are opened anew in the same turn', () => {
    const { disk, pins } = setting()
    pins.pin('/ws/a').release()
    disk.removeDirectory('/ws/a')
    pins.forget('/ws/a')
    disk.makeDirectory('/ws/a', 0o755)
    disk.makeDirectory('/ws/a/new', 0o755)
    const after = pins.pin('/ws/a')
    expect(disk.lstat(`${after.path}/new`)).not.toBeNull()
  })
})

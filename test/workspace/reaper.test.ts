import { expect, test } from 'vitest'
import type { Disk, FileStat } from '../../src/disk/disk.ts'
import { Reaper } from '../../src/workspace/reaper.ts'

/** A disk of which only the removal is used. */
function disk(removed: string[], discard: (file: string) => Promise<void>): Disk {
  return { unlink: (file: string) => removed.push(file), discard } as unknown as Disk
}

test('a drain of nothing does not keep later files from being removed', async () => {
  const removed: string[] = []
  const reaper = new Reaper(disk([], async (file) => void removed.push(file)))
  await reaper.drain()
  await reaper.remove('a')
  await reaper.drain()
  expect(removed).toEqual(['a'])
})

test('a drain takes what comes while it goes on, and a file that cannot be removed holds nobody up', async () => {
  const removed: string[] = []
  const reaper: Reaper = new Reaper(
    disk([], async (file) => {
      if (file === 'a') await reaper.remove('c')
      if (file === 'b') throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
      removed.push(file)
    }),
  )
  await reaper.remove('a')
  await reaper.remove('b')
  await reaper.drain()
  expect(removed).toEqual(['a', 'c'])
})

test('files are removed after a pause without being asked for', async () => {
  const removed: string[] = []
  const reaper = new Reaper(disk([], async (file) => void removed.push(file)))
  await reaper.remove('a')
  expect(removed).toEqual([])
  await expect.poll(() => removed).toEqual(['a'])
})

test('a disk that removes nothing beside other work removes at once', async () => {
  const removed: string[] = []
  const reaper = new Reaper({ unlink: (file: string) => void removed.push(file) } as unknown as Disk)
  await reaper.remove('a')
  expect(removed).toEqual(['a'])
})

const NOW = 1_750_000_000_000

function stat(changes: Partial<FileStat>): FileStat {
  const mtimeNs = BigInt(NOW - 100) * 1_000_000n
  const plain = { kind: 'file', size: 1000, mode: 0o644, uid: 0, gid: 0, ino: 1n, dev: 1n, nlink: 1 } as const
  return { ...plain, mtimeNs, ctimeNs: mtimeNs, ...changes }
}

test('a small, young file goes at once; a large or an old one beside other work', async () => {
  const atOnce: string[] = []
  const later: string[] = []
  const reaper = new Reaper({ ...disk(atOnce, async (file) => void later.push(file)), now: () => NOW } as Disk)
  await reaper.remove('young', stat({}))
  await reaper.remove('old', stat({ mtimeNs: BigInt(NOW - 60_000) * 1_000_000n }))
  await reaper.remove('large', stat({ size: 10_000_000 }))
  await reaper.remove('linked', stat({ size: 10_000_000, nlink: 2 }))
  expect(atOnce).toEqual(['young', 'linked'])
  await reaper.drain()
  expect(later).toEqual(['old', 'large'])
})

test('a young file that cannot be removed at once holds nobody up, and is tried again', async () => {
  const later: string[] = []
  const stubborn = {
    unlink: () => {
      throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
    },
    discard: async (file: string) => void later.push(file),
    now: () => NOW,
  }
  const reaper = new Reaper(stubborn as unknown as Disk)
  await reaper.remove('a', stat({}))
  await reaper.drain()
  expect(later).toEqual(['a'])
})

test('a young file that may wait goes with the next sweep, with a drain, or by itself', async () => {
  const removed: string[] = []
  const reaper = new Reaper({ ...disk(removed, async () => undefined), now: () => NOW } as Disk)
  reaper.remove('swept', stat({}), true)
  expect(removed).toEqual([])
  reaper.sweep()
  expect(removed).toEqual(['swept'])
  reaper.remove('drained', stat({}), true)
  await reaper.drain()
  expect(removed).toEqual(['swept', 'drained'])
  reaper.remove('left', stat({}), true)
  await expect.poll(() => removed).toEqual(['swept', 'drained', 'left'])
})

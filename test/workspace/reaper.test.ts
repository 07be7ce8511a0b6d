import { expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
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

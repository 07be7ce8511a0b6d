import { describe, expect, it } from 'vitest'
import { createFile, makeDirectories, readFully, readSmallFile, writeFully } from '../../src/disk/file.ts'
import { withoutExchange } from '../../src/disk/legacy-disk.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { codeOf } from '../thrown.ts'

describe('whole reads and writes', () => {
  it('loop over the parts that a disk takes', () => {
    const disk = SimDisk.create({ shortWrites: 0.9, shortReads: 0.9 })
    const bytes = Buffer.alloc(100_000).map((_, i) => i)
    createFile(disk, '/a', bytes, 0o600)
    expect(Buffer.compare(disk.readFile('/a'), bytes)).toBe(0)
    expect(Buffer.compare(readSmallFile(disk, '/a') as Uint8Array, bytes)).toBe(0)
    const handle = disk.open('/a', 'read')
    const target = new Uint8Array(200_000)
    expect(readFully(disk, handle, target, 50_000)).toBe(50_000)
    disk.close(handle)
  })

  it('take a write without progress for a full disk', () => {
    const disk = SimDisk.create()
    disk.writeFile('/a', '')
    const handle = disk.open('/a', 'write')
    const stuck = new Proxy(disk, {
      get: (target, key) => {
        if (key === 'write') return () => 0
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    expect(codeOf(() => writeFully(stuck, handle, Buffer.from('x'), 0))).toBe('ENOSPC')
    disk.close(handle)
  })

  it('leave nothing of a file that could not be made whole', () => {
    const disk = SimDisk.create({ capacity: 100 })
    expect(codeOf(() => createFile(disk, '/a', Buffer.alloc(200), 0o600))).toBe('ENOSPC')
    expect(disk.exists('/a')).toBe(false)
    expect(disk.openHandles).toEqual([])
    disk.writeFile('/b', 'mine')
    expect(codeOf(() => createFile(disk, '/b', Buffer.alloc(2), 0o600))).toBe('EEXIST')
    expect(disk.readText('/b')).toBe('mine')
  })

  it('know that there is no file', () => {
    expect(readSmallFile(SimDisk.create(), '/none')).toBeNull()
  })

  it('make the folders that are missing, and say which', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/a/b')
    expect(makeDirectories(disk, '/a', ['b', 'c', 'd'], 0o700)).toEqual(['/a/b/c', '/a/b/c/d'])
    expect(disk.lstat('/a/b/c/d')?.mode).toBe(0o700)
  })
})

describe('a disk in legacy mode', () => {
  it('has no exchange, and is the same otherwise', () => {
    const disk = SimDisk.create({ superuser: true })
    const legacy = withoutExchange(disk)
    disk.writeFile('/a', 'x')
    expect(codeOf(() => legacy.exchange('/a', '/a'))).toBe('ENOSYS')
    expect([legacy.superuser, legacy.bootId]).toEqual([true, disk.bootId])
    expect(legacy.lstat('/a')?.size).toBe(1)
  })
})

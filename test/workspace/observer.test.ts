import { describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/content/hash.ts'
import type { FileStat } from '../../src/disk/disk.ts'
import { Observer } from '../../src/workspace/observer.ts'
import { SimDisk } from '../sim/sim-disk.ts'

function setting(forgetful = false): { disk: SimDisk; observer: Observer } {
  const disk = SimDisk.create({})
  disk.mkdirp('/ws/d')
  disk.writeFile('/ws/a', 'one', 0o640)
  disk.writeLink('/ws/l', 'a')
  return { disk, observer: new Observer(disk, '/ws', forgetful) }
}

const later = (disk: SimDisk, ms = 5000): void => disk.setTime(disk.now() + ms)
const reads = (disk: SimDisk): number => disk.faults.trace?.filter(({ kind }) => kind === 'read').length ?? 0

describe('the observer', () => {
  it('sees what is there', async () => {
    const { observer } = setting()
    expect((await observer.observe('a')).state).toEqual({
      kind: 'file',
      hash: hashBytes(Buffer.from('one')),
      size: 3,
      mode: 0o640,
    })
    expect((await observer.observe('d')).state).toEqual({ kind: 'dir', mode: 0o755 })
    expect((await observer.observe('l')).state).toEqual({ kind: 'symlink', target: 'a' })
    expect(await observer.observe('none')).toMatchObject({ state: null, stat: null })
    expect((await observer.observe('a/below')).state).toBeNull()
  })

  it('hashes a file once, when its times tell that it is the same', async () => {
    const { disk, observer } = setting()
    later(disk)
    await observer.observe('a')
    disk.faults.trace = []
    await observer.observe('a')
    expect(reads(disk)).toBe(0)
  })

  it('hashes again when it was changed just before it was looked at', async () => {
    const { disk, observer } = setting()
    await observer.observe('a')
    // The same size, and within the granularity of the clock the same times.
    disk.writeFile('/ws/a', 'two')
    expect((await observer.observe('a')).state).toMatchObject({ hash: hashBytes(Buffer.from('two')) })
  })

  it.each([
    ['content of the same size', (disk: SimDisk) => disk.writeFile('/ws/a', 'two')],
    [
      'another file of that name',
      (disk: SimDisk) => {
        disk.writeFile('/ws/b', 'two')
        disk.rename('/ws/b', '/ws/a')
      },
    ],
    ['longer content', (disk: SimDisk) => disk.writeFile('/ws/a', 'longer')],
  ])('sees %s', async (_, change) => {
    const { disk, observer } = setting()
    later(disk)
    const before = await observer.observe('a')
    later(disk)
    change(disk)
    expect(await observer.unchanged('/ws/a', before)).toBe(false)
    expect((await observer.observe('a')).state).not.toEqual(before.state)
  })

  it('takes a file that was only moved, or touched, for the same', async () => {
    const { disk, observer } = setting()
    later(disk)
    const before = await observer.observe('a')
    disk.rename('/ws/a', '/ws/b')
    expect(await observer.unchanged('/ws/b', before)).toBe(true)
    disk.writeFile('/ws/b', 'one')
    expect(await observer.unchanged('/ws/b', before)).toBe(true)
    expect(await observer.unchanged('/ws/none', before)).toBe(false)
    expect(await observer.unchanged('/ws/d', before)).toBe(false)
  })

  it('hashes every time in legacy mode', async () => {
    const { disk, observer } = setting(true)
    later(disk)
    await observer.observe('a')
    disk.faults.trace = []
    await observer.observe('a')
    expect(reads(disk)).toBeGreaterThan(0)
  })

  it('learns what was moved to a path: enough to replace it, hashed once to be read, and forgets', async () => {
    const { disk, observer } = setting()
    later(disk)
    const stat = disk.lstat('/ws/a')
    if (stat === null) throw new Error('no file')
    observer.learn('a', hashBytes(Buffer.from('one')), stat)
    // Moving a file changes its change time.
    disk.rename('/ws/a', '/ws/z')
    disk.rename('/ws/z', '/ws/a')
    disk.faults.trace = []
    await observer.observe('a', true)
    expect(reads(disk)).toBe(0)
    await observer.observe('a')
    expect(reads(disk)).toBeGreaterThan(0)
    later(disk)
    await observer.observe('a')
    disk.faults.trace = []
    await observer.observe('a')
    expect(reads(disk)).toBe(0)
    observer.forget('a')
    await observer.observe('a')
    expect(reads(disk)).toBeGreaterThan(0)
  })

  it('an edit between the putting of a file and the learning of it, with the times put back, is seen when the file is moved aside', async () => {
    const { disk, observer } = setting()
    const put = disk.lstat('/ws/a')
    if (put === null) throw new Error('no file')
    disk.writeFile('/ws/a', 'two')
    later(disk)
    observer.learn('a', hashBytes(Buffer.from('one')), disk.lstat('/ws/a') ?? put)
    const observed = await observer.observe('a', true)
    expect(await observer.unchanged('/ws/a', observed)).toBe(false)
  })

  it('gives up on a file that is written all the time', async () => {
    const { disk, observer } = setting()
    let i = 0
    disk.faults.before = ({ kind }) => {
      if (kind !== 'read') return
      i += 1
      disk.setTime(disk.now() + 100)
      disk.writeFile('/ws/a', i % 2 === 0 ? 'three' : 'four')
    }
    await expect(observer.observe('a')).rejects.toMatchObject({ name: 'JournalError', code: 'CONFLICT' })
    disk.faults.heal()
    expect(disk.openHandles).toEqual([])
  })

  it('records owners only as the superuser', async () => {
    const disk = SimDisk.create({ superuser: true, uid: 5, gid: 6 })
    disk.mkdirp('/ws')
    disk.writeFile('/ws/a', 'x')
    expect((await new Observer(disk, '/ws').observe('a')).state).toMatchObject({ owner: { uid: 5, gid: 6 } })
  })

  describe('settles', () => {
    const CONTENT = Buffer.from('new')
    const HASH = hashBytes(CONTENT)

    /** A file that was put there and is looked at again five seconds later, after `meanwhile`. */
    function settled(meanwhile: (disk: SimDisk) => void = () => undefined) {
      const { disk, observer } = setting()
      disk.writeFile('/ws/new', CONTENT)
      observer.learn('a', HASH, disk.lstat('/ws/new') as FileStat, true)
      disk.exchange('/ws/new', '/ws/a')
      meanwhile(disk)
      later(disk)
      const handle = disk.open('/ws/a', 'read')
      observer.settle('a', handle)
      disk.close(handle)
      later(disk)
      disk.faults.trace = []
      return { disk, observer }
    }

    it('what was put there, which is not read again after that', async () => {
      const { disk, observer } = settled()
      expect(await observer.observe('a')).toMatchObject({ state: { hash: HASH }, bare: true, trusted: undefined })
      expect(reads(disk)).toBe(0)
    })

    it('nothing that was written to since, though its times do not tell', async () => {
      const { disk, observer } = settled((at) => at.writeFile('/ws/a', 'own'))
      expect((await observer.observe('a')).state).toMatchObject({ hash: hashBytes(Buffer.from('own')) })
      expect(reads(disk)).toBeGreaterThan(0)
    })

    it('nothing that is written to while it is looked at', async () => {
      const { disk, observer } = setting()
      disk.writeFile('/ws/a', CONTENT)
      observer.learn('a', HASH, disk.lstat('/ws/a') as FileStat, true)
      later(disk)
      const handle = disk.open('/ws/a', 'read')
      let looks = 0
      disk.faults.before = ({ kind }) => {
        if (kind === 'stat') looks += 1
        if (kind === 'stat' && looks === 2) disk.writeFile('/ws/a', 'own')
      }
      observer.settle('a', handle)
      disk.faults.heal()
      disk.close(handle)
      expect(looks).toBe(2)
      later(disk)
      expect((await observer.observe('a')).state).toMatchObject({ hash: hashBytes(Buffer.from('own')) })
    })

    it('nothing without attributes that was given some since', async () => {
      const { disk, observer } = settled((at) => {
        const handle = at.open('/ws/a', 'read')
        at.setAttribute(handle, 'user.origin', Buffer.from('here'))
        at.close(handle)
      })
      expect(await observer.observe('a')).toMatchObject({ state: { hash: HASH }, bare: false })
      expect(reads(disk)).toBe(0)
    })

    it('nothing that cannot be read, and says nothing of it', async () => {
      const { disk, observer } = setting()
      observer.learn('a', hashBytes(Buffer.from('one')), disk.lstat('/ws/a') as FileStat, true)
      later(disk)
      const handle = disk.open('/ws/a', 'read')
      disk.faults.before = ({ kind }) => {
        if (kind === 'read') throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
      }
      observer.settle('a', handle)
      disk.faults.heal()
      disk.close(handle)
      expect((await observer.observe('a', true)).trusted).toBeDefined()
    })
  })
})

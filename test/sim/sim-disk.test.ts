import { describe, expect, it } from 'vitest'
import { Random } from './random.ts'
import { SimCrash, SimDisk } from './sim-disk.ts'
import { differences } from './tree.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function put(disk: SimDisk, path: string, text: string, position = 0): number {
  const handle = disk.open(path, disk.exists(path) ? 'write' : 'create', 0o644)
  disk.write(handle, bytes(text), position)
  return handle
}

const codeOf = (action: () => unknown): string => {
  try {
    action()
    return 'ok'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).name
  }
}

/** What many cuts of the same state leave, as a set of descriptions. */
function outcomes(disk: SimDisk, model: 'ordered' | 'any', describeDisk: (left: SimDisk) => string, neither = false) {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 300; seed++) seen.add(describeDisk(disk.crash(model, { seed, neither })))
  return [...seen].sort()
}

const names = (path: string) => (disk: SimDisk) => [...disk.tree(path).keys()].join(' ')

describe('names and files', () => {
  it('keeps an unlinked file while it is open', () => {
    const disk = SimDisk.create()
    const handle = put(disk, '/a', 'hello')
    disk.unlink('/a')
    const target = new Uint8Array(8)
    expect(disk.read(handle, target, 0)).toBe(5)
    expect(disk.stat(handle).nlink).toBe(0)
    disk.close(handle)
    expect(codeOf(() => disk.read(handle, target, 0))).toBe('EBADF')
  })

  it('follows links in the middle of a path, not at its end when opening', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/real/sub')
    disk.writeFile('/real/sub/f', 'x')
    disk.symlink('/real', '/link')
    disk.symlink('sub/f', '/real/rel')
    disk.symlink('loop', '/loop')
    expect(disk.lstat('/link/sub/f')?.size).toBe(1)
    expect(disk.realPath('/link/rel')).toBe('/real/sub/f')
    expect(disk.realPath('/link/sub/../rel')).toBe('/real/sub/f')
    expect(codeOf(() => disk.open('/real/rel', 'read'))).toBe('ELOOP')
    expect(codeOf(() => disk.open('/loop/x', 'read'))).toBe('ELOOP')
    expect(disk.lstat('/loop/x')).toBeNull()
    expect(codeOf(() => disk.open('/real/rel', 'create'))).toBe('EEXIST')
    expect(codeOf(() => disk.open('/real/sub/f/g', 'read'))).toBe('ENOTDIR')
    expect(disk.lstat('/real/sub/f/g')).toBeNull()
    expect(disk.lstat('/real/missing/g')).toBeNull()
  })

  it('renames as POSIX does', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/d/e')
    disk.mkdirp('/empty')
    disk.writeFile('/f', '1')
    disk.writeFile('/g', '2')
    expect(codeOf(() => disk.rename('/d', '/d/e/x'))).toBe('EINVAL')
    expect(codeOf(() => disk.rename('/empty', '/d'))).toBe('ENOTEMPTY')
    expect(codeOf(() => disk.rename('/f', '/d'))).toBe('EISDIR')
    expect(codeOf(() => disk.rename('/d', '/f'))).toBe('ENOTDIR')
    expect(codeOf(() => disk.rename('/none', '/f'))).toBe('ENOENT')
    disk.rename('/f', '/g')
    disk.rename('/d', '/empty')
    expect(names('/')(disk)).toBe('empty empty/e g')
    expect(disk.readText('/g')).toBe('1')
    disk.link('/g', '/h')
    disk.rename('/g', '/h')
    expect(disk.lstat('/g')?.nlink).toBe(2)
  })

  it('exchanges, or says that it cannot', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/d')
    disk.writeFile('/d/a', 'A')
    disk.writeFile('/b', 'B')
    const ino = disk.lstat('/b')?.ino
    disk.exchange('/d/a', '/b')
    expect(disk.readText('/d/a') + disk.readText('/b')).toBe('BA')
    expect(disk.lstat('/d/a')?.ino).toBe(ino)
    expect(codeOf(() => disk.exchange('/b', '/none'))).toBe('ENOENT')
    expect(codeOf(() => disk.exchange('/d', '/d/a'))).toBe('EINVAL')
    expect(codeOf(() => SimDisk.create({ exchange: false }).exchange('/a', '/b'))).toBe('ENOSYS')
    expect(codeOf(() => SimDisk.create({ link: false }).link('/a', '/b'))).toBe('ENOTSUP')
  })

  it('checks permissions unless it is the superuser', () => {
    for (const [superuser, code] of [
      [false, 'EACCES'],
      [true, 'ok'],
    ] as const) {
      const disk = SimDisk.create({ superuser })
      disk.mkdirp('/locked')
      disk.writeFile('/locked/f', 'x', 0o400)
      disk.chmod('/locked', 0o500)
      expect(codeOf(() => disk.open('/locked/new', 'create'))).toBe(code)
      expect(codeOf(() => disk.open('/locked/f', 'write'))).toBe(code)
      expect(codeOf(() => disk.unlink('/locked/f'))).toBe(code)
    }
    expect(codeOf(() => SimDisk.create({ readOnly: true }).makeDirectory('/d', 0o755))).toBe('EROFS')
  })

  it('locks a file for one handle, until that is closed', () => {
    const disk = SimDisk.create()
    const one = put(disk, '/lock', '')
    const two = disk.open('/lock', 'write')
    expect([disk.lock(one), disk.lock(one), disk.lock(two)]).toEqual([true, true, false])
    disk.close(one)
    expect(disk.lock(two)).toBe(true)
    const left = disk.crash('process')
    expect(left.lock(left.open('/lock', 'write'))).toBe(true)
  })

  it('pins a folder, whatever happens to its path', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/d/e')
    disk.mkdirp('/outside')
    disk.writeLink('/link', '/d')
    expect(codeOf(() => disk.anchor('/link/e'))).toBe('ELOOP')
    const anchor = disk.anchor('/d/e')
    disk.rename('/d', '/moved')
    disk.symlink('/outside', '/d')
    disk.close(put(disk, `${anchor.path}/f`, 'x'))
    expect(disk.realPath(anchor.path)).toBe('/moved/e')
    expect(disk.readText('/moved/e/f')).toBe('x')
    disk.unlink('/moved/e/f')
    disk.removeDirectory('/moved/e')
    expect(codeOf(() => disk.open(`${anchor.path}/f`, 'create'))).toBe('ENOENT')
    anchor.release()
    expect(disk.openHandles).toEqual([])
    expect(codeOf(() => disk.readDirectory(anchor.path))).toBe('ENOENT')
  })

  it('folds case where asked to', () => {
    const disk = SimDisk.create({ folding: true })
    disk.writeFile('/Readme', 'x')
    expect(codeOf(() => disk.open('/README', 'create'))).toBe('EEXIST')
    expect(disk.realPath('/readme')).toBe('/Readme')
    disk.rename('/readme', '/README')
    expect(names('/')(disk)).toBe('README')
    expect(disk.lstat('/readme')?.nlink).toBe(1)
  })

  it('has clones, attributes, owners, mounts and a clock that jumps', () => {
    const disk = SimDisk.create({ superuser: true })
    disk.writeFile('/a', 'content', 0o600)
    disk.clone('/a', '/b', 0o640)
    disk.close(put(disk, '/b', 'C'))
    expect(disk.readText('/a') + disk.readText('/b')).toBe('contentContent')
    const handle = disk.open('/b', 'write')
    disk.setAttribute(handle, 'user.x', bytes('1'))
    disk.chown(handle, 7, 8)
    expect(disk.attributes(handle)).toEqual([['user.x', bytes('1')]])
    expect(disk.stat(handle)).toMatchObject({ uid: 7, gid: 8, mode: 0o640, size: 7 })
    disk.mount('/mnt')
    expect(codeOf(() => disk.rename('/b', '/mnt/b'))).toBe('EXDEV')
    expect(codeOf(() => disk.link('/b', '/mnt/b'))).toBe('EXDEV')
    disk.setTime(5)
    disk.close(put(disk, '/a', 'x'))
    expect(disk.now()).toBe(5)
    expect(disk.lstat('/a')?.mtimeNs).toBe(4_000_000n)
  })
})

describe('a power cut', () => {
  it('keeps what was synced', async () => {
    const disk = SimDisk.create()
    const handle = put(disk, '/a', 'hello')
    await disk.sync(handle)
    await disk.syncDirectory('/')
    for (const model of ['ordered', 'any'] as const)
      expect(outcomes(disk, model, (left) => left.readText('/a'))).toEqual(['hello'])
    expect(disk.crash('any').bootId).not.toBe(disk.bootId)
    expect(disk.crash('process').bootId).toBe(disk.bootId)
  })

  it('may lose the name of a synced file, unless metadata is ordered', async () => {
    const disk = SimDisk.create()
    await disk.sync(put(disk, '/a', 'x'))
    expect(outcomes(disk, 'any', names('/'))).toEqual(['', 'a'])
    expect(outcomes(disk, 'ordered', names('/'))).toEqual(['a'])
  })

  it('keeps a prefix of the changes of names, or any of them', () => {
    const disk = SimDisk.create()
    for (const name of ['a', 'b', 'c']) disk.makeDirectory(`/${name}`, 0o755)
    expect(outcomes(disk, 'ordered', names('/'))).toEqual(['', 'a', 'a b', 'a b c'])
    expect(outcomes(disk, 'any', names('/'))).toHaveLength(8)
  })

  it('loses what is in a folder whose own name was not synced', async () => {
    const disk = SimDisk.create()
    disk.makeDirectory('/d', 0o755)
    disk.makeDirectory('/d/e', 0o755)
    await disk.syncDirectory('/d')
    expect(outcomes(disk, 'any', names('/'))).toEqual(['', 'd d/e'])
    expect(outcomes(disk, 'ordered', names('/'))).toEqual(['d d/e'])
  })

  it('tears unsynced data by sector, with sizes old or new', async () => {
    const disk = SimDisk.create()
    disk.writeFile('/f', 'o'.repeat(1024))
    put(disk, '/f', 'n'.repeat(1536))
    const seen = outcomes(disk, 'any', (left) => {
      const text = left.readText('/f')
      return `${text.length}:${[0, 512, 1024].map((at) => text[at] ?? '').join('')}`
    })
    const sectors = ['oo', 'on', 'no', 'nn']
    const expected = [...sectors.map((s) => `1024:${s}`), ...sectors.flatMap((s) => [`1536:${s}n`, `1536:${s}\0`])]
    expect(seen).toEqual(expected.sort())
  })

  it('takes a rename within a folder whole, and from folder to folder old, new, or both', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/x')
    disk.mkdirp('/y')
    disk.writeFile('/x/a', '1')
    const within = disk.copy()
    within.rename('/x/a', '/x/b')
    expect(outcomes(within, 'any', names('/x'))).toEqual(['a', 'b'])
    disk.rename('/x/a', '/y/b')
    const both = (left: SimDisk) => `${names('/x')(left)}|${names('/y')(left)}`
    expect(outcomes(disk, 'any', both)).toEqual(['a|', 'a|b', '|b'])
    expect(outcomes(disk, 'any', both, true)).toEqual(['a|', 'a|b', '|', '|b'])
    expect(outcomes(disk, 'ordered', both)).toEqual(['a|', '|b'])
  })

  it('keeps the new name when the old one is durably gone', async () => {
    const disk = SimDisk.create()
    disk.mkdirp('/x')
    disk.writeFile('/x/a', '1')
    disk.rename('/x/a', '/b')
    await disk.syncDirectory('/x')
    expect(outcomes(disk, 'any', names('/'))).toEqual(['b x'])
  })

  it('takes each side of an exchange by itself', () => {
    const disk = SimDisk.create()
    disk.mkdirp('/d')
    disk.writeFile('/d/a', 'A')
    disk.writeFile('/b', 'B')
    disk.exchange('/d/a', '/b')
    const read = (left: SimDisk) => left.readText('/d/a') + left.readText('/b')
    expect(outcomes(disk, 'any', read)).toEqual(['AA', 'AB', 'BA', 'BB'])
    expect(outcomes(disk, 'ordered', read)).toEqual(['AB', 'BA'])
    expect(disk.crash('process').readText('/b')).toBe('A')
  })

  it('has a mode that is old or new until it is synced', async () => {
    const disk = SimDisk.create()
    disk.writeFile('/f', 'x', 0o644)
    disk.chmod('/f', 0o755)
    const mode = (left: SimDisk) => String(left.lstat('/f')?.mode)
    expect(outcomes(disk, 'any', mode)).toHaveLength(2)
    await disk.sync(disk.open('/f', 'read'))
    expect(outcomes(disk, 'any', mode)).toEqual([String(0o755)])
  })

  it('does not make durable what was written after the call of sync', async () => {
    const disk = SimDisk.create()
    disk.writeFile('/f', '')
    const handle = put(disk, '/f', 'a')
    const synced = disk.sync(handle)
    disk.write(handle, bytes('b'), 1)
    expect(outcomes(disk, 'any', (left) => left.readText('/f'))).toContain('')
    await synced
    expect(outcomes(disk, 'any', (left) => left.readText('/f'))).toEqual(['a', 'a\0', 'ab'])
  })

  it('loses data that a failed sync dropped, whatever is synced later', async () => {
    const disk = SimDisk.create()
    disk.writeFile('/f', '.'.repeat(1024))
    const handle = put(disk, '/f', 'a')
    disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    await expect(disk.sync(handle)).rejects.toMatchObject({ code: 'EIO' })
    const ends = (left: SimDisk) => `${left.readText('/f')[0]}${left.readText('/f')[512]}`
    expect(ends(disk)).toBe('a.')
    disk.write(handle, bytes('b'), 512)
    await disk.sync(handle)
    expect(outcomes(disk, 'any', ends)).toEqual(['.b', 'ab'])
    // In the same sector it goes along.
    disk.write(handle, bytes('c'), 1)
    await disk.sync(handle)
    expect(outcomes(disk, 'any', ends)).toEqual(['ab'])
  })

  it('survives a second cut, and is the same under the same seed', () => {
    const disk = SimDisk.create({ seed: 5 })
    disk.mkdirp('/d')
    for (let i = 0; i < 20; i++) disk.close(put(disk, `/d/${i}`, `content ${i}`))
    const left = disk.crash('any', { seed: 9 })
    expect(left.tree('/')).toEqual(disk.crash('any', { seed: 9 }).tree('/'))
    expect(left.crash('any', { seed: 10 }).tree('/')).toEqual(left.tree('/'))
    expect(disk.tree('/').size).toBe(21)
  })
})

describe('faults', () => {
  it('stops at the planned operation, and for good', async () => {
    const disk = SimDisk.create({ seed: 3 })
    const handle = put(disk, '/f', 'x')
    disk.faults.crashAt(2)
    const synced = disk.sync(handle)
    expect(codeOf(() => disk.write(handle, bytes('0123456789'), 0))).toBe('SimCrash')
    await expect(synced).rejects.toBeInstanceOf(SimCrash)
    expect(codeOf(() => disk.lstat('/f'))).toBe('SimCrash')
    await expect(disk.syncDirectory('/')).rejects.toBeInstanceOf(SimCrash)
    expect(disk.crash('process').readText('/f')).toMatch(
      /^(x|0|01|012|0123|01234|012345|0123456|01234567|012345678|0123456789)$/,
    )
  })

  it('counts only changes where asked to', () => {
    const disk = SimDisk.create()
    disk.faults.crashAtChange(2)
    for (let i = 0; i < 5; i++) disk.lstat('/f')
    disk.makeDirectory('/a', 0o755)
    disk.lstat('/f')
    expect(codeOf(() => disk.makeDirectory('/b', 0o755))).toBe('SimCrash')
    expect(disk.crash('process').exists('/b')).toBe(false)
  })

  it('fails once, or from then on every change', () => {
    const disk = SimDisk.create()
    disk.faults.failAt(1, 'EACCES')
    expect(codeOf(() => disk.lstat('/'))).toBe('EACCES')
    expect(codeOf(() => disk.lstat('/'))).toBe('ok')
    disk.faults.failAt(1, 'ENOSPC', { persistent: true })
    const made = () => codeOf(() => disk.makeDirectory('/a', 0o755))
    expect([made(), made(), codeOf(() => disk.lstat('/'))]).toEqual(['ENOSPC', 'ENOSPC', 'ok'])
    disk.faults.heal()
    expect(made()).toBe('ok')
  })

  it('calls the hook, keeps the trace', () => {
    const disk = SimDisk.create()
    disk.faults.trace = []
    disk.faults.before = ({ kind }) => {
      if (kind === 'unlink') throw Object.assign(new Error('no'), { code: 'EPERM' })
    }
    disk.close(put(disk, '/a', 'abc'))
    expect(codeOf(() => disk.unlink('/a'))).toBe('EPERM')
    expect(disk.faults.trace).toEqual([
      { index: 1, kind: 'create', path: '/a' },
      { index: 2, kind: 'write', path: '/a', bytes: 3 },
      { index: 3, kind: 'close', path: '/a' },
      { index: 4, kind: 'unlink', path: '/a' },
    ])
  })

  it('runs full: a part first, then ENOSPC, and room again after a removal', () => {
    const disk = SimDisk.create({ capacity: 100 })
    const handle = put(disk, '/f', 'x'.repeat(60))
    expect(disk.write(handle, new Uint8Array(60), 60)).toBe(40)
    expect(codeOf(() => disk.write(handle, new Uint8Array(1), 100))).toBe('ENOSPC')
    expect(disk.write(handle, new Uint8Array(100), 0)).toBe(100)
    expect(disk.freeSpace('/')).toBe(0)
    expect(codeOf(() => disk.clone('/f', '/g', 0o644))).toBe('ENOSPC')
    expect(disk.copy().freeSpace('/')).toBe(0)
    disk.unlink('/f')
    expect(disk.freeSpace('/')).toBe(0)
    disk.close(handle)
    expect(disk.freeSpace('/')).toBe(100)
  })

  it('writes and reads less than asked, and runs out of handles', () => {
    const disk = SimDisk.create({ shortWrites: 1, shortReads: 1, maxHandles: 1 })
    const handle = disk.open('/f', 'create')
    const done = disk.write(handle, new Uint8Array(100), 0)
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(100)
    expect(codeOf(() => disk.open('/f', 'read'))).toBe('EMFILE')
    expect(disk.openHandles).toEqual(['/f'])
  })

  it('holds a sync back as long as the gate is shut', async () => {
    const disk = SimDisk.create()
    const handle = put(disk, '/f', 'x')
    let open = () => {}
    disk.syncGate = () =>
      new Promise((resolve) => {
        open = resolve
      })
    let done = false
    const synced = disk.sync(handle).then(() => {
      done = true
    })
    await new Promise(setImmediate)
    expect(done).toBe(false)
    open()
    await synced
    expect(outcomes(disk, 'ordered', names('/'))).toEqual(['f'])
  })
})

describe('any sequence of operations', () => {
  const names = ['/a', '/b', '/d', '/d/a', '/d/b', '/e', '/e/a']
  const pick = (random: Random) => names[random.below(names.length)] as string
  const steps: ((disk: SimDisk, random: Random) => unknown)[] = [
    (disk, random) => disk.makeDirectory(pick(random), 0o755),
    (disk, random) => disk.rename(pick(random), pick(random)),
    (disk, random) => disk.exchange(pick(random), pick(random)),
    (disk, random) => disk.link(pick(random), pick(random)),
    (disk, random) => disk.unlink(pick(random)),
    (disk, random) => disk.removeDirectory(pick(random)),
    (disk, random) => disk.clone(pick(random), pick(random), 0o600),
    (disk, random) => disk.close(put(disk, pick(random), 'x'.repeat(random.below(2000)), random.below(2000))),
    (disk, random) => {
      const handle = disk.open(pick(random), 'write')
      disk.truncate(handle, random.below(2000))
      disk.close(handle)
    },
  ]

  it('leaves what was synced, and accounts for every byte', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed)
      const disk = SimDisk.create({ seed })
      const run = (count: number) => {
        for (let i = 0; i < count; i++)
          codeOf(() => (steps[random.below(steps.length)] as (typeof steps)[0])(disk, random))
      }
      run(30)
      const before = disk.tree('/')
      for (const [path, node] of before) {
        if (node.kind === 'dir') await disk.syncDirectory(`/${path}`)
        else await disk.sync(disk.open(`/${path}`, 'read'))
      }
      await disk.syncDirectory('/')
      for (const model of ['process', 'ordered', 'any'] as const) {
        const left = disk.crash(model)
        expect(differences(before, left.tree('/'))).toEqual([])
        expect(left.freeSpace('/')).toBe(disk.freeSpace('/'))
      }
      run(30)
      const later = disk.tree('/')
      expect(differences(later, disk.crash('process').tree('/'))).toEqual([])
      expect(differences(later, disk.copy().tree('/'))).toEqual([])
      for (const model of ['ordered', 'any'] as const) {
        const left = disk.crash(model)
        expect(left.crash('any').tree('/')).toEqual(left.tree('/'))
      }
      expect(differences(later, disk.tree('/'))).toEqual([])
      disk.settle()
      expect(differences(later, disk.crash('any').tree('/'))).toEqual([])
    }
  })
})

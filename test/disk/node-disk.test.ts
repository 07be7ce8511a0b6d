import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readBootId } from '../../src/disk/boot-id.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { codeOf } from '../thrown.ts'

const disk = new NodeDisk()
const POSIX = process.platform !== 'win32'
let root = ''

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'node-disk-')))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe("Node's file system as a disk", () => {
  it.runIf(POSIX)('makes nothing when the permissions of what it makes cannot be set', () => {
    const refuse = () => {
      throw Object.assign(new Error('EIO: as the test wants it'), { code: 'EIO' })
    }
    fs.writeFileSync(`${root}/source`, 'x')
    const spies = [vi.spyOn(fs, 'chmodSync'), vi.spyOn(fs, 'fchmodSync')].map((spy) => spy.mockImplementation(refuse))
    const umask = process.umask(0o077)
    try {
      expect(codeOf(() => disk.makeDirectory(`${root}/folder`, 0o755))).toBe('EIO')
      expect(codeOf(() => disk.open(`${root}/file`, 'create', 0o644))).toBe('EIO')
      expect(codeOf(() => disk.clone(`${root}/source`, `${root}/clone`, 0o644))).toBe('EIO')
    } finally {
      process.umask(umask)
      for (const spy of spies) spy.mockRestore()
    }
    expect(fs.readdirSync(root)).toEqual(['source'])
  })

  it('creates exclusively, reads and writes at positions', () => {
    const handle = disk.open(`${root}/a`, 'create', 0o600)
    expect(disk.write(handle, Buffer.from('hello'), 3)).toBe(5)
    const target = new Uint8Array(20)
    expect(disk.read(handle, target, 0)).toBe(8)
    expect(Buffer.from(target.subarray(0, 8)).toString()).toBe('\0\0\0hello')
    expect(disk.read(handle, target, 8)).toBe(0)
    disk.truncate(handle, 4)
    expect(disk.stat(handle)).toMatchObject({ kind: 'file', size: 4, nlink: 1 })
    disk.close(handle)
    expect(codeOf(() => disk.open(`${root}/a`, 'create'))).toBe('EEXIST')
    expect(codeOf(() => disk.open(`${root}/none`, 'read'))).toBe('ENOENT')
  })

  it.runIf(POSIX)('gives exactly the mode asked for, whatever the umask', () => {
    const umask = process.umask(0o077)
    try {
      disk.close(disk.open(`${root}/exact`, 'create', 0o664))
      disk.close(disk.open(`${root}/masked`, 'create', 0o664, true))
      disk.makeDirectory(`${root}/d`, 0o775)
      disk.makeDirectory(`${root}/e`, 0o775, true)
    } finally {
      process.umask(umask)
    }
    const modes = ['exact', 'masked', 'd', 'e'].map((name) => disk.lstat(`${root}/${name}`)?.mode)
    expect(modes).toEqual([0o664, 0o600, 0o775, 0o700])
  })

  it.runIf(POSIX)('never follows a symbolic link at the last name', () => {
    fs.writeFileSync(`${root}/target`, 'x', { mode: 0o600 })
    disk.symlink('target', `${root}/link`)
    expect(disk.readLink(`${root}/link`)).toBe('target')
    expect(disk.lstat(`${root}/link`)?.kind).toBe('symlink')
    for (const how of ['read', 'write'] as const) expect(codeOf(() => disk.open(`${root}/link`, how))).toBe('ELOOP')
    expect(codeOf(() => disk.chmod(`${root}/link`, 0o777))).toBe('ELOOP')
    expect(disk.lstat(`${root}/target`)?.mode).toBe(0o600)
    disk.symlink('round', `${root}/round`)
    expect(disk.lstat(`${root}/round/below`)).toBeNull()
    disk.unlink(`${root}/link`)
    expect(fs.existsSync(`${root}/target`)).toBe(true)
  })

  it('finds nothing where nothing is, and below a file', () => {
    fs.writeFileSync(`${root}/a`, 'x')
    expect(disk.lstat(`${root}/none`)).toBeNull()
    expect(disk.lstat(`${root}/a/b`)).toBeNull()
    expect(disk.lstat(`${root}/none/b`)).toBeNull()
  })

  it('lists names in the order of their code units', () => {
    for (const name of ['b', 'a', 'é', 'Z', '10', '9']) fs.writeFileSync(`${root}/${name}`, '')
    fs.mkdirSync(`${root}/d`)
    expect(disk.readDirectory(root).map(({ name }) => name)).toEqual(['10', '9', 'Z', 'a', 'b', 'd', 'é'])
    expect(disk.readDirectory(root).find(({ name }) => name === 'd')?.kind).toBe('dir')
  })

  it('moves, links, swaps and copies', () => {
    fs.writeFileSync(`${root}/a`, 'a')
    fs.writeFileSync(`${root}/b`, 'b')
    disk.link(`${root}/a`, `${root}/c`)
    expect(disk.lstat(`${root}/a`)?.nlink).toBe(2)
    expect(codeOf(() => disk.link(`${root}/a`, `${root}/b`))).toBe('EEXIST')
    const swapped = codeOf(() => disk.exchange(`${root}/a`, `${root}/b`))
    if (swapped === 'ok') expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('b')
    else expect(['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP']).toContain(swapped)
    disk.clone(`${root}/c`, `${root}/copy`, 0o640)
    expect(fs.readFileSync(`${root}/copy`, 'utf8')).toBe('a')
    expect(codeOf(() => disk.clone(`${root}/c`, `${root}/copy`, 0o640))).toBe('EEXIST')
    disk.rename(`${root}/copy`, `${root}/c`)
    expect(disk.lstat(`${root}/copy`)).toBeNull()
    fs.mkdirSync(`${root}/d`)
    fs.writeFileSync(`${root}/d/x`, '')
    expect(['ENOTEMPTY', 'EEXIST']).toContain(codeOf(() => disk.removeDirectory(`${root}/d`)))
  })

  it('locks a file for one handle only, until that is closed', () => {
    fs.writeFileSync(`${root}/lock`, '')
    const one = disk.open(`${root}/lock`, 'write')
    const two = disk.open(`${root}/lock`, 'write')
    expect(disk.lock(one)).toBe(true)
    expect(disk.lock(two)).toBe(false)
    disk.close(one)
    expect(disk.lock(two)).toBe(true)
    disk.close(two)
  })

  it.runIf(POSIX)('pins a folder', () => {
    fs.mkdirSync(`${root}/d`)
    fs.mkdirSync(`${root}/away`)
    const anchor = disk.anchor(`${root}/d`)
    fs.writeFileSync(`${anchor.path}/inside`, 'x')
    if (process.platform === 'linux') {
      fs.renameSync(`${root}/d`, `${root}/moved`)
      fs.symlinkSync('away', `${root}/d`)
      disk.close(disk.open(`${anchor.path}/later`, 'create', 0o600))
      expect(fs.readdirSync(`${root}/moved`)).toEqual(['inside', 'later'])
      expect(fs.readdirSync(`${root}/away`)).toEqual([])
      expect(codeOf(() => disk.anchor(`${root}/d`))).toBe('ELOOP')
      fs.mkdirSync(`${root}/away/sub`)
      expect(codeOf(() => disk.anchor(`${root}/d/sub`))).toBe('ELOOP')
    }
    anchor.release()
    expect(codeOf(() => disk.anchor(`${root}/none`))).toBe('ENOENT')
  })

  it('makes things durable, as far as one can see', async () => {
    const handle = disk.open(`${root}/a`, 'create')
    disk.write(handle, Buffer.from('x'), 0)
    await disk.sync(handle)
    await disk.sync(handle, true)
    disk.close(handle)
    await disk.syncDirectory(root)
    await expect(disk.sync(handle)).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('knows the machine', () => {
    expect(disk.bootId).toBe(readBootId())
    expect(disk.bootId).not.toBe('')
    expect(disk.freeSpace(root)).toBeGreaterThan(0)
    expect(Math.abs(disk.now() - Date.now())).toBeLessThan(1000)
    expect(disk.superuser).toBe(process.geteuid?.() === 0)
  })
})

describe.skipIf(process.platform === 'win32')('a name that somebody turns into a symbolic link meanwhile', () => {
  const home = () => fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'swapped-')))

  /** The permissions of a new folder were set by name, a moment after it was made. */
  it('a new folder: its permissions do not go to what the link leads to', () => {
    const base = home()
    fs.mkdirSync(`${base}/outside`, { mode: 0o700 })
    const real = fs.mkdirSync
    const spy = vi.spyOn(fs, 'mkdirSync').mockImplementation(((name: string, options: object) => {
      real(name, options)
      fs.rmdirSync(name)
      fs.symlinkSync(`${base}/outside`, name)
    }) as never)
    try {
      expect(() => new NodeDisk().makeDirectory(`${base}/new`, 0o777)).toThrow(/ELOOP|ENOTDIR/)
    } finally {
      spy.mockRestore()
    }
    expect(fs.statSync(`${base}/outside`).mode & 0o777).toBe(0o700)
    fs.rmSync(base, { recursive: true })
  })

  it('a pipe in place of a file keeps nobody waiting', () => {
    const base = home()
    execFileSync('mkfifo', [`${base}/pipe`])
    const disk = new NodeDisk()
    disk.close(disk.open(`${base}/pipe`, 'read'))
    fs.rmSync(base, { recursive: true })
  })
})

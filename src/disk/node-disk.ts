import fs from 'node:fs'
import { createRequire, Module } from 'node:module'
import { readBootId } from './boot-id.ts'
import type { Anchor, DirectoryEntry, Disk, FileHandle, FileKind, FileStat } from './disk.ts'

const require = createRequire(import.meta.url)

interface Native {
  tryLock(fd: number): boolean
  swapSync(a: string, b: string): void
  listAttrsSync(fd: number): string[]
  getAttrSync(fd: number, name: string): Uint8Array | null
  setAttrSync(fd: number, name: string, value: Uint8Array): void
}

let loaded: Native | undefined
/** Loaded on first use: a reader of a history needs none of it. */
function native(): Native {
  loaded ??= loadNative()
  return loaded
}

/** The package takes three times as long when it searches for the file of this platform: where it lies as it is published, it is handed over (docs/performance.md). */
function loadNative(): Native {
  try {
    const id = require.resolve('fs-native-extensions/binding.js')
    const { platform, arch } = process
    const exports: unknown = require(`fs-native-extensions/prebuilds/${platform}-${arch}/fs-native-extensions.node`)
    require.cache[id] ??= Object.assign(new Module(id), { exports, filename: id, loaded: true })
  } catch {
    // Then the package finds it, or says why not.
  }
  return require('fs-native-extensions') as Native
}

const NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0
const NONBLOCK = fs.constants.O_NONBLOCK ?? 0
/** Linux: a file is only named, not opened. */
const O_PATH = 0o10000000
const FLAGS = {
  // A pipe that stands where a file was must not make anybody wait for its writer.
  read: fs.constants.O_RDONLY | NOFOLLOW | NONBLOCK,
  write: fs.constants.O_RDWR | NOFOLLOW,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NOFOLLOW,
} as const

const WINDOWS = process.platform === 'win32'
const LINUX = process.platform === 'linux' && fs.existsSync('/proc/self/fd')
const PERMISSIONS = 0o7777
/** Errors with which Windows answers while a scanner or an editor has the file open: a short wait helps. */
const BUSY = new Set(['EPERM', 'EBUSY', 'EACCES'])
const BUSY_DELAYS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 400]

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): FileKind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'dir'
  return entry.isSymbolicLink() ? 'symlink' : 'other'
}

function statOf(stat: fs.BigIntStats): FileStat {
  return {
    kind: kindOf(stat),
    size: Number(stat.size),
    mode: Number(stat.mode) & PERMISSIONS,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    ino: stat.ino,
    dev: stat.dev,
    nlink: Number(stat.nlink),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
  }
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Opens a folder that is no symbolic link; for a link the kernel says `ENOTDIR`, and it must not be taken for a missing folder. */
function openFolder(path: string): FileHandle {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
    throw systemError('ELOOP', `${path} is no folder any more`)
  }
}

/** Not through a symbolic link, for a file that may not be opened. */
function chmodUnreadable(path: string, mode: number): void {
  if (!LINUX) {
    if (fs.lstatSync(path).isSymbolicLink()) throw systemError('ELOOP', `${path} is a symbolic link`)
    fs.chmodSync(path, mode)
    return
  }
  const handle = fs.openSync(path, O_PATH | NOFOLLOW)
  try {
    if (fs.fstatSync(handle).isSymbolicLink()) throw systemError('ELOOP', `${path} is a symbolic link`)
    fs.chmodSync(`/proc/self/fd/${handle}`, mode)
  } finally {
    fs.closeSync(handle)
  }
}

function patiently(action: () => void): void {
  for (const delay of WINDOWS ? BUSY_DELAYS_MS : []) {
    try {
      action()
      return
    } catch (error) {
      if (!BUSY.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      pause(delay)
    }
  }
  action()
}

/** The last step of making something: when it fails, what was made goes again, as if nothing had been begun. */
function orUndone(step: () => void, undo: () => void): void {
  try {
    step()
  } catch (error) {
    try {
      undo()
    } catch {
      // The first failure says more.
    }
    throw error
  }
}

/** Node's file system. */
export class NodeDisk implements Disk {
  readonly superuser = process.geteuid?.() === 0
  #bootId: string | undefined

  get bootId(): string {
    this.#bootId ??= readBootId()
    return this.#bootId
  }

  open(path: string, how: 'read' | 'write' | 'create', mode = 0o600, umask = false): FileHandle {
    const handle = fs.openSync(path, FLAGS[how], mode)
    // The process umask, or a default access list, may have taken bits away; nobody can see the file by its final name yet.
    if (how === 'create' && !umask && !WINDOWS && (mode & process.umask()) !== 0) {
      orUndone(
        () => fs.fchmodSync(handle, mode),
        () => {
          fs.closeSync(handle)
          fs.unlinkSync(path)
        },
      )
    }
    return handle
  }

  read(handle: FileHandle, target: Uint8Array, position: number): number {
    return fs.readSync(handle, target, 0, target.byteLength, position)
  }

  write(handle: FileHandle, source: Uint8Array, position: number): number {
    return fs.writeSync(handle, source, 0, source.byteLength, position)
  }

  truncate(handle: FileHandle, size: number): void {
    fs.ftruncateSync(handle, size)
  }

  stat(handle: FileHandle): FileStat {
    return statOf(fs.fstatSync(handle, { bigint: true }))
  }

  chown(handle: FileHandle, uid: number, gid: number): void {
    fs.fchownSync(handle, uid, gid)
  }

  attributes(handle: FileHandle): readonly (readonly [string, Uint8Array])[] {
    if (WINDOWS) return []
    try {
      const names = native().listAttrsSync(handle)
      if (names.length === 0) return []
      return names.flatMap((name) => {
        const value = native().getAttrSync(handle, name)
        return value === null ? [] : [[name, value] as const]
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return []
      throw error
    }
  }

  setAttribute(handle: FileHandle, name: string, value: Uint8Array): void {
    native().setAttrSync(handle, name, value)
  }

  close(handle: FileHandle): void {
    fs.closeSync(handle)
  }

  sync(handle: FileHandle, all = false): Promise<void> {
    return new Promise((resolve, reject) => {
      const synchronize = all ? fs.fsync : fs.fdatasync
      synchronize(handle, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  syncNow(handle: FileHandle): void {
    fs.fdatasyncSync(handle)
  }

  lock(handle: FileHandle): boolean {
    return native().tryLock(handle)
  }

  lstat(path: string): FileStat | null {
    try {
      const stat = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
      return stat === undefined ? null : statOf(stat)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null
      throw error
    }
  }

  readDirectory(path: string): readonly DirectoryEntry[] {
    return fs
      .readdirSync(path, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  makeDirectory(path: string, mode: number, umask = false): void {
    fs.mkdirSync(path, { mode })
    if (umask || WINDOWS) return
    orUndone(
      () => {
        const made = this.lstat(path)
        // The umask or the folder above had a say. By now the name may be a symbolic link that somebody put there: it is not followed.
        if (made?.kind !== 'dir' || made.mode !== mode) this.chmod(path, mode)
      },
      () => fs.rmdirSync(path),
    )
  }

  removeDirectory(path: string): void {
    patiently(() => fs.rmdirSync(path))
  }

  rename(from: string, to: string): void {
    patiently(() => fs.renameSync(from, to))
  }

  exchange(a: string, b: string): void {
    // On Windows the package swaps in three steps, with a gap in between.
    if (WINDOWS) throw systemError('ENOSYS', 'no atomic exchange on this platform')
    native().swapSync(a, b)
  }

  link(from: string, to: string): void {
    fs.linkSync(from, to)
  }

  unlink(path: string): void {
    patiently(() => fs.unlinkSync(path))
  }

  watch(folder: string, changed: () => void): () => void {
    try {
      const watcher = fs.watch(folder, { persistent: false }, changed)
      // Too many watches, or the folder is gone: whoever watches looks every so often anyway.
      watcher.on('error', () => watcher.close())
      return () => watcher.close()
    } catch {
      return () => {}
    }
  }

  discard(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.unlink(path, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  symlink(target: string, path: string): void {
    fs.symlinkSync(target, path)
  }

  readLink(path: string): string {
    return fs.readlinkSync(path)
  }

  chmod(path: string, mode: number): void {
    let handle: FileHandle
    try {
      handle = fs.openSync(path, FLAGS.read)
    } catch (error) {
      // Its own owner may change the permissions of what even he cannot read.
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
      chmodUnreadable(path, mode)
      return
    }
    try {
      fs.fchmodSync(handle, mode)
    } finally {
      fs.closeSync(handle)
    }
  }

  clone(from: string, to: string, mode: number): void {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
    orUndone(
      () => this.chmod(to, mode),
      () => fs.unlinkSync(to),
    )
  }

  async syncDirectory(path: string): Promise<void> {
    // A folder cannot be opened there, and NTFS journals its names.
    if (WINDOWS) return
    const handle = fs.openSync(path, fs.constants.O_RDONLY)
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(handle, (error) => (error === null ? resolve() : reject(error)))
      })
    } finally {
      fs.closeSync(handle)
    }
  }

  realPath(path: string): string {
    return fs.realpathSync.native(path)
  }

  anchor(path: string): Anchor {
    if (!LINUX) {
      if (this.realPath(path) !== path) throw systemError('ELOOP', `a symbolic link stands in ${path}`)
      const isCurrent = (): boolean => {
        try {
          return this.realPath(path) === path
        } catch {
          return false
        }
      }
      return { path, isCurrent, release: () => undefined }
    }
    const handle = openFolder(path)
    const pinned = `/proc/self/fd/${handle}`
    try {
      if (fs.readlinkSync(pinned) !== path) throw systemError('ELOOP', `a symbolic link stands in ${path}`)
    } catch (error) {
      fs.closeSync(handle)
      throw error
    }
    // The kernel names a folder by where it stands now.
    return { path: pinned, isCurrent: () => fs.readlinkSync(pinned) === path, release: () => fs.closeSync(handle) }
  }

  freeSpace(path: string): number {
    const stat = fs.statfsSync(path)
    return (this.superuser ? stat.bfree : stat.bavail) * stat.bsize
  }

  now(): number {
    return Date.now()
  }
}

import type { Anchor, DirectoryEntry, Disk, FileHandle, FileStat } from '../../src/disk/disk.ts'
import { SimCrash } from './faults.ts'
import { Inode } from './inode.ts'
import { PIN, READ, WRITE, within } from './namespace.ts'
import type { SimOptions } from './sim-options.ts'
import { defaults } from './sim-options.ts'
import { systemError } from './system-error.ts'
import { Volume } from './volume.ts'

export type { PowerCut, PowerCutOptions } from './crash.ts'
export type { Operation, OperationKind } from './faults.ts'
export { SimCrash } from './faults.ts'
export type { SimOptions } from './sim-options.ts'
export type { Tree, TreeNode } from './tree.ts'

/**
 * A disk in memory that knows what of its state would survive a power cut. Deterministic under its seed. POSIX semantics;
 * the engine runs on it through `Disk`; a test reaches around with the methods of Volume, which count as no operation.
 */
export class SimDisk extends Volume<SimDisk> implements Disk {
  static create(options: Partial<SimOptions> = {}): SimDisk {
    const all = { ...defaults, ...options }
    const meta = { mode: 0o755, uid: all.uid, gid: all.gid, attributes: null }
    const root = new Inode(2, 1, 'dir', meta, all.time * 1000, 0)
    root.parent = root
    root.names = 1
    return new SimDisk(all, root, { boot: 1, inode: 3, seq: 0, through: 0, timeUs: all.time * 1000 })
  }

  get superuser(): boolean {
    return this.options.superuser
  }

  get host(): string {
    return 'sim'
  }

  open(path: string, how: 'read' | 'write' | 'create', mode = 0o600, umask = false): FileHandle {
    this.enter(how === 'create' ? 'create' : 'open', path)
    if (this.handles.size >= this.options.maxHandles) throw systemError('EMFILE', 'open', path)
    const place = this.space.find(path, 'open')
    let { inode } = place
    if (how === 'create') {
      this.mustBeFree(place, 'open', path)
      inode = this.make('file', place.folder, umask ? mode & ~this.options.umask : mode)
      this.change(place.folder, [this.space.set(place.folder, place.name, inode)])
    } else {
      if (inode === null) throw systemError('ENOENT', 'open', path)
      if (inode.kind === 'symlink') throw systemError('ELOOP', 'open', path)
      if (inode.kind === 'dir' && how === 'write') throw systemError('EISDIR', 'open', path)
      if (!this.space.may(inode, how === 'write' ? READ | WRITE : READ)) throw systemError('EACCES', 'open', path)
      if (how === 'write') this.mustBeWritable('open', path)
    }
    inode.opens++
    this.handles.set(this.nextHandle, { inode, path, writable: how !== 'read' })
    return this.nextHandle++
  }

  read(handle: FileHandle, target: Uint8Array, position: number): number {
    const { inode, path } = this.opened(handle, 'read')
    this.enter('read', path, target.length)
    if (inode.kind === 'dir') throw systemError('EISDIR', 'read', path)
    return inode.read(target, position, this.fewer(target.length, this.options.shortReads))
  }

  write(handle: FileHandle, source: Uint8Array, position: number): number {
    const { inode, path, writable } = this.opened(handle, 'write')
    const running = !this.faults.crashed
    try {
      this.enter('write', path, source.length)
    } catch (error) {
      if (running && error instanceof SimCrash && writable)
        this.store(inode, source.subarray(0, this.random.below(source.length + 1)), position)
      throw error
    }
    if (!writable) throw systemError('EBADF', 'write', path)
    if (this.halfway !== null && source.length > 1) {
      const half = this.copy()
      half.store(
        half.opened(handle, 'write').inode,
        source.subarray(0, 1 + this.random.below(source.length - 1)),
        position,
      )
      this.halfway(half)
    }
    if (this.astray !== null) {
      const elsewhere = this.astray(path, position, source.length)
      if (elsewhere !== null) this.store(inode, source, elsewhere)
      return source.length
    }
    const length = this.fewer(source.length, this.options.shortWrites)
    const done = this.store(inode, source.subarray(0, length), position)
    if (done === 0 && length > 0) throw systemError('ENOSPC', 'write', path)
    return done
  }

  truncate(handle: FileHandle, size: number): void {
    const { inode, path, writable } = this.opened(handle, 'ftruncate')
    this.enter('truncate', path, size)
    if (!writable || size < 0) throw systemError('EINVAL', 'ftruncate', path)
    const allocated = inode.allocated
    inode.truncate(++this.seq, size)
    this.used += inode.allocated - allocated
    this.touch(inode)
  }

  stat(handle: FileHandle): FileStat {
    const { inode, path } = this.opened(handle, 'fstat')
    this.enter('stat', path)
    return inode.stat()
  }

  chown(handle: FileHandle, uid: number, gid: number): void {
    const { inode, path } = this.opened(handle, 'fchown')
    this.enter('chown', path)
    const { superuser, uid: own, gid: group } = this.options
    const allowed = inode.meta.uid === own && uid === own && (gid === group || gid === inode.meta.gid)
    if (!superuser && !allowed) throw systemError('EPERM', 'fchown', path)
    this.changeMeta(inode, { ...inode.meta, uid, gid })
  }

  attributes(handle: FileHandle): readonly (readonly [name: string, value: Uint8Array])[] {
    const { inode, path } = this.opened(handle, 'flistxattr')
    this.enter('attributes', path)
    return [...(inode.meta.attributes ?? [])].map(([name, value]) => [name, value.slice()] as const)
  }

  setAttribute(handle: FileHandle, name: string, value: Uint8Array): void {
    const { inode, path } = this.opened(handle, 'fsetxattr')
    this.enter('setAttribute', path)
    this.mustBeWritable('fsetxattr', path)
    const attributes = new Map(inode.meta.attributes ?? [])
    this.changeMeta(inode, { ...inode.meta, attributes: attributes.set(name, value.slice()) })
  }

  /** An error of close leaves the handle closed, as on Linux. */
  close(handle: FileHandle): void {
    const { inode, path } = this.opened(handle, 'close')
    try {
      this.enter('close', path)
    } finally {
      if (!this.faults.crashed) {
        this.handles.delete(handle)
        inode.opens--
        if (inode.lockedBy === handle) inode.lockedBy = 0
        this.release(inode)
      }
    }
  }

  async sync(handle: FileHandle, all = false): Promise<void> {
    const { inode, path } = this.opened(handle, 'fsync')
    await this.flush(inode, 'sync', path, all)
  }

  get syncNow(): ((handle: FileHandle) => void) | undefined {
    if (!this.options.blockingSync) return undefined
    return (handle) => {
      const { inode, path } = this.opened(handle, 'fdatasync')
      this.beginFlush(inode, 'sync', path, false)()
    }
  }

  lock(handle: FileHandle): boolean {
    const { inode, path } = this.opened(handle, 'flock')
    this.enter('lock', path)
    if (inode.lockedBy !== 0 && inode.lockedBy !== handle) return false
    inode.lockedBy = handle
    return true
  }

  lstat(path: string): FileStat | null {
    this.enter('lstat', path)
    try {
      return this.space.find(path, 'lstat').inode?.stat() ?? null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null
      throw error
    }
  }

  readDirectory(path: string): readonly DirectoryEntry[] {
    this.enter('readDirectory', path)
    const folder = this.folder(path, 'scandir')
    if (!this.space.may(folder, READ)) throw systemError('EACCES', 'scandir', path)
    const entries = [...folder.entries.values()].map(({ name, inode }) => ({ name, kind: inode.kind }))
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  makeDirectory(path: string, mode: number, umask = false): void {
    this.enter('makeDirectory', path)
    const place = this.space.find(path, 'mkdir')
    this.mustBeFree(place, 'mkdir', path)
    const made = this.make('dir', place.folder, umask ? mode & ~this.options.umask : mode)
    this.change(place.folder, [this.space.set(place.folder, place.name, made)])
  }

  removeDirectory(path: string): void {
    this.enter('removeDirectory', path)
    const place = this.space.find(path, 'rmdir')
    const inode = this.mustExist(place, 'rmdir', path)
    if (place.name === '') throw systemError(inode === this.space.root ? 'EBUSY' : 'EINVAL', 'rmdir', path)
    if (inode.kind !== 'dir') throw systemError('ENOTDIR', 'rmdir', path)
    this.mustBeChangeable(place.folder, 'rmdir', path)
    if (inode.dev !== place.folder.dev) throw systemError('EBUSY', 'rmdir', path)
    if (inode.entries.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path)
    this.change(place.folder, [this.space.set(place.folder, place.name, null)])
  }

  rename(from: string, to: string): void {
    this.enter('rename', from, undefined, to)
    const source = this.space.find(from, 'rename')
    const target = this.space.find(to, 'rename')
    if (source.name === '' || target.name === '') throw systemError('EBUSY', 'rename', from, to)
    const inode = this.mustExist(source, 'rename', from, to)
    const replaced = target.inode
    if (inode.kind !== 'dir' && (from.endsWith('/') || to.endsWith('/')))
      throw systemError('ENOTDIR', 'rename', from, to)
    this.mustBeOneDevice(inode, source, target, 'rename', from, to)
    if (inode.kind === 'dir' && within(target.folder, inode)) throw systemError('EINVAL', 'rename', from, to)
    if (replaced?.kind === 'dir' && within(source.folder, replaced)) throw systemError('ENOTEMPTY', 'rename', from, to)
    const same = source.folder === target.folder && this.space.key(source.name) === this.space.key(target.name)
    if (replaced === inode && !(same && source.name !== target.name)) return
    this.mustBeChangeable(source.folder, 'rename', from, to)
    this.mustBeChangeable(target.folder, 'rename', from, to)
    if (replaced !== null && replaced !== inode) {
      if (inode.kind === 'dir' && replaced.kind !== 'dir') throw systemError('ENOTDIR', 'rename', from, to)
      if (inode.kind !== 'dir' && replaced.kind === 'dir') throw systemError('EISDIR', 'rename', from, to)
      if (replaced.entries.size > 0) throw systemError('ENOTEMPTY', 'rename', from, to)
    }
    const put = this.space.set(target.folder, target.name, inode)
    const take = this.space.set(source.folder, source.name, null)
    if (same) this.change(target.folder, [put])
    else this.changeBoth(target.folder, put, source.folder, take, true)
  }

  exchange(a: string, b: string): void {
    this.enter('exchange', a, undefined, b)
    if (!this.options.exchange) throw systemError('ENOSYS', 'renameat2', a, b)
    const first = this.space.find(a, 'renameat2')
    const second = this.space.find(b, 'renameat2')
    if (first.name === '' || second.name === '') throw systemError('EBUSY', 'renameat2', a, b)
    const one = this.mustExist(first, 'renameat2', a, b)
    const two = this.mustExist(second, 'renameat2', a, b)
    this.mustBeOneDevice(one, first, second, 'renameat2', a, b)
    if (within(second.folder, one) || within(first.folder, two)) throw systemError('EINVAL', 'renameat2', a, b)
    if (one === two) return
    this.mustBeChangeable(first.folder, 'renameat2', a, b)
    this.mustBeChangeable(second.folder, 'renameat2', a, b)
    const left = this.space.set(first.folder, first.name, two)
    this.changeBoth(first.folder, left, second.folder, this.space.set(second.folder, second.name, one), false)
  }

  link(from: string, to: string): void {
    this.enter('link', from, undefined, to)
    if (!this.options.link) throw systemError('ENOTSUP', 'link', from, to)
    const inode = this.space.get(from, 'link')
    const target = this.space.find(to, 'link')
    this.mustBeFree(target, 'link', from, to)
    if (inode.dev !== target.folder.dev) throw systemError('EXDEV', 'link', from, to)
    if (inode.kind === 'dir') throw systemError('EPERM', 'link', from, to)
    this.change(target.folder, [this.space.set(target.folder, target.name, inode)])
  }

  unlink(path: string): void {
    this.enter('unlink', path)
    const place = this.space.find(path, 'unlink')
    const inode = this.mustExist(place, 'unlink', path)
    this.mustBeChangeable(place.folder, 'unlink', path)
    if (inode.kind === 'dir') throw systemError('EISDIR', 'unlink', path)
    this.change(place.folder, [this.space.set(place.folder, place.name, null)])
  }

  symlink(target: string, path: string): void {
    this.enter('symlink', target, undefined, path)
    if (target === '') throw systemError('ENOENT', 'symlink', target, path)
    const place = this.space.find(path, 'symlink')
    this.mustBeFree(place, 'symlink', target, path)
    const made = this.make('symlink', place.folder, 0o777)
    made.target = target
    this.change(place.folder, [this.space.set(place.folder, place.name, made)])
  }

  readLink(path: string): string {
    this.enter('readLink', path)
    const inode = this.space.get(path, 'readlink')
    if (inode.kind !== 'symlink') throw systemError('EINVAL', 'readlink', path)
    return inode.target
  }

  chmod(path: string, mode: number): void {
    this.enter('chmod', path)
    const inode = this.space.get(path, 'chmod', false)
    if (inode.kind === 'symlink') throw systemError('ELOOP', 'chmod', path)
    this.mustBeWritable('chmod', path)
    if (!this.superuser && inode.meta.uid !== this.options.uid) throw systemError('EPERM', 'chmod', path)
    this.changeMeta(inode, { ...inode.meta, mode: mode & 0o7777 })
  }

  clone(from: string, to: string, mode: number): void {
    const running = !this.faults.crashed
    let torn: SimCrash | null = null
    try {
      this.enter('clone', from, undefined, to)
    } catch (error) {
      if (!(running && error instanceof SimCrash && this.random.chance(0.5))) throw error
      torn = error
    }
    const source = this.space.get(from, 'copyfile', true)
    if (!this.space.may(source, READ)) throw systemError('EACCES', 'copyfile', from, to)
    const place = this.space.find(to, 'copyfile')
    this.mustBeFree(place, 'copyfile', from, to)
    if (source.kind === 'dir') throw systemError('EISDIR', 'copyfile', from, to)
    if (this.used + source.size > this.options.capacity) throw systemError('ENOSPC', 'copyfile', from, to)
    const made = this.make('file', place.folder, mode)
    this.change(place.folder, [this.space.set(place.folder, place.name, made)])
    const length = torn === null ? source.size : this.random.below(source.size + 1)
    this.store(made, source.bytes.subarray(0, length), 0)
    if (torn !== null) throw torn
  }

  async syncDirectory(path: string): Promise<void> {
    const folder = this.faults.crashed ? this.space.root : this.folder(path, 'fsync')
    if (!this.space.may(folder, READ)) throw systemError('EACCES', 'open', path)
    await this.flush(folder, 'syncDirectory', path, true)
  }

  realPath(path: string): string {
    this.enter('realPath', path)
    const { folder, name, inode } = this.space.find(path, 'realpath', true)
    if (inode === null) throw systemError('ENOENT', 'realpath', path)
    if (inode.kind === 'dir') return this.space.pathOf(inode)
    const parent = this.space.pathOf(folder)
    return `${parent === '/' ? '' : parent}/${this.space.name(folder, name)?.name ?? name}`
  }

  anchor(path: string): Anchor {
    this.enter('anchor', path)
    if (this.handles.size >= this.options.maxHandles) throw systemError('EMFILE', 'open', path)
    const inode = this.folder(path, 'open')
    if (this.space.pathOf(inode) !== path) throw systemError('ELOOP', 'open', path)
    const handle = this.nextHandle++
    this.handles.set(handle, { inode, path, writable: false })
    this.space.pins.set(PIN + handle, inode)
    const release = () => {
      this.handles.delete(handle)
      this.space.pins.delete(PIN + handle)
    }
    return { path: PIN + handle, isCurrent: () => this.space.pathOf(inode) === path, release }
  }

  freeSpace(path: string): number {
    this.enter('freeSpace', path)
    this.space.get(path, 'statfs', true)
    return Math.max(0, this.options.capacity - this.used)
  }

  now(): number {
    return Math.floor(this.timeUs / 1000)
  }
}

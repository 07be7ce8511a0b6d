import type { Inode, Name, NameSet, NameStep } from './inode.ts'
import { systemError } from './system-error.ts'

/** Where a path leads. `name` is empty when it ends in `/`, `.` or `..`, and then `inode` is the folder itself. */
export interface Place {
  readonly folder: Inode
  readonly name: string
  readonly inode: Inode | null
}

export interface Credentials {
  readonly superuser: boolean
  readonly uid: number
  readonly gid: number
}

export const READ = 4
export const WRITE = 2
export const SEARCH = 1

/** How a path begins that means an open folder, as on Linux. */
export const PIN = '/proc/self/fd/'

/** Names and folders: how paths are resolved, and how names change. */
export class Namespace {
  readonly root: Inode
  readonly credentials: Credentials
  readonly folding: boolean
  /** Folders that are held open, by the path that means them whatever happens to their names. */
  readonly pins = new Map<string, Inode>()

  constructor(root: Inode, credentials: Credentials, folding: boolean) {
    this.root = root
    this.credentials = credentials
    this.folding = folding
  }

  key(name: string): string {
    return this.folding ? name.normalize('NFC').toLowerCase() : name
  }

  may(inode: Inode, bits: number): boolean {
    const { superuser, uid, gid } = this.credentials
    if (superuser) return true
    const { meta } = inode
    const shift = meta.uid === uid ? 6 : meta.gid === gid ? 3 : 0
    return ((meta.mode >> shift) & bits) === bits
  }

  /** Finds what a path names; `inode` is null when only its last name is missing. */
  find(path: string, syscall: string, follow = false): Place {
    if (path.charCodeAt(0) !== 47) throw systemError('EINVAL', `${syscall} (path not absolute)`, path)
    if (path.includes('\0')) throw systemError('EINVAL', `${syscall} (NUL in path)`, path)
    if (path.length > 1365 && Buffer.byteLength(path) >= 4096) throw systemError('ENAMETOOLONG', syscall, path)
    if (this.pins.size > 0 && path.startsWith(PIN)) {
      const end = path.indexOf('/', PIN.length)
      const pinned = this.pins.get(end < 0 ? path : path.slice(0, end))
      if (pinned !== undefined) return this.#walk(pinned, end < 0 ? '' : path.slice(end + 1), follow, 0, syscall, path)
    }
    return this.#walk(this.root, path, follow, 0, syscall, path)
  }

  /** What a path names. Throws `ENOENT` when nothing. */
  get(path: string, syscall: string, follow = false): Inode {
    const { inode } = this.find(path, syscall, follow)
    if (inode === null) throw systemError('ENOENT', syscall, path)
    return inode
  }

  #walk(start: Inode, path: string, follow: boolean, depth: number, syscall: string, asked: string): Place {
    let folder = path.charCodeAt(0) === 47 ? this.root : start
    for (let from = 0; ; ) {
      while (path.charCodeAt(from) === 47) from++
      if (from >= path.length) return { folder, name: '', inode: folder }
      let to = path.indexOf('/', from)
      if (to < 0) to = path.length
      const name = path.slice(from, to)
      from = to
      if (!this.may(folder, SEARCH)) throw systemError('EACCES', syscall, asked)
      if (name === '.') continue
      if (name === '..') {
        folder = folder.parent as Inode
        continue
      }
      if (name.length > 85 && Buffer.byteLength(name) > 255) throw systemError('ENAMETOOLONG', syscall, asked)
      let inode = folder.entries.get(this.key(name))?.inode ?? null
      const last = to === path.length
      if (last && !(follow && inode?.kind === 'symlink')) return { folder, name, inode }
      if (inode === null) {
        // `new/` names something that is not there yet, as `new` does.
        if (onlySlashes(path, to)) return { folder, name, inode }
        throw systemError('ENOENT', syscall, asked)
      }
      if (inode.kind === 'symlink') {
        if (depth >= 40) throw systemError('ELOOP', syscall, asked)
        const place = this.#walk(folder, inode.target, true, depth + 1, syscall, asked)
        if (last) return place
        inode = place.inode
        if (inode === null) throw systemError('ENOENT', syscall, asked)
      }
      if (inode.kind !== 'dir') throw systemError('ENOTDIR', syscall, asked)
      if (onlySlashes(path, to)) return { folder, name, inode }
      folder = inode
    }
  }

  /** The path of a folder, without symbolic links. */
  pathOf(folder: Inode): string {
    let path = ''
    for (let at = folder; at !== this.root; ) {
      const parent = at.parent as Inode
      let found = ''
      for (const { name, inode } of parent.entries.values()) if (inode === at) found = name
      path = `/${found}${path}`
      at = parent
    }
    return path === '' ? '/' : path
  }

  name(folder: Inode, name: string): Name | null {
    return folder.entries.get(this.key(name)) ?? null
  }

  set(folder: Inode, name: string, inode: Inode | null): NameSet {
    const key = this.key(name)
    return { key, before: folder.entries.get(key) ?? null, after: inode && { name, inode } }
  }

  /** Makes one atomic change to a folder, and records it. */
  change(folder: Inode, seq: number, timeUs: number, sets: readonly NameSet[], side: NameStep['side'] = 'alone'): void {
    for (const { key, before, after } of sets) {
      if (before !== null) before.inode.names--
      if (after === null) folder.entries.delete(key)
      else {
        folder.entries.set(key, after)
        after.inode.names++
        after.inode.ctimeUs = timeUs
        if (after.inode.kind === 'dir') after.inode.parent = folder
      }
    }
    // A folder is written whole: what a failed sync forgot goes to the disk with the next change.
    for (const step of folder.nameSteps) if (step.state === 'dropped') step.state = 'dirty'
    folder.nameSteps.push({ seq, state: 'dirty', sets, side })
    folder.mtimeUs = timeUs
    folder.ctimeUs = timeUs
  }
}

function onlySlashes(path: string, from: number): boolean {
  for (let i = from; i < path.length; i++) if (path.charCodeAt(i) !== 47) return false
  return true
}

/** Whether `folder` is `inode` or lies below it. */
export function within(folder: Inode, inode: Inode): boolean {
  for (let at = folder; ; at = at.parent as Inode) {
    if (at === inode) return true
    if (at.parent === null || at.parent === at) return false
  }
}

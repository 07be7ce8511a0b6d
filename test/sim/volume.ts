import type { FileHandle, FileKind } from '../../src/disk/disk.ts'
import type { PowerCut, PowerCutOptions } from './crash.ts'
import { cutPower } from './crash.ts'
import type { OperationKind } from './faults.ts'
import { Faults, SimCrash } from './faults.ts'
import type { Meta, NameSet } from './inode.ts'
import { copyInodes, Inode } from './inode.ts'
import type { Place } from './namespace.ts'
import { Namespace, PIN, SEARCH, WRITE } from './namespace.ts'
import { Random } from './random.ts'
import type { SimOptions } from './sim-options.ts'
import { systemError } from './system-error.ts'
import type { Tree } from './tree.ts'
import { treeOf } from './tree.ts'

interface Opened {
  readonly inode: Inode
  readonly path: string
  readonly writable: boolean
}

/** What one disk hands on to the one that is left of it. */
interface Progress {
  readonly boot: number
  readonly inode: number
  readonly seq: number
  readonly through: number
  readonly timeUs: number
}

/** The state behind a SimDisk: contents, names, handles, what is durable of them; and what tests do to it. */
export abstract class Volume<Self> {
  readonly options: SimOptions
  readonly random: Random
  /** Counts the operations, and makes them fail: `crashAt`, `failAt`, `before`, `trace`. */
  readonly faults = new Faults()
  readonly bootId: string
  /** Awaited by each sync before it takes effect: a test may hold it back here. */
  syncGate: (() => Promise<void>) | null = null
  /** Asked at each sync, with the place in the code that wants it: true leaves it out, and says that it was done. */
  lie: ((site: string) => boolean) | null = null
  /** Asked by each write where it really goes: to that position of the file, or nowhere (null), while it says that all went well. */
  astray: ((path: string, position: number, length: number) => number | null) | null = null
  /** Called by each write of more than a byte, with a copy of this disk on which only the first part of it was done. */
  halfway: ((half: Self) => void) | null = null
  protected readonly space: Namespace
  protected readonly handles = new Map<FileHandle, Opened>()
  protected nextHandle = 3
  protected nextInode: number
  protected seq: number
  protected timeUs: number
  /** Bytes of contents. */
  protected used = 0
  /** Of the ordered model: all changes of names and metadata up to this one are durable. */
  #through: number
  readonly #boot: number

  protected constructor(options: SimOptions, root: Inode, progress: Progress) {
    this.options = options
    this.random = new Random(options.seed)
    this.space = new Namespace(root, options, options.folding)
    this.#boot = progress.boot
    this.bootId = `boot-${progress.boot}`
    this.nextInode = progress.inode
    this.seq = progress.seq
    this.#through = progress.through
    this.timeUs = progress.timeUs
  }

  /** Number of operations so far, the failed ones too. */
  get count(): number {
    return this.faults.count
  }

  /** Paths of the open handles: none should be left when the engine has closed. */
  get openHandles(): readonly string[] {
    return [...this.handles.values()].map((opened) => opened.path)
  }

  /** Sets the clock, forwards or back; milliseconds since 1970. */
  setTime(ms: number): void {
    this.timeUs = Math.round(ms * 1000)
  }

  /**
   * What is left after the process was killed (everything written, no handles, no locks), or after the power was cut.
   * This disk stays as it is, so one state can be cut many times; each cut takes its luck from `seed`.
   */
  crash(model: 'process' | PowerCut, options: PowerCutOptions & { readonly seed?: number } = {}): Self {
    const seed = options.seed ?? this.random.uint32()
    const inodes = copyInodes(this.space.root, [])
    const root = inodes.get(this.space.root) as Inode
    let named: Iterable<Inode> = inodes.values()
    if (model !== 'process')
      named = cutPower(root, inodes.values(), model, this.#through, this.seq, new Random(seed), options)
    return this.#successor(root, named, seed, model === 'process' ? 0 : 1) as Self
  }

  /** A disk of its own in the same state, handles and locks too, without the planned faults. */
  copy(): Self {
    const opened = [...this.handles.values()].map((handle) => handle.inode)
    const inodes = copyInodes(this.space.root, opened)
    const disk = this.#successor(inodes.get(this.space.root) as Inode, inodes.values(), this.options.seed, 0)
    for (const [from, to] of inodes) {
      to.opens = from.opens
      to.lockedBy = from.lockedBy
    }
    for (const [handle, { inode, path, writable }] of this.handles)
      disk.handles.set(handle, { inode: inodes.get(inode) as Inode, path, writable })
    for (const [path, inode] of this.space.pins) disk.space.pins.set(path, inodes.get(inode) as Inode)
    disk.nextHandle = this.nextHandle
    disk.used = this.used
    return disk as Self
  }

  #successor(root: Inode, named: Iterable<Inode>, seed: number, boots: number): Volume<Self> {
    const Disk = this.constructor as new (options: SimOptions, root: Inode, progress: Progress) => Volume<Self>
    const { nextInode: inode, seq, timeUs } = this
    const through = boots > 0 ? seq : this.#through
    const disk = new Disk({ ...this.options, seed }, root, { boot: this.#boot + boots, inode, seq, through, timeUs })
    for (const { names, allocated } of named) if (names > 0) disk.used += allocated
    return disk
  }

  /** Makes all there is durable, as `sync(1)` does. */
  settle(): void {
    for (const inode of copyInodes(this.space.root, []).keys()) inode.settleAll()
    this.#through = this.seq
  }

  /** Makes a folder and its parents, durably. */
  mkdirp(path: string, mode = 0o755): void {
    let at = ''
    for (const name of path.split('/')) {
      if (name === '') continue
      at = `${at}/${name}`
      const place = this.space.find(at, 'mkdir', true)
      if (place.inode === null) this.#put(place, this.make('dir', place.folder, mode))
    }
  }

  /** Makes a folder that is another file system's root: nothing can be moved or linked across it. */
  mount(path: string, mode = 0o755): void {
    const place = this.space.find(path, 'mount')
    const meta = { mode, uid: this.options.uid, gid: this.options.gid, attributes: null }
    const inode = this.nextInode++
    this.#put(place, new Inode(inode, inode, 'dir', meta, this.timeUs, this.seq + 1))
  }

  /** Writes a whole file, durably; keeps the mode of one that exists unless told. */
  writeFile(path: string, content: Uint8Array | string, mode?: number): void {
    const place = this.space.find(path, 'open', true)
    const file = place.inode ?? this.make('file', place.folder, mode ?? 0o644)
    if (place.inode === null) this.#put(place, file)
    if (mode !== undefined) file.meta = { ...file.meta, mode }
    this.used -= file.allocated
    file.truncate(++this.seq, 0)
    file.write(++this.seq, Buffer.from(content), 0)
    this.used += file.allocated
    this.touch(file)
    file.settleAll()
  }

  /** Turns bits of a byte at rest. */
  rot(path: string, position: number, bits: number): void {
    const file = this.space.get(path, 'rot')
    file.bytes = file.bytes.slice()
    file.bytes[position] = (file.bytes[position] ?? 0) ^ bits
  }

  /** Removes a file, durably. */
  removeFile(path: string): void {
    const place = this.space.find(path, 'unlink')
    this.change(place.folder, [this.space.set(place.folder, place.name, null)])
    place.folder.settleAll()
  }

  /** Makes a symbolic link, durably. */
  writeLink(path: string, target: string): void {
    const place = this.space.find(path, 'symlink')
    const made = this.make('symlink', place.folder, 0o777)
    made.target = target
    this.#put(place, made)
  }

  readFile(path: string): Uint8Array {
    const file = this.space.get(path, 'open', true)
    if (file.kind === 'dir') throw systemError('EISDIR', 'read', path)
    return file.bytes.slice(0, file.size)
  }

  readText(path: string): string {
    return Buffer.from(this.readFile(path)).toString()
  }

  exists(path: string): boolean {
    try {
      return this.space.find(path, 'access').inode !== null
    } catch {
      return false
    }
  }

  /** All below a folder, by relative path, except what `skip` names (relative paths, and all below them). */
  tree(path: string, skip: readonly string[] = []): Tree {
    return treeOf(this.space.get(path, 'scandir', true), new Set(skip))
  }

  /** The path that a pinned folder's path means, where it is one. */
  withoutPins(path: string): string {
    const end = path.startsWith(PIN) ? path.indexOf('/', PIN.length) : -1
    const pinned = end < 0 ? undefined : this.space.pins.get(path.slice(0, end))
    if (pinned === undefined) return path
    const folder = this.space.pathOf(pinned)
    return `${folder === '/' ? '' : folder}${path.slice(end)}`
  }

  /** The file or link at a path, without following it; null for anything else. */
  leafAt(path: string): { readonly ino: number; readonly names: number; readonly content: Uint8Array | null } | null {
    const { inode } = this.space.find(path, 'lstat')
    if (inode === null || inode.kind === 'dir') return null
    const content = inode.kind === 'file' ? inode.bytes.slice(0, inode.size) : null
    return { ino: inode.ino, names: inode.names, content }
  }

  /** Numbers of the files and links below a folder, but for what is in `skip`. */
  leavesBelow(path: string, skip: string): number[] {
    const numbers: number[] = []
    const visit = (folder: Inode) => {
      for (const { name, inode } of folder.entries.values()) {
        if (inode.kind !== 'dir') numbers.push(inode.ino)
        else if (name !== skip) visit(inode)
      }
    }
    visit(this.space.get(path, 'scandir', true))
    return numbers
  }

  #put(place: Place, inode: Inode): void {
    this.change(place.folder, [this.space.set(place.folder, place.name, inode)])
    place.folder.settleAll()
  }

  protected enter(kind: OperationKind, path?: string, bytes?: number, to?: string): void {
    this.timeUs += this.options.tickUs
    this.faults.enter(kind, path, bytes, to)
  }

  protected opened(handle: FileHandle, syscall: string): Opened {
    const opened = this.handles.get(handle)
    if (opened === undefined) throw systemError('EBADF', syscall)
    return opened
  }

  protected folder(path: string, syscall: string): Inode {
    const folder = this.space.get(path, syscall, true)
    if (folder.kind !== 'dir') throw systemError('ENOTDIR', syscall, path)
    return folder
  }

  /** The seq of a sync is taken before it waits: what is written meanwhile is not covered. */
  protected async flush(inode: Inode, kind: 'sync' | 'syncDirectory', path: string, all: boolean): Promise<void> {
    const finish = this.beginFlush(inode, kind, path, all)
    await this.syncGate?.()
    await null
    if (this.faults.crashed) throw new SimCrash(`${kind} ${path} was under way at the crash`)
    finish()
  }

  /** Returns what makes durable all that was there when it began. */
  protected beginFlush(inode: Inode, kind: 'sync' | 'syncDirectory', path: string, all: boolean): () => void {
    const at = this.seq
    const whole = inode.kind === 'dir' || all || this.options.metadataSync
    try {
      this.enter(kind, path)
    } catch (error) {
      if (!(error instanceof SimCrash)) inode.settle(at, 'dropped', whole)
      throw error
    }
    const through = whole ? at : inode.sizeSeq(at)
    if (this.lie?.(callSite()) === true) return () => undefined
    return () => {
      inode.settle(at, 'synced', whole)
      if (through > this.#through) this.#through = through
    }
  }

  /** Some of `length`, when luck has it. */
  protected fewer(length: number, probability: number): number {
    return length > 1 && this.random.chance(probability) ? 1 + this.random.below(length - 1) : length
  }

  /** Writes as much as there is room for; returns how much. */
  protected store(file: Inode, source: Uint8Array, position: number): number {
    const room = this.options.capacity - this.used + file.allocated
    const length = Math.max(0, Math.min(source.length, room - position))
    if (length === 0) return 0
    const allocated = file.allocated
    file.write(++this.seq, length === source.length ? source : source.subarray(0, length), position)
    this.used += file.allocated - allocated
    this.touch(file)
    return length
  }

  protected touch(inode: Inode): void {
    const { granularityUs } = this.options
    inode.mtimeUs = Math.floor(this.timeUs / granularityUs) * granularityUs
    inode.ctimeUs = inode.mtimeUs
  }

  /** An inode without a name yet. A set-group-id folder hands its group on. */
  protected make(kind: FileKind, folder: Inode, mode: number): Inode {
    const inherits = (folder.meta.mode & 0o2000) !== 0
    const meta: Meta = {
      mode: inherits && kind === 'dir' ? mode | 0o2000 : mode,
      uid: this.options.uid,
      gid: inherits ? folder.meta.gid : this.options.gid,
      attributes: null,
    }
    const inode = new Inode(this.nextInode++, folder.dev, kind, meta, this.timeUs, this.seq + 1)
    this.touch(inode)
    return inode
  }

  protected change(folder: Inode, sets: readonly NameSet[]): void {
    this.space.change(folder, ++this.seq, this.timeUs, sets)
    for (const { before } of sets) if (before !== null) this.release(before.inode)
  }

  /** One atomic step that changes a name in each of two folders, or two names in one. */
  protected changeBoth(one: Inode, left: NameSet, two: Inode, right: NameSet, moves: boolean): void {
    if (one === two) {
      this.change(one, [left, right])
      return
    }
    const seq = ++this.seq
    this.space.change(one, seq, this.timeUs, [left], moves ? 'target' : 'alone')
    this.space.change(two, seq, this.timeUs, [right], moves ? 'source' : 'alone')
    if (left.before !== null) this.release(left.before.inode)
  }

  protected changeMeta(inode: Inode, meta: Meta): void {
    inode.changeMeta(++this.seq, meta)
    inode.ctimeUs = this.timeUs
  }

  protected release(inode: Inode): void {
    if (inode.names === 0 && inode.opens === 0) this.used -= inode.allocated
  }

  protected mustExist(place: Place, syscall: string, path: string, to?: string): Inode {
    if (place.inode === null) throw systemError('ENOENT', syscall, path, to)
    return place.inode
  }

  protected mustBeFree(place: Place, syscall: string, path: string, to?: string): void {
    if (place.inode !== null) throw systemError('EEXIST', syscall, path, to)
    this.mustBeChangeable(place.folder, syscall, path, to)
  }

  protected mustBeChangeable(folder: Inode, syscall: string, path: string, to?: string): void {
    this.mustBeWritable(syscall, path, to)
    // A folder that was removed while it was pinned takes no names.
    if (folder.names === 0) throw systemError('ENOENT', syscall, path, to)
    if (!this.space.may(folder, WRITE | SEARCH)) throw systemError('EACCES', syscall, path, to)
  }

  protected mustBeWritable(syscall: string, path: string, to?: string): void {
    if (this.options.readOnly) throw systemError('EROFS', syscall, path, to)
  }

  protected mustBeOneDevice(inode: Inode, source: Place, target: Place, call: string, from: string, to: string): void {
    if (source.folder.dev !== target.folder.dev) throw systemError('EXDEV', call, from, to)
    const other = target.inode?.dev ?? inode.dev
    if (inode.dev !== source.folder.dev || other !== target.folder.dev) throw systemError('EBUSY', call, from, to)
  }
}

/** The place in the library that called the disk: a file below `src`, and the line. */
function callSite(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  const { stack = '' } = new Error('where')
  Error.stackTraceLimit = limit
  return /\/src\/([^\s()]+\.ts:\d+)/.exec(stack)?.[1] ?? 'elsewhere'
}

import type { FileKind, FileStat } from '../../src/disk/disk.ts'

export const SECTOR = 512

/** What chmod, chown and setAttribute change. Never mutated: a change is a new one. */
export interface Meta {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly attributes: ReadonlyMap<string, Uint8Array> | null
}

/**
 * dirty: not yet synced. dropped: a failed sync forgot it; it is seen until the power goes, and no later sync saves it.
 * synced: on stable storage, and kept only because something before it in the list is not.
 */
export type StepState = 'dirty' | 'dropped' | 'synced'

export interface Step {
  /** Place in the order of all changes of the disk. */
  readonly seq: number
  state: StepState
}

export interface MetaStep extends Step {
  readonly before: Meta
  readonly after: Meta
}

/** A write or a truncation, with what it overwrote, so that it can be undone. */
export interface DataStep extends Step {
  readonly position: number
  /** Bytes written; 0 for a truncation. */
  readonly length: number
  readonly old: Uint8Array
  readonly oldSize: number
  readonly newSize: number
}

/** What a name in a folder stands for. `name` as it was given, the key in the folder may be folded. */
export interface Name {
  readonly name: string
  readonly inode: Inode
}

export interface NameSet {
  readonly key: string
  readonly before: Name | null
  readonly after: Name | null
}

/** One change to one folder: all of its sets, or none, survive a crash. */
export interface NameStep extends Step {
  readonly sets: readonly NameSet[]
  /** For a rename from folder to folder: which side this is. The other side has the same `seq`. */
  readonly side: 'alone' | 'source' | 'target'
}

const EMPTY = new Uint8Array(0)

export class Inode {
  readonly ino: number
  readonly dev: number
  readonly kind: FileKind
  meta: Meta
  metaSteps: MetaStep[] = []
  /** Names it has, a folder's own too. */
  names = 0
  opens = 0
  /** Handle that holds the lock, 0 for none. */
  lockedBy = 0
  mtimeUs: number
  ctimeUs: number
  syncedMtimeUs: number

  /** A file's content, with room to grow; zeros from `size` on. */
  bytes: Uint8Array = EMPTY
  /** Whether another disk may hold the same bytes: copy before writing. */
  shared = false
  size = 0
  /** Bytes that count against the disk's capacity: up to the last byte written. */
  allocated = 0
  dataSteps: DataStep[] = []

  /** A folder's names by key. */
  readonly entries: Map<string, Name>
  nameSteps: NameStep[] = []
  parent: Inode | null = null

  /** A symbolic link's. */
  target = ''

  /** Place of its making in the order of all changes of the disk. */
  readonly madeSeq: number

  constructor(ino: number, dev: number, kind: FileKind, meta: Meta, timeUs: number, madeSeq: number) {
    this.madeSeq = madeSeq
    this.ino = ino
    this.dev = dev
    this.kind = kind
    this.meta = meta
    this.mtimeUs = timeUs
    this.ctimeUs = timeUs
    this.syncedMtimeUs = timeUs
    this.entries = kind === 'dir' ? new Map() : NO_ENTRIES
  }

  stat(): FileStat {
    const dir = this.kind === 'dir'
    return {
      kind: this.kind,
      size: dir ? 4096 : this.kind === 'symlink' ? Buffer.byteLength(this.target) : this.size,
      mode: this.meta.mode,
      uid: this.meta.uid,
      gid: this.meta.gid,
      ino: BigInt(this.ino),
      dev: BigInt(this.dev),
      nlink: dir ? this.names + 1 : this.names,
      mtimeNs: BigInt(this.mtimeUs) * 1000n,
      ctimeNs: BigInt(this.ctimeUs) * 1000n,
    }
  }

  read(target: Uint8Array, position: number, length: number): number {
    const end = Math.min(this.size, position + length)
    if (end <= position) return 0
    target.set(this.bytes.subarray(position, end))
    return end - position
  }

  write(seq: number, source: Uint8Array, position: number): void {
    const end = position + source.length
    const oldSize = this.size
    this.#own(end)
    const old = position < oldSize ? this.bytes.slice(position, Math.min(end, oldSize)) : EMPTY
    this.bytes.set(source, position)
    if (end > oldSize) this.size = end
    this.dataSteps.push({ seq, state: 'dirty', position, length: source.length, old, oldSize, newSize: this.size })
    if (end > this.allocated) this.allocated = end
  }

  truncate(seq: number, size: number): void {
    const oldSize = this.size
    if (size === oldSize) return
    this.#own(size)
    const old = size < oldSize ? this.bytes.slice(size, oldSize) : EMPTY
    if (size < oldSize) this.bytes.fill(0, size, oldSize)
    this.size = size
    this.dataSteps.push({ seq, state: 'dirty', position: size, length: 0, old, oldSize, newSize: size })
    if (size < this.allocated) this.allocated = size
  }

  changeMeta(seq: number, after: Meta): void {
    this.metaSteps.push({ seq, state: 'dirty', before: this.meta, after })
    this.meta = after
  }

  /** Sets the state of every dirty step up to `seq`, and forgets those that can no longer be lost. */
  settle(seq: number, state: 'synced' | 'dropped', meta = true): void {
    settleSteps(this.dataSteps, seq, state)
    settleSteps(this.nameSteps, seq, state)
    if (meta) settleSteps(this.metaSteps, seq, state)
    if (state === 'synced') this.syncedMtimeUs = this.mtimeUs
  }

  settleAll(): void {
    this.dataSteps = []
    this.nameSteps = []
    this.metaSteps = []
    this.syncedMtimeUs = this.mtimeUs
  }

  /** The newest change, up to `seq`, that a sync of the data needs the metadata of: being made, and another size. */
  sizeSeq(seq: number): number {
    let newest = this.madeSeq
    for (const step of this.dataSteps) if (step.seq <= seq && step.newSize !== step.oldSize) newest = step.seq
    return newest
  }

  #own(end: number): void {
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2, 256))
      grown.set(this.bytes)
      this.bytes = grown
      this.shared = false
    } else if (this.shared) {
      this.bytes = this.bytes.slice()
      this.shared = false
    }
  }
}

// Shared by all that are not folders; nothing ever adds to it.
const NO_ENTRIES = new Map<string, Name>()

function settleSteps(steps: Step[], seq: number, state: 'synced' | 'dropped'): void {
  if (steps.length === 0) return
  let durable = 0
  let leading = true
  for (const step of steps) {
    if (step.state === 'dirty' && step.seq <= seq) step.state = state
    if (leading && step.state === 'synced') durable++
    else leading = false
  }
  if (durable > 0) steps.splice(0, durable)
}

/** A copy of everything that can be reached from an inode, by names now, or names that may come back after a crash. */
export function copyInodes(root: Inode, open: Iterable<Inode>): Map<Inode, Inode> {
  const copies = new Map<Inode, Inode>()
  const copy = (from: Inode): Inode => {
    const known = copies.get(from)
    if (known !== undefined) return known
    const to = new Inode(from.ino, from.dev, from.kind, from.meta, from.ctimeUs, from.madeSeq)
    copies.set(from, to)
    to.names = from.names
    to.mtimeUs = from.mtimeUs
    to.syncedMtimeUs = from.syncedMtimeUs
    if (from.metaSteps.length > 0) to.metaSteps = from.metaSteps.map((step) => ({ ...step }))
    if (from.kind === 'symlink') to.target = from.target
    else if (from.kind === 'dir') {
      for (const [key, name] of from.entries) to.entries.set(key, copyName(name))
      if (from.nameSteps.length > 0)
        to.nameSteps = from.nameSteps.map((step) => ({
          ...step,
          sets: step.sets.map(({ key, before, after }) => ({
            key,
            before: before && copyName(before),
            after: after && copyName(after),
          })),
        }))
      if (from.parent !== null) to.parent = copy(from.parent)
    } else {
      from.shared = true
      to.shared = true
      to.bytes = from.bytes
      to.size = from.size
      to.allocated = from.allocated
      if (from.dataSteps.length > 0) to.dataSteps = from.dataSteps.map((step) => ({ ...step }))
    }
    return to
  }
  const copyName = (name: Name): Name => ({ name: name.name, inode: copy(name.inode) })
  copy(root)
  for (const inode of open) copy(inode)
  return copies
}

import { hashBytes, hashFile, hashSmallFile, readSmallFile, SMALL_FILE } from '../content/hash.ts'
import { Recent } from '../content/recent.ts'
import type { Attribute, Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { openAside } from '../disk/file.ts'
import type { ContentHash, Owner, State } from '../entry/state.ts'
import { isSystemError, JournalError } from '../errors.ts'
import { eventTurn } from './event-turn.ts'

/** How many files' hashes are remembered. */
const REMEMBERED = 65_536
/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 5
const MS = 1_000_000n
/** A file changed within this time before it was looked at may change again without its times showing it. */
const GRANULARITY_NS = 20n * MS
/** Where times have whole seconds only, as on FAT, it is two of them. */
const COARSE_GRANULARITY_NS = 2000n * MS
const SECOND = 1000n * MS
/** A look at a file that is as good only as it was then. */
const NO_TURN = 0

/** What is remembered of a file. */
export interface Memory {
  readonly stat: FileStat
  /** False for a file that was moved since: that changed its change time. */
  readonly changeTime: boolean
  readonly hash: ContentHash
  readonly seenNs: bigint
  /** It was put there without extended attributes. */
  readonly bare: boolean
}

/** A look at a path, not at what is in the file. */
export interface Glance {
  readonly path: string
  /** Null when nothing is there. */
  readonly stat: FileStat | null
  /** When it was looked at, in nanoseconds since 1970. */
  readonly seenNs: bigint
}

/** What is on disk at a path, with the facts that later tell whether it is still the same. */
export interface Observation {
  readonly state: State
  /** Null when nothing is there. */
  readonly stat: FileStat | null
  /** When it was looked at, in nanoseconds since 1970. */
  readonly seenNs: bigint
  /** By its times, it has no extended attributes. */
  readonly bare?: boolean | undefined
  /** For a file that is to be replaced, and was taken for what it was remembered to be, or to be bare: it must be looked at once it is moved aside. */
  readonly trusted?: { readonly memory: Memory; readonly turn: number } | undefined
}

export const NOTHING_OBSERVED: Observation = Object.freeze({ state: null, stat: null, seenNs: 0n })

/** Two looks at the same, untouched file? Its change time is left out where a rename of ours moved it. */
export function sameFile(a: FileStat, b: FileStat, changeTime: boolean): boolean {
  return (
    a.kind === b.kind &&
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    (!changeTime || a.ctimeNs === b.ctimeNs)
  )
}

/** The racily-clean rule: may equal times be trusted, given when the file was looked at? */
export function timesTell(stat: FileStat, seenNs: bigint): boolean {
  const { ctimeNs, mtimeNs } = stat
  const latest = ctimeNs < mtimeNs ? mtimeNs : ctimeNs
  const slack = latest % SECOND === 0n ? COARSE_GRANULARITY_NS : GRANULARITY_NS
  return latest + slack < seenNs
}

/** Looks at workspace files; hashes them only when their times and sizes do not already tell. */
export class Observer {
  readonly disk: Disk
  readonly root: string
  readonly #known = new Recent<string, Memory>(REMEMBERED)
  readonly #forgetful: boolean

  /** `forgetful`: hash every time. */
  constructor(disk: Disk, root: string, forgetful = false) {
    this.disk = disk
    this.root = root
    this.#forgetful = forgetful
  }

  absolute(path: string): string {
    return path === '' ? this.root : `${this.root}/${path}`
  }

  owner(stat: FileStat): { owner?: Owner } {
    return this.disk.superuser ? { owner: { uid: stat.uid, gid: stat.gid } } : {}
  }

  glance(path: string): Glance {
    const seenNs = BigInt(this.disk.now()) * MS
    return { path, stat: this.disk.lstat(this.absolute(path)), seenNs }
  }

  /**
   * What is at a path whose folders are no symbolic links.
   * `replacing`: the content will be replaced, not read. Then equal times are believed even within their granularity: should they lie, it is found
   * when the file is moved aside, and what was there is kept.
   * `glance`: a look at it just now. `read`: takes the content, of a small file, as it was observed.
   * A promise only where the file must be read.
   * @throws JournalError `INVALID` for devices, pipes and sockets; `PERMISSION` when it cannot be read
   */
  observe(
    path: string,
    replacing = false,
    glance = this.glance(path),
    read?: (content: Uint8Array) => void,
  ): Observation | Promise<Observation> {
    const absolute = this.absolute(path)
    const { stat, seenNs } = glance
    if (stat === null) return { state: null, stat, seenNs }
    switch (stat.kind) {
      case 'dir':
        return { state: { kind: 'dir', mode: stat.mode, ...this.owner(stat) }, stat, seenNs }
      case 'symlink':
        return { state: { kind: 'symlink', target: this.disk.readLink(absolute) }, stat, seenNs }
      case 'other':
        throw new JournalError('INVALID', `${JSON.stringify(path)} is a device, a pipe or a socket`, {
          hint: 'Only files, folders and symbolic links can be journaled.',
          path,
        })
      case 'file': {
        const known = this.#known.get(path)
        if (known !== undefined && sameFile(known.stat, stat, known.changeTime)) {
          const needless = read === undefined || stat.size > SMALL_FILE
          if (needless && known.changeTime && timesTell(stat, known.seenNs))
            return this.#fileObservation(stat, known.hash, known.seenNs, undefined, known.bare)
          if (replacing)
            return this.#fileObservation(stat, known.hash, known.seenNs, { memory: known, turn: eventTurn() })
        }
        return this.#read(path, stat, seenNs, known, read)
      }
    }
  }

  /**
   * The file at a path, when it looks as it did when the journal put it there or last wrote to it, and `fits` takes what it had. Equal times are believed
   * within their granularity too: for who compares what he writes over with what he expects there, and changes nothing else.
   */
  recognize({ path, stat }: Glance, fits: (hash: ContentHash) => boolean): Observation | null {
    const known = this.#known.get(path)
    if (known === undefined || stat?.kind !== 'file' || !known.changeTime || !sameFile(known.stat, stat, true))
      return null
    if (!fits(known.hash)) return null
    return this.#fileObservation(stat, known.hash, known.seenNs, { memory: known, turn: eventTurn() })
  }

  /**
   * Does a path look as it did when it was observed? By kind, inode, size and times alone: a change within the granularity of times is
   * found only when the file is moved aside (see `unchanged`).
   */
  looksSame(path: string, { stat, trusted }: Observation): boolean {
    if (this.#forgetful) return false
    if (trusted?.turn === eventTurn() && this.#known.get(path) === trusted.memory) return true
    const now = this.disk.lstat(this.absolute(path))
    if (now === null || stat === null) return now === stat
    if (now.mode !== stat.mode || now.uid !== stat.uid || now.gid !== stat.gid) return false
    return now.kind === 'dir' ? stat.kind === 'dir' : sameFile(now, stat, true)
  }

  /** Is what was moved aside, to `absolute`, still the content that was observed? Hashes only when in doubt: then it is a promise. */
  unchanged(absolute: string, observed: Observation, stat = this.disk.lstat(absolute)): boolean | Promise<boolean> {
    if (stat === null || observed.stat === null) return stat === observed.stat
    if (observed.state?.kind === 'symlink') {
      return stat.kind === 'symlink' && this.disk.readLink(absolute) === observed.state.target
    }
    if (observed.state?.kind !== 'file') return stat.kind === observed.stat.kind
    if (stat.kind !== 'file' || stat.size !== observed.stat.size) return false
    if (sameFile(stat, observed.stat, false) && timesTell({ ...stat, ctimeNs: observed.stat.ctimeNs }, observed.seenNs))
      return true
    const expected = observed.state.hash
    return this.#hash(absolute, stat, openAside(this.disk, absolute)).then(({ hash }) => hash === expected)
  }

  /**
   * The attributes of a small file that was moved to `absolute`, when it still has the content that was observed; null when it has another one, or must
   * be looked at more closely to tell.
   */
  reread(absolute: string, { state }: Observation): readonly Attribute[] | null {
    if (state?.kind !== 'file') return null
    let handle: FileHandle | null = null
    try {
      handle = this.disk.open(absolute, 'read')
      return hashSmallFile(this.disk, handle, state.size) === state.hash ? this.disk.attributes(handle) : null
    } catch (error) {
      // A link, a folder, a pipe, a file that may not be read.
      if (isSystemError(error)) return null
      throw error
    } finally {
      if (handle !== null) this.disk.close(handle)
    }
  }

  /**
   * Tells the observer what was just put at a path, so that it need not be hashed again to be replaced.
   * `stat`: how it looked before it was moved there; `bare`: it had no extended attributes.
   */
  learn(path: string, hash: ContentHash, stat: FileStat, bare = false): void {
    // Somebody may have written to it since it was put there: its times vouch for nothing, so what is moved aside later is hashed.
    this.#learn(path, { stat, changeTime: false, hash, seenNs: stat.mtimeNs, bare })
  }

  /**
   * Looks again at a small file that was put at a path some time ago, through `handle`: if it still is what was put there, its times vouch for it from now
   * on, and it need be read neither to be replaced nor while it is. For when nobody waits. Does not throw.
   */
  settle(path: string, handle: FileHandle): void {
    const known = this.#known.get(path)
    if (known === undefined || known.changeTime) return
    try {
      this.#settle(path, handle, known)
    } catch (error) {
      // It is looked at when it matters.
      if (!isSystemError(error)) throw error
    }
  }

  #settle(path: string, handle: FileHandle, known: Memory): void {
    const seenNs = BigInt(this.disk.now()) * MS
    const stat = this.disk.stat(handle)
    if (!sameFile(known.stat, stat, false) || !timesTell(stat, seenNs)) return
    if (hashSmallFile(this.disk, handle, stat.size) !== known.hash) return
    const bare = known.bare && this.disk.attributes(handle).length === 0
    if (sameFile(stat, this.disk.stat(handle), true))
      this.#learn(path, { stat, changeTime: true, hash: known.hash, seenNs, bare })
  }

  /** The same for a large file, with how it looks where it is now; see `recognize`. */
  learnInPlace(path: string, hash: ContentHash, stat: FileStat): void {
    this.#learn(path, { stat, changeTime: true, hash, seenNs: stat.mtimeNs, bare: false })
  }

  forget(path: string): void {
    this.#known.delete(path)
  }

  #learn(path: string, known: Memory): void {
    if (!this.#forgetful) this.#known.set(path, known)
  }

  #fileObservation(
    stat: FileStat,
    hash: ContentHash,
    seenNs: bigint,
    trusted: Observation['trusted'],
    bare = false,
  ): Observation {
    return {
      state: { kind: 'file', hash, size: stat.size, mode: stat.mode, ...this.owner(stat) },
      stat,
      seenNs,
      trusted,
      bare,
    }
  }

  async #read(
    path: string,
    stat: FileStat,
    seenNs: bigint,
    known: Memory | undefined,
    read: ((content: Uint8Array) => void) | undefined,
  ): Promise<Observation> {
    const absolute = this.absolute(path)
    const { hash, stat: hashed } = await this.#hash(absolute, stat, this.disk.open(absolute, 'read'), read)
    const bare = known?.bare === true && known.hash === hash && sameFile(known.stat, hashed, known.changeTime)
    const memory = { stat: hashed, changeTime: true, hash, seenNs, bare }
    this.#learn(path, memory)
    return this.#fileObservation(hashed, hash, seenNs, bare ? { memory, turn: NO_TURN } : undefined)
  }

  /** `stat`: how the file looked just now. */
  async #hash(
    absolute: string,
    stat: FileStat,
    handle: FileHandle,
    read?: (content: Uint8Array) => void,
  ): Promise<{ hash: ContentHash; stat: FileStat }> {
    try {
      let before = stat
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const small = readSmallFile(this.disk, handle, before.size)
        const { hash, size } =
          small === null
            ? await hashFile(this.disk, handle, before.size)
            : { hash: hashBytes(small), size: small.byteLength }
        const after = this.disk.stat(handle)
        // Somebody wrote while it was read: what was hashed never was the file.
        if (sameFile(before, after, false) && size === after.size) {
          if (small !== null) read?.(small)
          return { hash, stat: after }
        }
        before = after
      }
      throw new JournalError('CONFLICT', `${absolute} is being written all the time`, {
        hint: 'Stop the program that writes it, or leave the file out.',
        path: absolute,
      })
    } finally {
      this.disk.close(handle)
    }
  }
}

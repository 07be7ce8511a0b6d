import os from 'node:os'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { readFully, writeFully } from '../disk/file.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import { type Fence, LockFence, openFence, openOrCreate } from './fence.ts'
import type { Layout } from './layout.ts'

/** Where other processes reach the writer. */
export interface Address {
  /** Of a Unix domain socket: a name in `.journal` (no `/`), or an absolute path; or of a named pipe. */
  readonly socket: string
  /** What whoever calls must know: only who may read `LOCK` does. */
  readonly key: string
  /** Of the messages. */
  readonly protocol: number
}

/** Who holds the writer's lock, as noted in the file. */
export interface Writer {
  readonly pid: number
  readonly host: string
  readonly term: number
  /** Milliseconds since 1970. */
  readonly since: number
  /** Version of the package. */
  readonly version?: string
  /** Null, or missing: it does not write for others. `soon`: it is not ready yet. `unreachable`: there is no place for a socket. */
  readonly address?: Address | 'soon' | 'unreachable' | null
}

const SPACE = 4096
/** A command that only asks who writes holds the lock for microseconds; that must not look like a writer. */
const ATTEMPTS = 4
const PAUSE_MS = 3

function readWriter(disk: Disk, handle: FileHandle): Writer | null {
  const bytes = new Uint8Array(SPACE)
  const length = readFully(disk, handle, bytes, 0)
  try {
    const value = JSON.parse(Buffer.from(bytes.subarray(0, length)).toString('utf8')) as Partial<Writer>
    return Number.isInteger(value.pid) ? (value as Writer) : null
  } catch {
    return null
  }
}

/** The right to write: an operating-system lock on `LOCK`, free at once when its process dies. */
export class WriterLock {
  readonly #disk: Disk
  readonly #handle: FileHandle
  #released = false
  /** Above that of everybody who signed before, though they may have written nothing. */
  readonly term: number

  /** Where the one who signed before was reached; null: nowhere. */
  readonly left: string | null

  private constructor(disk: Disk, handle: FileHandle, former: Writer | null) {
    this.#disk = disk
    this.#handle = handle
    this.term = (former?.term ?? 0) + 1
    const address = former?.address
    this.left = typeof address === 'object' && typeof address?.socket === 'string' ? address.socket : null
  }

  /** @throws JournalError `LOCKED` with the holder's process id */
  static async acquire(disk: Disk, layout: Layout): Promise<WriterLock> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const lock = WriterLock.attempt(disk, layout)
      if (lock !== null) return lock
    }
    const path = layout.lock
    const holder = WriterLock.signer(disk, path)
    throw new JournalError(
      'LOCKED',
      `the journal is being written by ${holder === null ? 'another process' : `process ${holder.pid}`}`,
      {
        hint: 'Wait for it to finish, or end it; reading commands work meanwhile.',
        path,
        details: holder === null ? {} : { holder: withoutKey(holder) },
      },
    )
  }

  /** Null when somebody else holds it. */
  static attempt(disk: Disk, layout: Layout): WriterLock | null {
    const path = layout.lock
    const handle = openOrCreate(disk, path)
    try {
      if (locked(disk, handle, path) && isStill(disk, path, handle)) {
        const former = readWriter(disk, handle)
        if (former?.address === undefined || former.address === null || former.address === 'soon')
          return new WriterLock(disk, handle, former)
        const lock = WriterLock.#succeed(disk, handle, layout, former)
        if (lock !== null) return lock
      }
    } catch (error) {
      disk.close(handle)
      throw error
    }
    disk.close(handle)
    return null
  }

  /**
   * The file still says that the one before can be reached. As long as it does, who found that one silent may take its place, and would take it from this
   * process. Null when that has just happened, or is about to.
   */
  static #succeed(disk: Disk, handle: FileHandle, layout: Layout, former: Writer): WriterLock | null {
    const election = openOrCreate(disk, layout.election)
    try {
      if (!disk.lock(election) || !isStill(disk, layout.lock, handle)) return null
      const lock = new WriterLock(disk, handle, former)
      lock.announceSoon()
      return lock
    } finally {
      disk.close(election)
    }
  }

  /**
   * Takes the right to write from the process that has it under a term, and does not answer any more; null when it cannot be taken now: another one is about
   * to do so, or the writer has been frozen amid something that nobody may come between. What that process left must be fenced off
   * before anything is written (see `isolate`).
   */
  static depose(disk: Disk, layout: Layout, term: number): WriterLock | null {
    const election = openOrCreate(disk, layout.election)
    try {
      const writer = disk.lock(election) ? WriterLock.signer(disk, layout.lock) : null
      if (writer?.term !== term || typeof writer.address !== 'object' || writer.address === null) return null
      const fence = openFence(disk, layout)
      try {
        if (!disk.lock(fence)) return null
        disk.rename(layout.lock, layout.deposed(term))
        const handle = disk.open(layout.lock, 'create', 0o600)
        if (disk.lock(handle)) return new WriterLock(disk, handle, writer)
        disk.close(handle)
        return null
      } finally {
        disk.close(fence)
      }
    } catch (error) {
      // Somebody opened the journal in just that moment.
      if (hasSystemCode(error, 'EEXIST', 'ENOENT')) return null
      throw error
    } finally {
      disk.close(election)
    }
  }

  /** What the file says of its holder, which may be gone; null: nothing. */
  static signer(disk: Disk, path: string): Writer | null {
    if (disk.lstat(path) === null) return null
    let handle: FileHandle
    try {
      handle = disk.open(path, 'read')
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT', 'EACCES', 'EPERM')) return null
      throw error
    }
    try {
      return readWriter(disk, handle)
    } finally {
      disk.close(handle)
    }
  }

  /** Who writes now; null when nobody does. Takes the lock for a moment to find out. */
  static holder(disk: Disk, path: string): Omit<Writer, 'address'> | { readonly pid: null } | null {
    if (disk.lstat(path) === null) return null
    let handle: FileHandle
    try {
      handle = disk.open(path, 'write')
    } catch (error) {
      // Where nothing can be written, nobody writes; nor while one process takes the place of another.
      if (hasSystemCode(error, 'EROFS', 'EACCES', 'EPERM', 'ENOENT')) return null
      throw error
    }
    try {
      if (disk.lock(handle)) return null
      const writer = readWriter(disk, handle)
      return writer === null ? { pid: null } : withoutKey(writer)
    } finally {
      disk.close(handle)
    }
  }

  /** Notes who this is. */
  sign(writer: Writer): void {
    const text = Buffer.from(`${JSON.stringify(writer)}\n`)
    this.#disk.truncate(this.#handle, 0)
    writeFully(this.#disk, this.#handle, text, 0)
  }

  /** Notes that somebody is about to write, who cannot be reached yet: nobody takes its place. */
  announceSoon(version?: string): void {
    this.sign({
      pid: process.pid,
      host: os.hostname(),
      term: this.term,
      since: this.#disk.now(),
      ...(version === undefined ? {} : { version }),
      address: 'soon',
    })
  }

  /** Notes that somebody is at work who does not write for others. */
  announceAlone(): void {
    this.sign({ pid: process.pid, host: os.hostname(), term: this.term, since: this.#disk.now(), address: null })
  }

  /** What a writer looks at before it relies on being one. */
  fence(layout: Layout): Fence {
    return new LockFence(this.#disk, layout, this.#disk.stat(this.#handle))
  }

  /** Releasing twice is no error. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#disk.close(this.#handle)
  }
}

/** @throws JournalError `IO` where there are no locks: nothing would keep two processes from writing at once */
function locked(disk: Disk, handle: FileHandle, path: string): boolean {
  try {
    return disk.lock(handle)
  } catch (error) {
    if (!hasSystemCode(error, 'ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL')) throw error
    throw new JournalError('IO', `${path} cannot be locked: its file system has no locks`, {
      hint: 'Without them two processes could write at once. Use a file system that has them; a network share may have to be mounted with locks.',
      path,
      cause: error,
    })
  }
}

/** Was the file not put aside between opening and locking it? */
function isStill(disk: Disk, path: string, handle: FileHandle): boolean {
  const own = disk.stat(handle)
  const now = disk.lstat(path)
  return now !== null && now.ino === own.ino && now.dev === own.dev
}

/** The key is nothing for messages and logs. */
function withoutKey({ address, ...writer }: Writer): Omit<Writer, 'address'> {
  return writer
}

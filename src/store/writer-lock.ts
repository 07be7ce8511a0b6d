import type { Disk, FileHandle } from '../disk/disk.ts'
import { readFully, writeFully } from '../disk/file.ts'
import { hasSystemCode, JournalError } from '../errors.ts'

/** Who holds the writer's lock, as noted in the file. */
export interface Writer {
  readonly pid: number
  readonly host: string
  readonly term: number
  /** Milliseconds since 1970. */
  readonly since: number
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

  private constructor(disk: Disk, handle: FileHandle) {
    this.#disk = disk
    this.#handle = handle
  }

  /** @throws JournalError `LOCKED` with the holder's process id */
  static async acquire(disk: Disk, path: string): Promise<WriterLock> {
    if (disk.lstat(path) === null) {
      try {
        disk.close(disk.open(path, 'create', 0o600))
      } catch (error) {
        if (disk.lstat(path) === null) throw error
      }
    }
    const handle = disk.open(path, 'write')
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        if (disk.lock(handle)) return new WriterLock(disk, handle)
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
      const holder = readWriter(disk, handle)
      throw new JournalError(
        'LOCKED',
        `the journal is being written by ${holder === null ? 'another process' : `process ${holder.pid}`}`,
        {
          hint: 'Wait for it to finish, or end it; reading commands work meanwhile.',
          path,
          details: holder === null ? {} : { holder },
        },
      )
    } catch (error) {
      disk.close(handle)
      throw error
    }
  }

  /** Who writes now; null when nobody does. Takes the lock for a moment to find out. */
  static holder(disk: Disk, path: string): Writer | { readonly pid: null } | null {
    if (disk.lstat(path) === null) return null
    let handle: FileHandle
    try {
      handle = disk.open(path, 'write')
    } catch (error) {
      // Where nothing can be written, nobody writes.
      if (hasSystemCode(error, 'EROFS', 'EACCES', 'EPERM')) return null
      throw error
    }
    try {
      return disk.lock(handle) ? null : (readWriter(disk, handle) ?? { pid: null })
    } finally {
      disk.close(handle)
    }
  }

  /** Notes who this is, for people. */
  sign(writer: Writer): void {
    const text = Buffer.from(`${JSON.stringify(writer)}\n`)
    this.#disk.truncate(this.#handle, 0)
    writeFully(this.#disk, this.#handle, text, 0)
  }

  release(): void {
    this.#disk.close(this.#handle)
  }
}

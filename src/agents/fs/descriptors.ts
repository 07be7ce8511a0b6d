import nodeFs from 'node:fs'
import { promisify } from 'node:util'
import { callbackOf } from './callbacks.ts'
import { absolute, bytesOf, fileOptions, modeBits, openFlags, pathText } from './given.ts'
import type { Mutator } from './mutation.ts'
import { nodeError } from './node-error.ts'
import type { OpenFile, OpenFiles } from './open-files.ts'
import { atOnce, runAsync, type Steps } from './steps.ts'

type Time = number | string | Date

/** Calls that open, close and commit by number. What only reads or writes bytes of an open file is Node's own. */
export class Descriptors {
  readonly #files: OpenFiles
  readonly #mutator: Mutator

  constructor(files: OpenFiles, mutator: Mutator) {
    this.#files = files
    this.#mutator = mutator
  }

  /** The file, when it is to be written and in a workspace; else null, and Node opens it. */
  *opening(path: unknown, flags: unknown, mode: unknown, late = false): Steps<OpenFile | null> {
    const given = pathText(path)
    const wanted = openFlags(flags)
    const bits = modeBits(mode)
    if (!wanted.writes && !wanted.creates && !wanted.truncates) return null
    const file = absolute(given)
    if (!this.#mutator.covers(file)) return null
    if (this.#mutator.refuses?.(file)) throw nodeError({ code: 'EACCES', syscall: 'open' }, given)
    return yield* this.#files.open({ path: file, given, flags: wanted, mode: bits, late })
  }

  /** As `fs.open`: what Node opens may have to be waited for, a pipe for one. `late`: see `Opening`. */
  openLater(late: boolean): (...given: unknown[]) => void {
    return callbackOf(async (path, flags, mode) => {
      const opened = await runAsync(this.opening(path, flags, mode, late), this.#mutator)
      return opened?.fd ?? promisify(nodeFs.open)(path as string, flags as string, mode as number)
    })
  }

  *open(path: unknown, flags?: unknown, mode?: unknown): Steps<number> {
    const opened = yield* this.opening(path, flags, mode)
    return opened?.fd ?? nodeFs.openSync(path as string, flags as string, mode as number)
  }

  *close(fd: unknown): Steps<void> {
    const file = this.#files.get(fd)
    try {
      if (file !== undefined) yield* this.#files.commit(file)
    } finally {
      if (file !== undefined) this.#files.forget(file)
      nodeFs.closeSync(fd as number)
    }
  }

  /** Closes a file without what was written since the last commit. */
  drop(fd: unknown): Steps<void> {
    return atOnce(() => {
      const file = this.#files.get(fd)
      if (file !== undefined) this.#files.forget(file)
      nodeFs.closeSync(fd as number)
    })
  }

  *fsync(fd: unknown): Steps<void> {
    const file = this.#files.get(fd)
    if (file === undefined) nodeFs.fsyncSync(fd as number)
    else yield* this.#files.commit(file)
  }

  fchmod(fd: unknown, mode: unknown): Steps<void> {
    return atOnce(() => {
      const file = this.#files.get(fd)
      if (file === undefined) return nodeFs.fchmodSync(fd as number, mode as number)
      file.chmod = modeBits(mode)
      file.dirty = true
    })
  }

  futimes(fd: unknown, atime: Time, mtime: Time): Steps<void> {
    return atOnce(() => {
      nodeFs.futimesSync(fd as number, atime, mtime)
      const file = this.#files.get(fd)
      if (file !== undefined) file.times = [atime, mtime]
    })
  }

  *fchown(fd: unknown, uid: number, gid: number): Steps<void> {
    const file = this.#files.get(fd)
    if (file === undefined) nodeFs.fchownSync(fd as number, uid, gid)
    else {
      yield* this.#files.commit(file)
      yield { op: 'chown', path: file.path, uid, gid, follow: true }
    }
  }

  ftruncate(fd: unknown, length?: number): Steps<void> {
    return atOnce(() => {
      nodeFs.ftruncateSync(fd as number, length)
      this.wrote(fd)
      const file = this.#files.get(fd)
      if (file !== undefined) file.shortened = true
    })
  }

  /** All of `data` at the place where the file is. */
  writeAll(fd: unknown, data: unknown, options?: unknown): Steps<void> {
    return atOnce(() => {
      const bytes = bytesOf(data, fileOptions(options).encoding)
      for (let at = 0; at < bytes.length; ) at += nodeFs.writeSync(fd as number, bytes, at)
      this.wrote(fd)
    })
  }

  wrote(fd: unknown): void {
    const file = this.#files.get(fd)
    if (file !== undefined) file.dirty = true
  }

  /** What is said of an open file is said of the one in the workspace, but for its size and times. */
  described<S extends nodeFs.Stats | nodeFs.BigIntStats>(fd: unknown, stats: S): S {
    const file = this.#files.get(fd)
    if (file === undefined) return stats
    const bigint = typeof stats.ino === 'bigint'
    const there = nodeFs.statSync(file.path, { bigint, throwIfNoEntry: false } as { bigint: false })
    if (there === undefined) return Object.assign(stats, { nlink: bigint ? 0n : 0 })
    const { dev, ino, nlink, uid, gid, mode } = there
    return Object.assign(stats, { dev, ino, nlink, uid, gid, mode })
  }
}

export const DESCRIPTOR_CALLS = ['open', 'close', 'fsync', 'fchmod', 'futimes', 'fchown', 'ftruncate'] as const

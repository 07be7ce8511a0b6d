import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { checkParent, checkWritable, linkedTo, stateAt } from './found.ts'
import type { OpenFlags } from './given.ts'
import { FsRefusal, nodeError } from './node-error.ts'
import { perform, type Steps } from './steps.ts'

/** A file that is open for writing. Its bytes are in a file of its own, outside of the workspace, until it is closed or synced. */
export interface OpenFile {
  /** What the caller has, open on the file of its own. */
  readonly fd: number
  /** The same for reading, from which it is committed. */
  readonly source: number
  readonly given: string
  path: string
  readonly appends: boolean
  /** Of an appending one: what was there before, and is in the file of its own too unless that is `late`. */
  base: number
  /** Of an appending one: it was made shorter, so that more is to be written than what came behind `base`. */
  shortened: boolean
  dirty: boolean
  /** Permission bits to be set with the content. */
  chmod: number | undefined
  /** Of a file that is not there before the commit. */
  readonly mode: number | undefined
  times: readonly [atime: number | string | Date, mtime: number | string | Date] | null
  /** Its name is gone: so are its bytes, when it is closed. */
  orphan: boolean
}

export interface Opening {
  readonly path: string
  readonly given: string
  readonly flags: OpenFlags
  readonly mode: number | undefined
  /** Not made in the workspace before it is committed. */
  readonly late?: boolean
}

/** Files that are open for writing through a facade. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>()

  get(fd: unknown): OpenFile | undefined {
    return typeof fd === 'number' ? this.#files.get(fd) : undefined
  }

  /** Opens a file that can be written. A file that is not there is made at once, as others may look for it. */
  *open({ path: named, given, flags, mode, late = false }: Opening): Steps<OpenFile> {
    let exists = this.#check(named, given, flags)
    const path = exists ? named : linkedTo(named)
    if (!exists && !late) {
      exists = true
      const content = new Uint8Array()
      try {
        yield* perform({ op: 'write', path, content, mode, exclusive: true }, given)
      } catch (error) {
        if (flags.exclusive || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
    return this.#opened({ path, given, flags, mode, late }, exists)
  }

  #check(path: string, given: string, flags: OpenFlags): boolean {
    try {
      const state = stateAt(path, true)
      if (typeof state !== 'string') {
        if (flags.exclusive) throw new FsRefusal('EEXIST', 'open')
        if (state.isDirectory()) throw new FsRefusal('EISDIR', 'open')
        if (!state.isFile()) throw new FsRefusal('EINVAL', 'open')
        checkWritable(path, 'open')
        return true
      }
      if (flags.exclusive && typeof stateAt(path, false) !== 'string') throw new FsRefusal('EEXIST', 'open')
      if (state !== 'ENOENT' || !flags.creates) throw new FsRefusal(state, 'open')
      checkParent(linkedTo(path), 'open')
      return false
    } catch (error) {
      throw error instanceof FsRefusal ? nodeError(error.fault, given) : error
    }
  }

  #opened({ path, given, flags, mode, late = false }: Opening, exists: boolean): OpenFile {
    const folder = mkdtempSync(join(tmpdir(), 'write-journal-'))
    try {
      const file = join(folder, 'open')
      const size = exists ? statSync(path).size : 0
      const keeps = exists && size > 0 && !flags.truncates && !(late && flags.appends)
      if (keeps) copyFileSync(path, file, constants.COPYFILE_FICLONE)
      else closeSync(openSync(file, 'w', 0o600))
      const { O_APPEND, O_RDWR, O_WRONLY } = constants
      const fd = openSync(file, (flags.reads ? O_RDWR : O_WRONLY) | (flags.appends ? O_APPEND : 0))
      const opened: OpenFile = {
        fd,
        source: openSync(file, 'r'),
        given,
        path,
        appends: flags.appends,
        base: keeps ? size : 0,
        shortened: false,
        dirty: flags.truncates ? size > 0 || !exists : !exists,
        chmod: undefined,
        mode,
        times: null,
        orphan: false,
      }
      this.#files.set(fd, opened)
      return opened
    } finally {
      // On Windows a name goes when the last who has it open closes it.
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  /** Puts into the workspace what was written so far. */
  *commit(file: OpenFile): Steps<void> {
    if (file.orphan) return
    if (file.dirty) {
      const { path, given, source, appends, base, mode, chmod, shortened } = file
      file.dirty = false
      try {
        if (appends && !shortened) {
          const { size } = fstatSync(source)
          if (size > base) yield* perform({ op: 'append', path, content: { fd: source, from: base }, mode }, given)
          if (chmod !== undefined) yield* perform({ op: 'chmod', path, mode: chmod }, given)
          file.base = Math.max(base, size)
        } else yield* perform({ op: 'write', path, content: { fd: source, from: 0 }, mode, chmod }, given)
      } catch (error) {
        file.dirty = true
        throw error
      }
    }
    if (file.times !== null) utimesSync(file.path, ...file.times)
  }

  /** Forgets a file, whose `fd` the caller closes. What was not committed is gone. */
  forget(file: OpenFile): void {
    this.#files.delete(file.fd)
    closeSync(file.source)
  }

  /** A path is gone, or another file has it now. */
  gone(path: string): void {
    for (const file of this.#files.values()) if (isAt(file.path, path)) file.orphan = true
  }

  moved(path: string, to: string): void {
    this.gone(to)
    for (const file of this.#files.values()) {
      if (isAt(file.path, path)) file.path = to + file.path.slice(path.length)
    }
  }
}

function isAt(file: string, path: string): boolean {
  return file === path || file.startsWith(path + sep)
}

import { randomBytes } from 'node:crypto'
import { closeSync, constants, writeSync } from 'node:fs'
import { type CopyOptions, copying } from './copying.ts'
import { stateAt } from './found.ts'
import { absolute, bytesOf, fileOptions, invalidArgument, modeBits, openFlags, pathText } from './given.ts'
import { nodeError } from './node-error.ts'
import type { OpenFile, OpenFiles } from './open-files.ts'
import { perform, type Steps } from './steps.ts'

const TEMPORARY_ATTEMPTS = 100
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const { COPYFILE_EXCL } = constants

/** Calls that change something by its path, with the arguments that Node's functions of these names take. */
export class Operations {
  readonly #files: OpenFiles

  constructor(files: OpenFiles) {
    this.#files = files
  }

  *writeFile(file: unknown, data: unknown, options?: unknown): Steps<void> {
    const { encoding, mode, flag = 'w', signal } = fileOptions(options)
    checkSignal(signal)
    const given = pathText(file)
    const bytes = bytesOf(data, encoding)
    const flags = openFlags(flag)
    const path = absolute(given)
    if (!flags.writes) throw this.#unwritable(path, given)
    const bits = modeBits(mode)
    if (flags.appends && !flags.exclusive) {
      yield* perform({ op: 'append', path, content: bytes, mode: bits }, given)
    } else if (flags.truncates || flags.exclusive) {
      const { exclusive, creates } = flags
      yield* perform({ op: 'write', path, content: bytes, mode: bits, exclusive, existing: !creates }, given)
    } else {
      // Over the beginning of what is there.
      const opened = yield* this.#files.open({ path, given, flags, mode: bits })
      yield* this.#overwritten(opened, bytes)
    }
  }

  #unwritable(path: string, given: string): Error {
    const state = stateAt(path, true)
    if (typeof state === 'string') return nodeError({ code: state, syscall: 'open' }, given)
    return nodeError({ code: 'EBADF', syscall: 'write' })
  }

  *#overwritten(opened: OpenFile, bytes: Uint8Array): Steps<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(opened.fd, bytes, at, bytes.length - at, at)
      opened.dirty = true
      yield* this.#files.commit(opened)
    } finally {
      this.#files.forget(opened)
      closeSync(opened.fd)
    }
  }

  *appendFile(file: unknown, data: unknown, options?: unknown): Steps<void> {
    yield* this.writeFile(file, data, { flag: 'a', ...fileOptions(options) })
  }

  *truncate(file: unknown, length: unknown = 0): Steps<void> {
    const given = pathText(file)
    if (length !== null && typeof length !== 'number') throw invalidArgument('len', 'of type number', length)
    yield* perform({ op: 'truncate', path: absolute(given), length: Math.max(0, length ?? 0) }, given)
  }

  *unlink(file: unknown): Steps<void> {
    const given = pathText(file)
    const path = absolute(given)
    yield* perform({ op: 'unlink', path }, given)
    this.#files.gone(path)
  }

  *rmdir(folder: unknown, options?: { readonly recursive?: boolean }): Steps<void> {
    const given = pathText(folder)
    const path = absolute(given)
    if (options?.recursive === true) yield* this.rm(folder, { recursive: true })
    else yield* perform({ op: 'rmdir', path }, given)
  }

  *rm(file: unknown, options?: { readonly recursive?: boolean; readonly force?: boolean }): Steps<void> {
    const given = pathText(file)
    const path = absolute(given)
    const { recursive = false, force = false } = options ?? {}
    yield* perform({ op: 'rm', path, recursive, force }, given)
    this.#files.gone(path)
  }

  *mkdir(folder: unknown, options?: unknown): Steps<string | undefined> {
    const given = pathText(folder)
    const settings = typeof options === 'object' && options !== null ? options : { mode: options }
    const { recursive = false, mode } = settings as { readonly recursive?: boolean; readonly mode?: unknown }
    const made = yield* perform({ op: 'mkdir', path: absolute(given), recursive, mode: modeBits(mode) }, given)
    return made as string | undefined
  }

  *mkdtemp(prefix: unknown): Steps<string> {
    const beginning = pathText(prefix, 'prefix')
    for (let attempt = 0; ; attempt += 1) {
      const given = beginning + [...randomBytes(6)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
      try {
        yield* perform({ op: 'mkdir', path: absolute(given), recursive: false, mode: 0o700 }, given)
        return given
      } catch (error) {
        const taken = (error as NodeJS.ErrnoException).code === 'EEXIST' && attempt < TEMPORARY_ATTEMPTS
        if (!taken) throw Object.assign(error as Error, { syscall: 'mkdtemp', path: `${beginning}XXXXXX` })
      }
    }
  }

  *rename(from: unknown, to: unknown): Steps<void> {
    const [given, dest] = [pathText(from, 'oldPath'), pathText(to, 'newPath')]
    const [path, target] = [absolute(given), absolute(dest)]
    yield* perform({ op: 'rename', path, to: target }, given, dest)
    if (path !== target) this.#files.moved(path, target)
  }

  *copyFile(from: unknown, to: unknown, mode: unknown = 0): Steps<void> {
    const [given, dest] = [pathText(from, 'src'), pathText(to, 'dest')]
    const exclusive = (Number(mode) & COPYFILE_EXCL) !== 0
    yield* perform({ op: 'copyFile', path: absolute(given), to: absolute(dest), exclusive }, given, dest)
  }

  *cp(from: unknown, to: unknown, options: CopyOptions = {}): Steps<void> {
    yield* copying(pathText(from, 'src'), pathText(to, 'dest'), options)
  }

  *symlink(target: unknown, path: unknown, _type?: unknown): Steps<void> {
    const [leads, given] = [pathText(target, 'target'), pathText(path)]
    yield* perform({ op: 'symlink', path: absolute(given), target: leads }, leads, given)
  }

  *link(existing: unknown, path: unknown): Steps<void> {
    const [given, dest] = [pathText(existing, 'existingPath'), pathText(path, 'newPath')]
    yield* perform({ op: 'link', path: absolute(dest), existing: absolute(given) }, given, dest)
  }

  *chmod(file: unknown, mode: unknown): Steps<void> {
    const given = pathText(file)
    const bits = modeBits(mode)
    if (bits === undefined) throw invalidArgument('mode', 'permission bits', mode)
    yield* perform({ op: 'chmod', path: absolute(given), mode: bits }, given)
  }

  *chown(file: unknown, uid: number, gid: number): Steps<void> {
    const given = pathText(file)
    yield* perform({ op: 'chown', path: absolute(given), uid, gid, follow: true }, given)
  }

  *lchown(file: unknown, uid: number, gid: number): Steps<void> {
    const given = pathText(file)
    yield* perform({ op: 'chown', path: absolute(given), uid, gid, follow: false }, given)
  }
}

export const OPERATIONS = [
  'writeFile',
  'appendFile',
  'truncate',
  'unlink',
  'rmdir',
  'rm',
  'mkdir',
  'mkdtemp',
  'rename',
  'copyFile',
  'cp',
  'symlink',
  'link',
  'chmod',
  'chown',
  'lchown',
] as const satisfies readonly (keyof Operations)[]

function checkSignal(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  const error = new Error('The operation was aborted', { cause: signal.reason })
  throw Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}

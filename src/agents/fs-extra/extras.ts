/** What fs-extra adds to `fs`. Each call that changes something is one transaction, where all of it lies in one workspace. */
import { lstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { copying } from '../fs/copying.ts'
import { stateAt } from '../fs/found.ts'
import { absolute, bytesOf, fileOptions, modeBits, pathText } from '../fs/given.ts'
import { withoutJournals } from '../fs/listing.ts'
import type { Step } from '../fs/mutation.ts'
import type { Operations } from '../fs/operations.ts'
import { atOnce, perform, type Steps } from '../fs/steps.ts'
import { checkPlaces } from './places.ts'

export interface CopyOptions {
  readonly overwrite?: boolean
  readonly clobber?: boolean
  readonly errorOnExist?: boolean
  readonly dereference?: boolean
  readonly preserveTimestamps?: boolean
  readonly filter?: (source: string, destination: string) => unknown
}

export interface MoveOptions {
  readonly overwrite?: boolean
  readonly clobber?: boolean
  readonly dereference?: boolean
}

export interface JsonOptions {
  readonly encoding?: BufferEncoding
  readonly mode?: number
  readonly flag?: string
  readonly replacer?: unknown
  readonly spaces?: number | string
  readonly EOL?: string
  readonly finalEOL?: boolean
  readonly reviver?: (key: string, value: unknown) => unknown
  readonly throws?: boolean
}

export class Extras {
  readonly #operations: Operations

  constructor(operations: Operations) {
    this.#operations = operations
  }

  *copy(from: unknown, to: unknown, given: CopyOptions | CopyOptions['filter'] = {}): Steps<void> {
    const { filter, ...options } = typeof given === 'function' ? { filter: given } : given
    const { dereference = false, preserveTimestamps = false, errorOnExist = false } = options
    const force = options.overwrite ?? options.clobber ?? true
    const [src, dest] = [pathText(from), pathText(to)]
    checkPlaces(src, dest, 'copy', dereference)
    const settings = { recursive: true, force, errorOnExist, dereference, preserveTimestamps, verbatimSymlinks: true }
    try {
      yield* copying(src, dest, filter === undefined ? settings : { ...settings, filter })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_FS_CP_EEXIST') throw error
      throw new Error(`'${dest}' already exists`, { cause: error })
    }
  }

  *move(from: unknown, to: unknown, options: MoveOptions = {}): Steps<void> {
    const [src, dest] = [pathText(from), pathText(to)]
    checkPlaces(src, dest, 'move', false)
    const [path, target] = [absolute(src), absolute(dest)]
    const exists = typeof stateAt(target, false) !== 'string'
    const overwrite = options.overwrite ?? options.clobber ?? false
    if (exists && !overwrite) throw new Error('dest already exists.')
    const steps: Step[] = exists ? [{ op: 'remove', path: target }] : missingAbove(target)
    try {
      yield* perform(
        { op: 'batch', path, syscall: 'rename', steps: [...steps, { op: 'rename', path, to: target }] },
        src,
        dest,
      )
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      yield* this.copy(src, dest, { overwrite, errorOnExist: true, preserveTimestamps: true })
      yield* this.remove(src)
    }
  }

  *remove(path: unknown): Steps<void> {
    yield* this.#operations.rm(path, { recursive: true, force: true })
  }

  /** The first folder that was made; undefined when it was there. */
  *emptyDir(folder: unknown): Steps<string | undefined> {
    const given = pathText(folder)
    const path = absolute(given)
    let names: string[]
    try {
      names = withoutJournals(readdirSync(path))
    } catch {
      return yield* this.ensureDir(folder)
    }
    const steps: Step[] = names.map((name) => ({ op: 'remove', path: join(path, name) }))
    if (steps.length > 0)
      yield* perform({ op: 'batch', path: join(path, names[0] as string), syscall: 'rm', steps }, given)
    return undefined
  }

  *ensureDir(folder: unknown, options?: unknown): Steps<string | undefined> {
    const { mode } =
      typeof options === 'object' && options !== null ? (options as { mode?: unknown }) : { mode: options }
    return yield* this.#operations.mkdir(folder, { recursive: true, mode })
  }

  *ensureFile(file: unknown): Steps<void> {
    const path = absolute(pathText(file))
    const state = stateAt(path, true)
    if (typeof state !== 'string' && state.isFile()) return
    const folder = stateAt(dirname(path), true)
    if (typeof folder !== 'string' && !folder.isDirectory()) readdirSync(dirname(path))
    yield* this.outputFile(file, '')
  }

  *ensureLink(existing: unknown, path: unknown): Steps<void> {
    const [src, dest] = [pathText(existing), pathText(path)]
    const there = stateAt(dest, false)
    const from = standing(src, 'ensureLink')
    if (typeof there !== 'string' && there.ino === from.ino && there.dev === from.dev) return
    yield* this.#parents(dest)
    yield* this.#operations.link(src, dest)
  }

  *ensureSymlink(target: unknown, path: unknown, type?: unknown): Steps<void> {
    const [src, dest] = [pathText(target), pathText(path)]
    const folder = dirname(dest)
    const besides = join(folder, src)
    const link = stateAt(dest, false)
    if (typeof link !== 'string' && link.isSymbolicLink()) {
      const leads = statSync(isAbsolute(src) || typeof stateAt(besides, true) === 'string' ? src : besides)
      const now = stateAt(dest, true)
      if (typeof now !== 'string' && now.ino === leads.ino && now.dev === leads.dev) return
    }
    const isBeside = !isAbsolute(src) && typeof stateAt(besides, true) !== 'string'
    if (!isBeside) standing(src, 'ensureSymlink')
    yield* this.#parents(dest)
    yield* this.#operations.symlink(isAbsolute(src) || isBeside ? src : relative(folder, src), dest, type)
  }

  *outputFile(file: unknown, data: unknown, options?: unknown): Steps<void> {
    const given = pathText(file)
    const path = absolute(given)
    const steps = missingAbove(path)
    const { encoding, mode, flag = 'w' } = fileOptions(options)
    if (steps.length === 0 || flag !== 'w') {
      yield* this.#parents(given)
      yield* this.#operations.writeFile(file, data, options)
      return
    }
    const bits = modeBits(mode)
    const written: Step = { op: 'write', path, content: bytesOf(data, encoding) }
    steps.push(bits === undefined ? written : { ...written, mode: bits & ~process.umask() })
    yield* perform({ op: 'batch', path, syscall: 'open', steps }, given)
  }

  *writeJson(file: unknown, value: unknown, options?: JsonOptions | BufferEncoding): Steps<void> {
    yield* this.#operations.writeFile(file, jsonText(value, jsonOptions(options)), jsonOptions(options))
  }

  *outputJson(file: unknown, value: unknown, options?: JsonOptions | BufferEncoding): Steps<void> {
    yield* this.outputFile(file, jsonText(value, jsonOptions(options)), jsonOptions(options))
  }

  readJson(file: unknown, options?: JsonOptions | BufferEncoding): Steps<unknown> {
    return atOnce(() => {
      const { encoding = 'utf8', reviver, throws = true } = jsonOptions(options)
      const text = readFileSync(file as string, { encoding }).replace(/^\ufeff/, '')
      try {
        return JSON.parse(text, reviver) as unknown
      } catch (error) {
        if (!throws) return null
        if (error instanceof Error) error.message = `${String(file)}: ${error.message}`
        throw error
      }
    })
  }

  pathExists(path: unknown): Steps<boolean> {
    return atOnce(() => typeof stateAt(pathText(path), true) !== 'string')
  }

  *#parents(path: string): Steps<void> {
    const folder = dirname(absolute(path))
    if (typeof stateAt(folder, true) === 'string') yield* this.#operations.mkdir(folder, { recursive: true })
  }
}

/** Names under which fs-extra has each of them. */
export const EXTRAS: Readonly<Record<string, readonly string[]>> = {
  copy: ['copy'],
  move: ['move'],
  remove: ['remove'],
  emptyDir: ['emptyDir', 'emptydir'],
  ensureDir: ['ensureDir', 'mkdirs', 'mkdirp'],
  ensureFile: ['ensureFile', 'createFile'],
  ensureLink: ['ensureLink', 'createLink'],
  ensureSymlink: ['ensureSymlink', 'createSymlink'],
  outputFile: ['outputFile'],
  writeJson: ['writeJson', 'writeJSON'],
  outputJson: ['outputJson', 'outputJSON'],
  readJson: ['readJson', 'readJSON'],
  pathExists: ['pathExists'],
}

/** As a step for each folder that is missing above a path, outermost first. Where something else is in the way, what comes next finds out. */
function missingAbove(path: string): Step[] {
  const steps: Step[] = []
  for (let folder = dirname(path); stateAt(folder, true) === 'ENOENT'; folder = dirname(folder)) {
    steps.unshift({ op: 'mkdir', path: folder })
  }
  return steps
}

function standing(path: string, doing: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replace('lstat', doing)
    throw error
  }
}

function jsonOptions(options: JsonOptions | BufferEncoding | undefined): JsonOptions {
  return typeof options === 'string' ? { encoding: options } : (options ?? {})
}

function jsonText(value: unknown, { EOL = '\n', finalEOL = true, replacer = null, spaces }: JsonOptions): string {
  const text = JSON.stringify(value, replacer as null, spaces) as string | undefined
  if (text === undefined) throw new TypeError(`Converting ${typeof value} value to JSON is not supported`)
  return text.replaceAll('\n', EOL) + (finalEOL ? EOL : '')
}

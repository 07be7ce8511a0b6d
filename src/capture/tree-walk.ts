import type { DirectoryEntry, Disk, FileStat } from '../disk/disk.ts'
import { isJournalName } from '../entry/path.ts'
import { hasSystemCode, isSystemError, JournalError } from '../errors.ts'
import { byPath } from '../history/path-scope.ts'
import { checkName, joinPath } from '../workspace/safe-path.ts'
import type { IgnoreRules } from './ignore-rules.ts'
import type { LeftOutReason } from './left-out.ts'

const MAX_PATH_BYTES = 4096
/** What stands for bytes that are no UTF-8. */
const REPLACEMENT = '\uFFFD'
const SURROGATE = /[\ud800-\udfff]/

/** Something that stands in the workspace. */
export interface Standing {
  readonly path: string
  /** Null for what could not be looked at. */
  readonly stat: FileStat | null
  /** Why it is not to be taken in, unless the journal knows it; null: it is. */
  readonly leftOut: LeftOutReason | null
  /** Why what is in this folder is not looked at; null: it is. */
  readonly closed: LeftOutReason | null
}

/** A step within a folder: a name itself, or into the folder of that name. */
interface Step {
  readonly name: string
  /** Of a folder to go into: what is in it. */
  readonly inside: readonly DirectoryEntry[] | null
  /** Where it comes in the order of the index. */
  readonly key: string
}

interface Level {
  readonly folder: string
  readonly steps: Step[]
  at: number
}

/** Goes through a folder in the order in which the index has its paths, and follows no symbolic link. Memory follows the depth and the width of the tree. */
export class TreeWalk {
  readonly #disk: Disk
  readonly #root: string
  readonly #rules: IgnoreRules
  readonly #levels: Level[] = []
  #first: string | null

  /** `scope`: a path whose folders are real ones, and not left out; '' for the workspace. */
  constructor(disk: Disk, root: string, rules: IgnoreRules, scope: string) {
    this.#disk = disk
    this.#root = root
    this.#rules = rules
    this.#first = scope
  }

  /** The next path; null at the end. */
  next(): Standing | null {
    if (this.#first !== null) {
      const scope = this.#first
      this.#first = null
      if (scope === '') this.#open('', this.#disk.readDirectory(this.#root))
      else {
        const found = this.#look(scope)
        if (found !== null) return found
      }
    }
    for (;;) {
      const level = this.#levels.at(-1)
      if (level === undefined) return null
      const step = level.steps[level.at]
      if (step === undefined) {
        this.#levels.pop()
        continue
      }
      level.at += 1
      const path = joinPath(level.folder, step.name)
      if (step.inside !== null) {
        this.#open(path, step.inside)
        continue
      }
      // The journal of this workspace.
      if (level.folder === '' && isJournalName(step.name)) continue
      this.#rules.enter(level.folder)
      const found = this.#look(path, level)
      if (found !== null) return found
    }
  }

  #open(folder: string, entries: readonly DirectoryEntry[]): void {
    this.#rules.enter(folder, new Set(entries.map(({ name }) => name)))
    const steps = entries.map(({ name }): Step => ({ name, inside: null, key: name }))
    if (entries.some(({ name }) => SURROGATE.test(name))) steps.sort((a, b) => byPath(a.key, b.key))
    this.#levels.push({ folder, steps, at: 0 })
  }

  /** Null when nothing is there any more. `level`: where it is, when not at the beginning. */
  #look(path: string, level?: Level): Standing | null {
    const name = path.slice(path.lastIndexOf('/') + 1)
    let stat: FileStat | null
    try {
      stat = this.#disk.lstat(`${this.#root}/${path}`)
    } catch (error) {
      if (!isSystemError(error)) throw error
      const reason = error.code === 'ENAMETOOLONG' ? 'name' : 'unreadable'
      return { path, stat: null, leftOut: reason, closed: reason }
    }
    if (stat === null) {
      // A name that is no text cannot be asked for by it.
      return name.includes(REPLACEMENT) ? { path, stat: null, leftOut: 'name', closed: 'name' } : null
    }
    const refused = nameRefused(name, path)
    if (refused !== null) return { path, stat, leftOut: refused, closed: refused }
    if (stat.kind === 'other') return { path, stat, leftOut: 'kind', closed: null }
    if (stat.kind !== 'dir') return { path, stat, leftOut: null, closed: null }
    const ignored = this.#rules.reason(path, true)
    if (ignored !== null) return { path, stat, leftOut: ignored, closed: ignored }
    let inside: readonly DirectoryEntry[]
    try {
      inside = this.#disk.readDirectory(`${this.#root}/${path}`)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return null
      if (!isSystemError(error)) throw error
      return { path, stat, leftOut: null, closed: 'unreadable' }
    }
    if (inside.some((entry) => isJournalName(entry.name))) return { path, stat, leftOut: 'journal', closed: 'journal' }
    if (level === undefined) this.#open(path, inside)
    else insert(level, { name, inside, key: `${name}/` })
    return { path, stat, leftOut: null, closed: null }
  }
}

/** What is in a folder comes behind names like `folder-2`: a slash sorts after many characters. */
function insert({ steps, at }: Level, step: Step): void {
  let low = at
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comesBefore((steps[middle] as Step).key, step.key)) low = middle + 1
    else high = middle
  }
  steps.splice(low, 0, step)
}

/** Nobody's path holds such a name. */
function nameRefused(name: string, path: string): LeftOutReason | null {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return 'name'
  try {
    checkName(name, path)
    return name.isWellFormed() ? null : 'name'
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    return error.code === 'PATH_OUTSIDE' ? 'journal' : 'name'
  }
}

/** The order of the index: by UTF-8 bytes. */
export function comesBefore(a: string, b: string): boolean {
  return SURROGATE.test(a) || SURROGATE.test(b) ? byPath(a, b) < 0 : a < b
}

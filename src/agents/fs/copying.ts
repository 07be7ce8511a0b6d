import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, utimesSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { isJournalName } from '../../entry/path.ts'
import { standing, stateAt } from './found.ts'
import { absolute } from './given.ts'
import type { Step } from './mutation.ts'
import { FsRefusal, nodeError } from './node-error.ts'
import { perform, type Steps } from './steps.ts'

/** As `fs.cp` takes them. */
export interface CopyOptions {
  readonly recursive?: boolean
  readonly force?: boolean
  readonly errorOnExist?: boolean
  readonly dereference?: boolean
  readonly verbatimSymlinks?: boolean
  readonly preserveTimestamps?: boolean
  readonly filter?: (source: string, destination: string) => unknown
}

interface Plan {
  readonly options: CopyOptions
  readonly steps: Step[]
  readonly times: (readonly [path: string, state: Stats])[]
}

/** Copies a file, or with `recursive` a folder: all of it is one transaction. */
export function* copying(from: string, to: string, options: CopyOptions): Steps<void> {
  const plan: Plan = { options, steps: [], times: [] }
  const [source, target] = [absolute(from), absolute(to)]
  try {
    if (!(yield* wanted(plan, source, target))) return
    checkPlaces(source, target, options)
    for (const folder of missingAbove(target)) plan.steps.push({ op: 'mkdir', path: folder })
    yield* copyOne(plan, source, target)
  } catch (error) {
    throw error instanceof FsRefusal ? nodeError(error.fault, from, to) : error
  }
  if (plan.steps.length > 0) {
    yield* perform({ op: 'batch', path: target, steps: plan.steps, syscall: 'cp' }, from, to)
  }
  for (const [path, { atime, mtime }] of plan.times) utimesSync(path, atime, mtime)
}

function* wanted({ options }: Plan, source: string, target: string): Steps<boolean> {
  const { filter } = options
  if (filter === undefined) return true
  const answer = filter(source, target)
  return Boolean(yield { op: 'ask', answer })
}

function checkPlaces(source: string, target: string, { dereference = false, recursive = false }: CopyOptions): void {
  const to = stateAt(target, dereference)
  if (typeof to === 'string' && to !== 'ENOENT') throw new FsRefusal(to, 'cp')
  const from = standing(source, 'cp', dereference)
  if (typeof to !== 'string') {
    if (to.ino === from.ino && to.dev === from.dev) throw new FsRefusal('ERR_FS_CP_EINVAL', 'cp')
    if (from.isDirectory() && !to.isDirectory()) throw new FsRefusal('ERR_FS_CP_DIR_TO_NON_DIR', 'cp')
    if (!from.isDirectory() && to.isDirectory()) throw new FsRefusal('ERR_FS_CP_NON_DIR_TO_DIR', 'cp')
  }
  if (!from.isDirectory()) return
  const real = realpathSync.native(source)
  if (`${target}${sep}`.startsWith(`${real}${sep}`) || `${target}${sep}`.startsWith(`${source}${sep}`)) {
    throw new FsRefusal('ERR_FS_CP_EINVAL', 'cp')
  }
  if (!recursive) throw new FsRefusal('ERR_FS_EISDIR', 'cp')
}

function missingAbove(path: string): string[] {
  const missing: string[] = []
  for (let folder = dirname(path); typeof stateAt(folder, true) === 'string'; folder = dirname(folder)) {
    missing.push(folder)
  }
  return missing.reverse()
}

function* copyOne(plan: Plan, source: string, target: string): Steps<void> {
  const { dereference = false, preserveTimestamps = false } = plan.options
  const state = standing(source, 'cp', dereference)
  const there = stateAt(target, dereference)
  if (state.isDirectory()) {
    yield* copyFolder(plan, source, target, state, typeof there !== 'string')
  } else if (state.isFile()) {
    if (!replaces(plan, there)) return
    plan.steps.push({ op: 'write', path: target, content: { file: source }, mode: state.mode & 0o7777 })
    if (preserveTimestamps) plan.times.push([target, state])
  } else if (state.isSymbolicLink()) copyLink(plan, source, target, there)
  else throw new FsRefusal(state.isSocket() ? 'ERR_FS_CP_SOCKET' : 'ERR_FS_CP_FIFO_PIPE', 'cp')
}

function* copyFolder(plan: Plan, source: string, target: string, { mode }: Stats, exists: boolean): Steps<void> {
  if (exists && !lstatSync(target).isDirectory()) throw new FsRefusal('ERR_FS_CP_DIR_TO_NON_DIR', 'cp')
  if (!exists) plan.steps.push({ op: 'mkdir', path: target, mode: mode & 0o7777 })
  for (const name of readdirSync(source).sort()) {
    if (isJournalName(name)) continue
    const [from, to] = [join(source, name), join(target, name)]
    if (yield* wanted(plan, from, to)) yield* copyOne(plan, from, to)
  }
}

function replaces({ options }: Plan, there: Stats | string): boolean {
  if (typeof there === 'string') return true
  if (there.isDirectory()) throw new FsRefusal('ERR_FS_CP_NON_DIR_TO_DIR', 'cp')
  if (options.force ?? true) return true
  if (options.errorOnExist) throw new FsRefusal('ERR_FS_CP_EEXIST', 'cp')
  return false
}

function copyLink(plan: Plan, source: string, target: string, there: Stats | string): void {
  const read = readlinkSync(source)
  const leads = plan.options.verbatimSymlinks === true ? read : resolve(dirname(source), read)
  if (typeof there !== 'string') {
    if (!there.isSymbolicLink()) throw new FsRefusal('EEXIST', 'symlink')
    plan.steps.push({ op: 'remove', path: target })
  }
  plan.steps.push({ op: 'symlink', path: target, target: leads })
}

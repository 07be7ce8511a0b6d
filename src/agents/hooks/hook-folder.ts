import { closeSync, constants, lstatSync, mkdirSync, openSync, realpathSync, renameSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { JOURNAL_FOLDER } from '../../entry/path.ts'

/** Bytes after which the trace of failures begins anew; the one before is kept beside it. */
const MAX_TRACE = 128 * 1024

/** Windows has no such flag. */
const NOFOLLOW = constants.O_NOFOLLOW ?? 0

/** Where the hooks of a workspace keep what they have to remember between two calls. All of it can be deleted at any time. */
export function hookFolder(root: string): string {
  return join(root, JOURNAL_FOLDER, 'hooks')
}

/** @throws Error when something else stands there: a link that an archive brought along may lead anywhere */
export function makeHookFolder(root: string, name = ''): string {
  const folder = join(hookFolder(root), name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is no folder`)
  return folder
}

export function tracePath(root: string): string {
  return join(root, JOURNAL_FOLDER, 'hooks.log')
}

/** The nearest folder upwards that has a journal, by its one true path; null when none has. */
export function workspaceAbove(start: string): string | null {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (hasJournal(folder)) return realpathSync.native(folder)
    if (dirname(folder) === folder) return null
  }
}

function hasJournal(folder: string): boolean {
  try {
    const journal = join(folder, JOURNAL_FOLDER)
    if (lstatSync(journal, { throwIfNoEntry: false })?.isDirectory() !== true) return false
    return lstatSync(join(journal, 'FORMAT'), { throwIfNoEntry: false })?.isFile() === true
  } catch {
    // A part of the path is a file, or may not be looked into.
    return false
  }
}

/** One failure of a hook. */
export interface Trace {
  /** ISO 8601. */
  readonly time: string
  readonly event: string
  readonly message: string
  readonly code?: string
  readonly tool?: string
  readonly call?: string
  readonly session?: string
}

/** Notes a failure where `journal hook doctor` finds it. Never throws: there is nobody left to tell. */
export function leaveTrace(root: string, failure: Omit<Trace, 'time'>): void {
  const path = tracePath(root)
  try {
    if ((lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_TRACE) renameSync(path, `${path}.1`)
    const line = JSON.stringify({ time: new Date().toISOString(), ...failure })
    const handle = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | NOFOLLOW, 0o600)
    try {
      writeSync(handle, `${line.slice(0, 4096)}\n`)
    } finally {
      closeSync(handle)
    }
  } catch {
    // A full disk, a journal that was removed meanwhile.
  }
}

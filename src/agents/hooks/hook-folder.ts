import { appendFileSync, mkdirSync, realpathSync, renameSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { JOURNAL_FOLDER } from '../../entry/path.ts'

/** Bytes after which the trace of failures begins anew; the one before is kept beside it. */
const MAX_TRACE = 128 * 1024

/** Where the hooks of a workspace keep what they have to remember between two calls. All of it can be deleted at any time. */
export function hookFolder(root: string): string {
  return join(root, JOURNAL_FOLDER, 'hooks')
}

export function makeHookFolder(root: string): string {
  const folder = hookFolder(root)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
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
    return statSync(join(folder, JOURNAL_FOLDER, 'FORMAT'), { throwIfNoEntry: false })?.isFile() === true
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
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_TRACE) renameSync(path, `${path}.1`)
    const line = JSON.stringify({ time: new Date().toISOString(), ...failure })
    appendFileSync(path, `${line.slice(0, 4096)}\n`, { mode: 0o600 })
  } catch {
    // A full disk, a journal that was removed meanwhile.
  }
}

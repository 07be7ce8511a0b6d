import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { JOURNAL_FOLDER } from '../entry/path.ts'
import { JournalError } from '../errors.ts'

/** True when the folder has a journal. */
export function hasJournal(folder: string): boolean {
  return statSync(path.join(folder, JOURNAL_FOLDER), { throwIfNoEntry: false })?.isDirectory() === true
}

/** The folder given, which must have a journal, or else the nearest one upwards from `cwd` that has. Throws NOT_FOUND. */
export function findRoot(given: string | undefined, cwd: string): string {
  if (given !== undefined) {
    const root = path.resolve(cwd, given)
    if (hasJournal(root)) return root
    throw new JournalError('NOT_FOUND', `No journal in ${root}`, {
      hint: 'Make one with `journal init`, run there or with the same --root.',
      path: root,
    })
  }
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (hasJournal(folder)) return folder
    if (path.dirname(folder) === folder) break
  }
  throw new JournalError('NOT_FOUND', `No journal in ${cwd} or any folder above it`, {
    hint: 'Make one with `journal init`, or name a workspace with --root.',
    path: cwd,
  })
}

/**
 * The path relative to the workspace that a command line argument means: relative to `base`, a folder in the workspace.
 * `..` that leads out stays in the result, and a trailing slash too: the library refuses them with a reason.
 */
export function workspacePath(root: string, base: string, argument: string): string {
  if (path.isAbsolute(argument)) {
    for (const folder of [root, realpathSync(root)]) {
      const relative = path.relative(folder, argument)
      if (relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)) return slashed(relative)
      if (relative === '') return '.'
    }
    return argument
  }
  const prefix = path.relative(root, base)
  return slashed(prefix === '' ? argument : path.join(prefix, argument))
}

function slashed(relative: string): string {
  return path.sep === '/' ? relative : relative.split(path.sep).join('/')
}

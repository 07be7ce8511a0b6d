import { isJournalName } from '../entry/path.ts'
import { JournalError, shown } from '../errors.ts'

const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 4096
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\..*)?$/i

/** As `process.platform` has it: `win32`, or anything else. */
export type Platform = string

function refuse(code: 'INVALID' | 'PATH_OUTSIDE', path: string, reason: string, hint: string): JournalError {
  return new JournalError(code, `the path ${shown(path)} ${reason}`, { hint, path })
}

/** Why Windows cannot hold a name, or would take it for something else; null when it can. */
function problemOnWindows(name: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Windows allows none of them in names
  if (/[<>:"|?*\\\u0000-\u001f]/u.test(name)) return 'has a character that Windows allows in no name'
  if (/[. ]$/u.test(name)) return 'has a name that ends with a dot or a blank, which Windows drops'
  return DEVICE.test(name) ? 'has the name of a device of Windows' : null
}

/**
 * Checks one name of a path: for a journal's, and for what no platform, or not this one, can hold.
 * @throws JournalError `PATH_OUTSIDE`, `INVALID`
 */
export function checkName(name: string, path: string, platform: Platform = process.platform): void {
  if (isJournalName(name)) {
    throw refuse(
      'PATH_OUTSIDE',
      path,
      'leads into a journal',
      'The journal writes its own folder; use the journal commands to change it.',
    )
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw refuse('INVALID', path, `has a name of more than ${MAX_NAME_BYTES} bytes`, 'Use a shorter name.')
  }
  const problem = platform === 'win32' ? problemOnWindows(name) : null
  if (problem !== null) throw refuse('INVALID', path, problem, 'Use another name.')
}

/**
 * Checks a path that comes from the history: another platform may have taken its names, which this one cannot hold or would take for something else.
 * @throws JournalError `PATH_OUTSIDE`, `INVALID`
 */
export function checkPath(path: string, platform: Platform = process.platform): void {
  for (const name of path.split('/')) checkName(name, path, platform)
}

/** Names of a path, or of what a symbolic link leads to, as the platform takes it apart. */
export function namesOf(text: string, platform: Platform = process.platform): string[] {
  return (platform === 'win32' ? text.replaceAll('\\', '/') : text).split('/')
}

/** Does a path begin at the top of a file system, or with a drive of Windows? */
export function isAbsolute(text: string, platform: Platform = process.platform): boolean {
  return text.startsWith('/') || (platform === 'win32' && (text.startsWith('\\') || /^[a-z]:/i.test(text)))
}

/** What is left of an absolute path below `root`; null when it does not lie there. */
export function belowRoot(root: string, text: string, platform: Platform = process.platform): string | null {
  const path = namesOf(text, platform).join('/')
  const base = namesOf(root, platform).join('/')
  if (path === base) return ''
  return path.startsWith(base.endsWith('/') ? base : `${base}/`) ? path.slice(base.length) : null
}

/**
 * Names of a path given by a caller, relative to the workspace. `.` and `..` are resolved as text; an absolute path is taken when it
 * lies below `root`.
 * @throws JournalError `PATH_OUTSIDE`, `INVALID`
 */
export function splitPath(
  root: string,
  given: string,
  options: { readonly folder?: boolean; readonly platform?: Platform } = {},
): string[] {
  const { platform = process.platform } = options
  if (typeof given !== 'string') {
    throw refuse('INVALID', given, 'is no text', 'Name a file relative to the workspace.')
  }
  if (given === '') throw refuse('INVALID', given, 'is empty', 'Name a file relative to the workspace.')
  if (given.includes('\0')) throw refuse('INVALID', given, 'has a NUL character', 'Remove it.')
  if (!given.isWellFormed())
    throw refuse('INVALID', given, 'is not well-formed Unicode', 'File names must be valid Unicode.')
  if (Buffer.byteLength(given) > MAX_PATH_BYTES) {
    throw refuse('INVALID', given, `is longer than ${MAX_PATH_BYTES} bytes`, 'Use a shorter path.')
  }
  const relative = isAbsolute(given, platform) ? belowRoot(root, given, platform) : given
  if (relative === null) {
    throw refuse('PATH_OUTSIDE', given, 'is absolute and not in the workspace', `The workspace is ${root}.`)
  }
  const parts = namesOf(relative, platform)
  if (parts.at(-1) === '' && parts.some((part) => part !== '') && options.folder !== true) {
    throw refuse('INVALID', given, 'ends with a slash, and a file is wanted', 'Leave the slash out.')
  }
  const names: string[] = []
  for (const name of parts) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (names.pop() === undefined) {
        throw refuse('PATH_OUTSIDE', given, 'leads out of the workspace', `The workspace is ${root}.`)
      }
      continue
    }
    checkName(name, given, platform)
    names.push(name)
  }
  if (names.length === 0) {
    throw refuse('INVALID', given, 'is the workspace itself', 'Name something in it.')
  }
  return names
}

/** The folder that holds a path; '' is the workspace. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** `path` and every folder above it within the workspace, the nearest first; without '' itself. */
export function ancestorsOf(path: string): string[] {
  const ancestors: string[] = []
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) ancestors.push(folder)
  return ancestors
}

import { isJournalName } from '../entry/path.ts'
import { JournalError, shown } from '../errors.ts'

const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 4096
const WINDOWS = process.platform === 'win32'
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i

function refuse(code: 'INVALID' | 'PATH_OUTSIDE', path: string, reason: string, hint: string): JournalError {
  return new JournalError(code, `the path ${shown(path)} ${reason}`, { hint, path })
}

/** Checks one name for what no platform, or not this one, can hold. */
function checkName(name: string, path: string): void {
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Windows allows none of them in names
  if (WINDOWS && (/[<>:"|?*\u0000-\u001f]/u.test(name) || /[. ]$/u.test(name) || DEVICE.test(name))) {
    throw refuse('INVALID', path, 'has a name that Windows does not allow', 'Use another name.')
  }
}

/**
 * Names of a path given by a caller, relative to the workspace. `.` and `..` are resolved as text; an absolute path is taken when it
 * lies below `root`.
 * @throws JournalError `PATH_OUTSIDE`, `INVALID`
 */
export function splitPath(root: string, given: string, options: { readonly folder?: boolean } = {}): string[] {
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
  const text = WINDOWS ? given.replaceAll('\\', '/') : given
  const base = WINDOWS ? root.replaceAll('\\', '/') : root
  let relative = text
  if (text.startsWith('/') || (WINDOWS && /^[a-z]:/i.test(text))) {
    if (text !== base && !text.startsWith(base.endsWith('/') ? base : `${base}/`)) {
      throw refuse('PATH_OUTSIDE', given, 'is absolute and not in the workspace', `The workspace is ${root}.`)
    }
    relative = text.slice(base.length).replace(/^\/+/, '')
  }
  if (/[^/]\/+$/.test(relative) && options.folder !== true) {
    throw refuse('INVALID', given, 'ends with a slash, and a file is wanted', 'Leave the slash out.')
  }
  const names: string[] = []
  for (const name of relative.split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (names.pop() === undefined) {
        throw refuse('PATH_OUTSIDE', given, 'leads out of the workspace', `The workspace is ${root}.`)
      }
      continue
    }
    checkName(name, given)
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

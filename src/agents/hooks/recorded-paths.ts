import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { isInside } from '../../entry/path.ts'

/**
 * Where in the workspace a tool writes that was given an absolute path: there, and where a link leads that stands there. Empty: nowhere in it, or in a
 * journal.
 */
export function recordedPaths(root: string, path: string): readonly string[] {
  const home = real(root)
  const named = join(real(dirname(path)), basename(path))
  return [...new Set([named, real(path)])]
    .map((found) => relative(home, found))
    .filter((found) => found !== '' && !isAbsolute(found))
    .map((found) => (sep === '/' ? found : found.split(sep).join('/')))
    .filter(isInside)
}

/** Without symbolic links, as far as there is something. */
function real(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return dirname(path) === path ? path : join(real(dirname(path)), basename(path))
  }
}

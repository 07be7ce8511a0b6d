import { isAbsolute } from 'node:path'

/** A path as the history names it: relative to the workspace. */
export function relativePath(root: string, path: string): string {
  const trimmed = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
  if (!isAbsolute(trimmed)) return trimmed === '.' ? '' : trimmed
  return trimmed === root ? '' : trimmed.startsWith(`${root}/`) ? trimmed.slice(root.length + 1) : trimmed
}

import { JournalError } from '../errors.ts'

/** The folders above a path, the nearest first; not the workspace itself. */
export function ancestorsOf(path: string): string[] {
  const ancestors: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) ancestors.push(path.slice(0, at))
  return ancestors
}

/** A path as a caller names it in a question, in the form in which the journal holds it. Empty: the whole workspace. */
export function scopeOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..')) {
    throw new JournalError('PATH_OUTSIDE', `'${path}' is not a path inside the workspace`, {
      hint: 'Give it relative to the workspace, with / between names.',
      path,
    })
  }
  return parts.join('/')
}

/** Scopes sorted, without those inside others; the whole workspace when none are given. */
export function scopesOf(paths: readonly string[] | undefined): string[] {
  if (paths === undefined || paths.length === 0) return ['']
  const scopes = [...new Set(paths.map(scopeOf))].sort(byPath)
  return scopes.filter((scope) => !scopes.some((other) => other !== scope && isWithin(scope, other)))
}

/** Is `path` the scope itself, or below it? */
export function isWithin(path: string, scope: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`)
}

/** Order of paths in the index: by UTF-8 bytes. A folder comes before what is in it. */
export function byPath(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

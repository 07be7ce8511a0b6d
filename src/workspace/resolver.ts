import { JournalError } from '../errors.ts'
import { belowRoot, checkName, isAbsolute, joinPath, namesOf, type Platform, splitPath } from './safe-path.ts'

/** What stands at a path, as far as finding one's way needs it. */
export type Waypoint =
  | { readonly kind: 'file' | 'dir' | 'other' }
  | { readonly kind: 'symlink'; readonly target: string }
  | null

/** Looks at one path whose folders are known to be real folders. */
export type Look = (path: string) => Waypoint

/** As Linux has it. */
const MAX_LINKS = 40

export interface ResolveOptions {
  /** Follow a symbolic link at the last name too. */
  readonly follow: boolean
  /** A trailing slash is allowed. */
  readonly folder?: boolean
  /** Default: this one. */
  readonly platform?: Platform
}

/**
 * Where a path really leads within the workspace: symbolic links are followed one by one, and every step must stay inside.
 * Returns a path whose folders are no symbolic links.
 * @throws JournalError `PATH_OUTSIDE`, `INVALID`
 */
export function resolvePath(root: string, given: string, look: Look, options: ResolveOptions): string {
  const { platform = process.platform } = options
  const pending = splitPath(root, given, { folder: options.folder === true, platform })
  const resolved: string[] = []
  let links = 0
  while (pending.length > 0) {
    const name = pending.shift() as string
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (resolved.pop() === undefined) throw outside(given, root)
      continue
    }
    // Names that a symbolic link brought along have not been looked at yet.
    if (links > 0) checkName(name, given, platform)
    const path = joinPath(resolved.join('/'), name)
    const found = look(path)
    if (found?.kind === 'symlink' && (pending.length > 0 || options.follow)) {
      links += 1
      if (links > MAX_LINKS) {
        throw new JournalError('INVALID', `the symbolic links in ${JSON.stringify(given)} form a loop`, {
          hint: 'Repair the links.',
          path: given,
        })
      }
      let { target } = found
      if (isAbsolute(target, platform)) {
        const below = belowRoot(root, target, platform)
        if (below === null) throw outside(given, root, `through the symbolic link ${path}`)
        target = below
        resolved.length = 0
      }
      pending.unshift(...namesOf(target, platform))
      continue
    }
    if (found !== null && found.kind !== 'dir' && pending.some((rest) => rest !== '' && rest !== '.')) {
      throw new JournalError('INVALID', `${JSON.stringify(path)} is a file, so there is nothing below it`, {
        hint: 'Remove or rename the file first, or choose another path.',
        path: given,
      })
    }
    resolved.push(name)
  }
  if (resolved.length === 0) throw outside(given, root, 'to the workspace itself')
  return resolved.join('/')
}

function outside(given: string, root: string, how = 'out of the workspace'): JournalError {
  return new JournalError('PATH_OUTSIDE', `the path ${JSON.stringify(given)} leads ${how}`, {
    hint: `Only paths inside ${root} can be written through its journal.`,
    path: given,
  })
}

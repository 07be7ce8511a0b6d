import type { Sight } from '../../../transaction/guard.ts'
import { ancestorsOf, joinPath, parentOf } from '../../../workspace/safe-path.ts'

/** Null: the module is there, or is none of the workspace's. */
export function problemWithPythonModule(sight: Sight, from: string, target: string): string | null {
  const [, dots = '', name = ''] = /^(\.*)(.*)$/.exec(target) ?? []
  const parts = name === '' ? [] : name.split('.')
  if (dots !== '') {
    const folders = parentOf(from) === '' ? [] : parentOf(from).split('/')
    // One dot is the folder itself. What lies above the workspace is not the journal's.
    if (dots.length - 1 > folders.length) return null
    const folder = folders.slice(0, folders.length - (dots.length - 1)).join('/')
    return parts.length === 0 || isModule(sight, folder, parts) ? null : `there is no module ${target}`
  }
  // Sources lie beside the importing file, above it, or in `src`: whoever has the first name has to have all of it.
  const places = [...ancestorsOf(from), '', 'src']
  const owners = places.filter((place) => isModule(sight, place, parts.slice(0, 1)))
  if (owners.length === 0 || owners.some((place) => isModule(sight, place, parts))) return null
  return `there is no module ${target}`
}

function isModule(sight: Sight, folder: string, parts: readonly string[]): boolean {
  const path = joinPath(folder, parts.join('/'))
  if (sight.look(path)?.kind === 'dir') return true
  return ['.py', '.pyi', '.so', '.pyd'].some((ending) => sight.look(`${path}${ending}`)?.kind === 'file')
}

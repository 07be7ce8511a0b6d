import type { Sight } from '../../../transaction/guard.ts'
import { parentOf } from '../../../workspace/safe-path.ts'
import { joined } from './relative.ts'

/** A relative name of another file in a configuration. */
export function problemWithFile(sight: Sight, from: string, target: string): string | null {
  const path = joined(parentOf(from), target.replace(/#.*$/, ''))
  if (path === null || path === '') return null
  // TypeScript lets the ending be left out.
  return sight.look(path) !== null || sight.look(`${path}.json`) !== null ? null : `there is no file ${path}`
}

import type { Sight } from '../../../transaction/guard.ts'
import { parentOf } from '../../../workspace/safe-path.ts'
import { dialectOf } from '../file-type.ts'
import { joined } from './relative.ts'

/** Names behind `#` of a Markdown file; null when it cannot be read. */
export type Anchors = (path: string) => Promise<readonly string[] | null>

/** A relative link of a Markdown file. Null: it leads somewhere, or out of the workspace. */
export async function problemWithLink(
  sight: Sight,
  from: string,
  target: string,
  anchors: Anchors,
): Promise<string | null> {
  const hash = target.indexOf('#')
  const address = (hash < 0 ? target : target.slice(0, hash)).replace(/\?.*$/, '')
  const fragment = hash < 0 ? '' : unescaped(target.slice(hash + 1)).toLowerCase()
  let path = from
  if (address !== '') {
    const found = joined(parentOf(from), unescaped(address))
    if (found === null) return null
    if (sight.look(found) === null) return `the link leads nowhere: there is no ${found}`
    path = found
  }
  if (fragment === '' || dialectOf(path)?.type !== 'markdown') return null
  const known = await anchors(path)
  if (known === null || fragment === 'top' || known.includes(fragment)) return null
  return `the link leads nowhere: ${path} has no heading #${fragment}`
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that a journal's history takes: its log, without the space reserved behind its end, and its blobs. */
export function journalSize(workspace) {
  const home = join(workspace, '.journal')
  const segments = readdirSync(join(home, 'log')).map((name) => withoutPadding(readFileSync(join(home, 'log', name))))
  const blobs = readdirSync(join(home, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  return [...segments, ...blobs].reduce((sum, bytes) => sum + bytes, 0)
}

function withoutPadding(bytes) {
  let end = bytes.byteLength
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return end
}

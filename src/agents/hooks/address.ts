import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hookFolder } from './hook-folder.ts'

/** Bytes of a socket's path that every system takes. */
const MAX_SOCKET_PATH = 100

/**
 * Where the helper of a workspace listens: below `.journal`, which only its owner may enter; where that path is too long for a socket, in a folder for
 * temporary files that only its owner may enter; on Windows a named pipe. Null: nowhere that is safe.
 */
export function helperAddress(root: string, temporary: string = tmpdir()): string | null {
  if (process.platform === 'win32') return `\\\\.\\pipe\\write-journal-hooks-${nameOf(root)}`
  const near = join(hookFolder(root), 'helper.sock')
  if (Buffer.byteLength(near) <= MAX_SOCKET_PATH) return near
  const user = process.getuid?.() ?? 0
  const folder = join(temporary, `write-journal-${user}`)
  const far = join(folder, `${nameOf(root)}.sock`)
  return Buffer.byteLength(far) <= MAX_SOCKET_PATH && isOurs(folder, user) ? far : null
}

/** Anybody may make a folder of that name among the temporary files. */
function isOurs(folder: string, user: number): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const stat = lstatSync(folder)
    return stat.isDirectory() && stat.uid === user && (stat.mode & 0o077) === 0
  } catch {
    return false
  }
}

function nameOf(root: string): string {
  // Most calls need no hash: it takes Node two milliseconds to load what makes one.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(root).digest('hex').slice(0, 24)
}

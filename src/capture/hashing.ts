import { hashFile } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { breathe } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'
import { hasSystemCode, isSystemError } from '../errors.ts'

export interface ToHash {
  readonly path: string
  /** Bytes, as far as known. */
  readonly size: number
}

/** What a file has; `gone` also where something else stands now. */
export type Hashed = { readonly hash: ContentHash } | 'gone' | 'unreadable'

/** Hashes files of a workspace, and follows no symbolic link at their names. */
export type HashFiles = (disk: Disk, root: string, files: readonly ToHash[]) => Promise<readonly Hashed[]>

const FILES_A_TURN = 64

/** One after another, in this thread. */
export const hashAlone: HashFiles = async (disk, root, files) => {
  const found: Hashed[] = []
  for (const { path, size } of files) {
    found.push(await hashOne(disk, `${root}/${path}`, size))
    if (found.length % FILES_A_TURN === 0) await breathe()
  }
  return found
}

export async function hashOne(disk: Disk, file: string, size: number): Promise<Hashed> {
  try {
    const handle = disk.open(file, 'read')
    try {
      return { hash: (await hashFile(disk, handle, size)).hash }
    } finally {
      disk.close(handle)
    }
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR')) return 'gone'
    if (isSystemError(error)) return 'unreadable'
    throw error
  }
}

import { commonPrefix, commonSuffix } from '../content/difference.ts'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { breathe, readFully } from '../disk/file.ts'

/** Read at once of each file. */
const STRIDE = 256 * 1024
/** Between two turns of the event loop. */
const STRIDES_A_TURN = 32

/** What two files have in common at their ends, and what lies between. */
export interface Middle {
  readonly prefix: number
  /** Bytes of the first file that the second has not. */
  readonly skip: number
  /** Bytes that it has instead. */
  readonly insert: Uint8Array
  readonly suffix: number
}

/**
 * Compares two files from both ends. Null when more than `limit` bytes of the second are its own. Constant memory, besides those; what the first file has is
 * not hashed, so it may have been another content.
 */
export async function middleOf(disk: Disk, first: string, second: string, limit: number): Promise<Middle | null> {
  const a = disk.open(first, 'read')
  try {
    const b = disk.open(second, 'read')
    try {
      return await between(disk, a, b, limit)
    } finally {
      disk.close(b)
    }
  } finally {
    disk.close(a)
  }
}

async function between(disk: Disk, a: FileHandle, b: FileHandle, limit: number): Promise<Middle | null> {
  const [m, n] = [disk.stat(a).size, disk.stat(b).size]
  const shorter = Math.min(m, n)
  const read = (handle: FileHandle, at: number, length: number): Uint8Array => {
    const bytes = Buffer.allocUnsafe(length)
    return bytes.subarray(0, readFully(disk, handle, bytes, at))
  }
  let suffix = 0
  let prefix = 0
  const forward = (): boolean => {
    const length = Math.min(STRIDE, shorter - prefix - suffix)
    const same = length === 0 ? 0 : commonPrefix(read(a, prefix, length), read(b, prefix, length))
    prefix += same
    return length > 0 && same === length
  }
  const backward = (): boolean => {
    const length = Math.min(STRIDE, shorter - prefix - suffix)
    const from = suffix + length
    const same = length === 0 ? 0 : commonSuffix(read(a, m - from, length), read(b, n - from, length))
    suffix += same
    return length > 0 && same === length
  }
  let [ahead, behind] = [true, true]
  for (let count = 1; ahead || behind; count += 1) {
    if (ahead) ahead = forward()
    if (behind) behind = backward()
    if (count % STRIDES_A_TURN === 0) await breathe()
  }
  const length = n - prefix - suffix
  if (length > limit) return null
  return { prefix, skip: m - prefix - suffix, insert: read(b, prefix, length), suffix }
}

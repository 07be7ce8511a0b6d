import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { openAside, readFully } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'

/** What a disk writes as a whole. */
const SECTOR = 512

/**
 * Is the file at `absolute` what a power cut leaves of content `hash` on its way to the disk: not longer than it, and every sector
 * as it should be up to some byte, from where on it is zeros? A sector may have gone to the disk when only the first of the writes
 * to it had been made. An empty file is one.
 */
export async function isTornForm(
  disk: Disk,
  absolute: string,
  contents: ContentStore,
  hash: ContentHash,
): Promise<boolean> {
  const handle = openAside(disk, absolute)
  try {
    const { size } = disk.stat(handle)
    let position = 0
    for await (const chunk of contents.stream(hash)) {
      if (position >= size) return true
      const found = new Uint8Array(Math.min(chunk.byteLength, size - position))
      if (readFully(disk, handle, found, position) !== found.byteLength) return false
      for (let at = 0; at < found.byteLength; at += SECTOR) {
        const end = Math.min(at + SECTOR, found.byteLength)
        const sector = found.subarray(at, end)
        if (!isBegun(sector, chunk.subarray(at, end))) return false
      }
      position += chunk.byteLength
    }
    return position >= size
  } finally {
    disk.close(handle)
  }
}

function isBegun(sector: Uint8Array, wanted: Uint8Array): boolean {
  if (Buffer.compare(sector, wanted) === 0) return true
  const right = sector.findIndex((byte, at) => byte !== wanted[at])
  return sector.subarray(right).every((byte) => byte === 0)
}

import type { Disk } from '../disk/disk.ts'
import { stir } from '../disk/file.ts'
import { hasSystemCode } from '../errors.ts'
import type { Store } from '../store/opening.ts'

/** Makes the base durable with its name. A sync of it may have failed before. */
export async function settleBase({ disk, layout }: Store): Promise<void> {
  stir(disk, layout.log)
  await disk.syncDirectory(layout.log)
}

/**
 * Removes what the log's base, which is durable, stands for. What cannot be removed, because a reader has it open where that is in the way, stays for
 * another time: it is no part of the log.
 * @returns how many bytes that took
 */
export async function removeLeftover({ disk, layout, segments }: Store): Promise<number> {
  let bytes = 0
  for (const path of segments.survey().leftover) {
    const size = disk.lstat(path)?.size ?? 0
    try {
      if (disk.discard === undefined) disk.unlink(path)
      else await disk.discard(path)
      bytes += size
    } catch (error) {
      if (!hasSystemCode(error, 'EBUSY', 'EPERM', 'EACCES')) throw error
    }
  }
  await disk.syncDirectory(layout.log)
  return bytes
}

/** Finishes a drop that was interrupted. To be called before anything relies on what is in the log. */
export async function finishDrop(store: Store): Promise<void> {
  if (store.segments.survey().leftover.length === 0) return
  await settleBase(store)
  await removeLeftover(store)
}

export function removeFile(disk: Disk, path: string): void {
  if (disk.lstat(path) !== null) disk.unlink(path)
}

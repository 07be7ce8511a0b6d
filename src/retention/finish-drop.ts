import type { Disk } from '../disk/disk.ts'
import { stir } from '../disk/file.ts'
import type { Store } from '../store/opening.ts'

/** Makes the base durable with its name. A sync of it may have failed before. */
export async function settleBase({ disk, layout }: Store): Promise<void> {
  stir(disk, layout.log)
  await disk.syncDirectory(layout.log)
}

/**
 * Removes what the log's base, which is durable, stands for.
 * @returns how many bytes that took
 */
export async function removeLeftover({ disk, layout, segments }: Store): Promise<number> {
  let bytes = 0
  for (const path of segments.survey().leftover) {
    bytes += disk.lstat(path)?.size ?? 0
    if (disk.discard === undefined) disk.unlink(path)
    else await disk.discard(path)
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

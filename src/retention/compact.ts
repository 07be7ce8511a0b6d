import { offsetOf, segmentOf } from '../log/position.ts'
import { removeBroken, removeStaged } from './clearing.ts'
import type { RetentionSite } from './site.ts'
import { orphanBlobs } from './survey.ts'

export interface CompactResult {
  /** Blobs that no transaction names. */
  readonly blobsRemoved: number
  /** Left over in `staging/`, and old in `broken/`. */
  readonly filesRemoved: number
  /** Space reserved ahead at the end of the log included. */
  readonly bytesFreed: number
}

/** How long `broken/` is kept. */
export const BROKEN_DAYS = 30
const DAY_MS = 86_400_000

/** Removes what no history needs. Anything that a transaction names stays. */
export async function compact(
  site: RetentionSite,
  options: { readonly brokenDays: number; readonly open: () => ReadonlySet<string> },
): Promise<CompactResult> {
  const { store, log, committer, checkpointer, reaper } = site
  const { disk, reader, contents } = store
  return committer.gate.exclusive(async () => {
    await reaper.drain()
    if (committer.touched) await checkpointer.run()
    const orphans = await orphanBlobs({ reader, contents, until: log.acknowledged })
    await contents.blobs.removeAll([...orphans.keys()])
    const staged = await removeStaged(store, options.open())
    const broken = await removeBroken(store, disk.now() - options.brokenDays * DAY_MS)
    const reserved = await log.aside(async () => trim(site))
    const blobBytes = [...orphans.values()].reduce((sum, size) => sum + size, 0)
    return {
      blobsRemoved: orphans.size,
      filesRemoved: staged.files + broken.files,
      bytesFreed: blobBytes + staged.bytes + broken.bytes + reserved,
    }
  })
}

/** Gives back the space reserved behind the end of the log. Should a power cut bring it back, it is zeros. */
function trim({ store: { disk, segments }, log }: RetentionSite): number {
  const segment = segmentOf(log.end)
  const spare = segments.size(segment) - offsetOf(log.end)
  if (spare <= 0) return 0
  const handle = disk.open(segments.path(segment), 'write')
  try {
    disk.truncate(handle, offsetOf(log.end))
  } finally {
    disk.close(handle)
  }
  return spare
}

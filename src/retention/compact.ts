import { decodeCheckpoint } from '../entry/control.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { type Beginning, beginningOf } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import type { Store } from '../store/opening.ts'
import { removeBroken, removeStaged } from './clearing.ts'
import { planDrop } from './drop.ts'
import { JournalSize } from './journal-size.ts'
import type { Keeper } from './keeper.ts'
import { Pace } from './pace.ts'
import { chooseDrop, isLimited, type RetentionLimits } from './policy.ts'
import type { RetentionSite } from './site.ts'
import { orphanBlobs } from './survey.ts'

export interface CompactResult {
  /** Transactions that the history does not have any more. */
  readonly transactionsDropped: number
  readonly segmentsRemoved: number
  /** Blobs that no transaction names, or none any more. */
  readonly blobsRemoved: number
  /** Left over in `staging/`, and old in `broken/`. */
  readonly filesRemoved: number
  /** Space reserved ahead at the end of the log included. */
  readonly bytesFreed: number
  /** Number of the last transaction that was ever dropped; 0: none was. */
  readonly horizon: number
}

/** How long `broken/` is kept. */
export const BROKEN_DAYS = 30
const DAY_MS = 86_400_000

export interface CompactRequest {
  readonly limits: RetentionLimits
  readonly brokenDays: number
  /** Ids of open transactions, whose files in `staging` stay. */
  readonly open: () => ReadonlySet<string>
}

/** Drops what is beyond the limits, and removes what no history needs. Anything that a kept transaction names stays. */
export function compact(site: RetentionSite, keeper: Keeper, request: CompactRequest): Promise<CompactResult> {
  const { store, log, committer, checkpointer, reaper } = site
  return keeper.alone(async () => {
    const ended = isLimited(request.limits) && keeper.endSegment()
    if (ended || committer.touched) await checkpointer.run()
    const dropped = await keeper.compact(request.limits)
    // It is a projection: that it could not be made smaller is no failure.
    if (dropped.segments > 0) await site.index.prune(new Pace().rest, false).catch(() => undefined)
    await reaper.drain()
    // Commits stand still for this: it is a few calls.
    const { files, bytes } = await committer.gate.exclusive(async () => {
      const staged = await removeStaged(store, request.open())
      const broken = await removeBroken(store, store.disk.now() - request.brokenDays * DAY_MS)
      const reserved = await log.aside(async () => trim(site))
      return { files: staged.files + broken.files, bytes: staged.bytes + broken.bytes + reserved }
    })
    return {
      transactionsDropped: dropped.transactions,
      segmentsRemoved: dropped.segments,
      blobsRemoved: dropped.blobs,
      filesRemoved: files,
      bytesFreed: Math.max(0, dropped.bytes + bytes),
      horizon: horizonOf(beginningOf(store.reader, store.format.journal)),
    }
  })
}

function horizonOf({ horizon }: Beginning): number {
  return horizon?.seq ?? 0
}

/** What `compact` would do, found without changing anything. `until`: behind the last frame that counts. */
export async function planCompact(
  store: Store,
  limits: RetentionLimits,
  now: { readonly newest: number; readonly redo: Position; readonly until?: Position },
): Promise<CompactResult> {
  const { reader, contents, format, disk } = store
  const pace = new Pace()
  const beginning = beginningOf(reader, format.journal)
  const size = new JournalSize(store)
  await size.measure(pace)
  const situation = { newest: now.newest, redo: now.redo, bytes: size.bytes(), now: disk.now() }
  const choice = chooseDrop(reader, limits, situation, Number.POSITIVE_INFINITY)
  const until = now.until === undefined ? {} : { until: now.until }
  const orphans = await orphanBlobs({ reader, journalId: format.journal, contents, ...until }, pace)
  let bytes = [...orphans.values()].reduce((sum, one) => sum + one, 0)
  let blobs = orphans.size
  const none = { filesRemoved: 0, transactionsDropped: 0, segmentsRemoved: 0, horizon: horizonOf(beginning) }
  if (choice === null) return { ...none, blobsRemoved: blobs, bytesFreed: bytes }
  const { part, needed, carriedBytes } = await planDrop(store, beginning, choice.segment, now.until, pace)
  for (const hash of part.candidates) {
    const blob = contents.blobs.stat(hash)
    if (blob === null || needed.hashes.has(hash) || orphans.has(hash)) continue
    blobs += 1
    bytes += blob.size
  }
  return {
    ...none,
    transactionsDropped: part.transactions,
    segmentsRemoved: choice.segment - (beginning.horizon?.segment ?? 0),
    blobsRemoved: blobs,
    bytesFreed: Math.max(0, bytes + choice.bytes - carriedBytes),
    horizon: choice.seq,
  }
}

/** Where a recovery would begin to read, as far as CHECKPOINT tells; 0: unknown. */
export function redoOf({ disk, layout, reader, format }: Store): Position {
  const hint = readHint(disk, layout, format.journal)
  const frame = hint === null ? null : reader.frameAt(hint)
  return frame?.kind === 'checkpoint' ? decodeCheckpoint(frame.payload).redo : 0
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

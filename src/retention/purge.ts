import { readCommit } from '../entry/chain.ts'
import type { Meta } from '../entry/commit.ts'
import type { Entry, PurgeEntry, SpokenEntry } from '../entry/entry.ts'
import type { ContentHash } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { isWithin } from '../history/path-scope.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Layout, readJson, replaceJson } from '../store/layout.ts'
import type { Store } from '../store/opening.ts'
import type { Receipt } from '../transaction/receipt.ts'
import { newTransactionId } from '../transaction/transaction-id.ts'
import { removeBroken, removeStaged } from './clearing.ts'
import { rewriteSegment } from './segment-rewrite.ts'
import type { RetentionSite } from './site.ts'
import { makeWhole, standingOn } from './standing.ts'
import { type Survey, survey } from './survey.ts'

export interface PurgeResult {
  /** Contents erased, or to be erased. */
  readonly hashes: readonly ContentHash[]
  /** Contents of these paths that stay, with another path that has them too. Purge both paths at once to erase them. */
  readonly kept: readonly { readonly hash: ContentHash; readonly path: string }[]
  /** Files in the workspace that may still have a content erased from the journal: the next write to one of them keeps that content again. */
  readonly current: readonly string[]
  /** Frames of the log that something is erased from. */
  readonly frames: number
  readonly blobs: number
  /** Bytes of contents erased. */
  readonly bytes: number
  /** Null when there was nothing to erase, or with `dryRun`. */
  readonly receipt: Receipt | null
}

export interface PurgeRequest {
  readonly paths: readonly string[]
  readonly meta: Meta
  /** Ids of open transactions, whose files in `staging` stay. */
  readonly open: () => ReadonlySet<string>
}

/** Kept free in the frame of the commit. */
const COMMIT_BYTES = 4096
/** What an entry takes, and a hash in it. */
const ENTRY_BYTES = 512
const HASH_BYTES = 34

/** Names the purge whose work is not done: there from before its commit until everything is erased. */
function markerOf(layout: Layout): string {
  return `${layout.directory}/PURGE`
}

export function purgeResult(found: Survey, receipt: Receipt | null): PurgeResult {
  const { targets, kept, current, frames, blobs, bytes } = found
  return { hashes: [...targets.keys()], kept, current, frames, blobs: blobs.length, bytes, receipt }
}

/**
 * Erases every content that paths ever had. In this order, so that a crash anywhere leaves a purge that was never begun, or one that the next
 * opening finishes: contents that are kept, and are changes of others that are not, become blobs; checkpoint (nothing needs the contents any more), marker, commit of the tombstone, log, blobs, leftovers, marker away.
 * @throws JournalError `NOT_FOUND`, `INVALID`, `CORRUPT`; `POISONED` when it could not be finished
 */
export async function purge(site: RetentionSite, request: PurgeRequest): Promise<PurgeResult> {
  const { store, log, committer, checkpointer, reaper } = site
  const { disk, layout, reader, contents } = store
  return committer.gate.exclusive(async () => {
    await reaper.drain()
    const found = await survey(
      { reader, journalId: store.format.journal, contents, until: log.acknowledged },
      request.paths,
    )
    if (found.targets.size === 0 && found.frames === 0) return purgeResult(found, null)
    const entries = tombstones(request.paths, found)
    checkSize(entries, log.maxPayload)
    await makeWhole(store, found.standing)
    await checkpointer.run()
    const tx = newTransactionId()
    const before = log.end
    await replaceJson(disk, markerOf(layout), { tx, position: [segmentOf(before), offsetOf(before)] }, true)
    const placed = await committer.record({ ...request.meta, tx, kind: 'purge', entries }, null)
    try {
      await log.aside(() => erase(store, entries, log.end))
      await removeStaged(store, request.open())
      await removeBroken(store, Number.POSITIVE_INFINITY)
      await removeMarker(store)
    } catch (error) {
      const poison = new JournalError(
        'POISONED',
        `the purge ${tx} could not be finished: ${asJournalError(error, 'erasing').message}`,
        {
          hint: 'Remove the cause, then open the journal again: that finishes it.',
          tx,
          cause: error,
        },
      )
      log.poisonWith(poison)
      throw poison
    }
    return purgeResult(found, { tx, seq: placed.seq, chain: placed.chain, files: [] })
  })
}

/** Finishes a purge that was interrupted. To be called before anything is appended to the log. */
export async function finishPurge(store: Store): Promise<void> {
  const { disk, layout, reader } = store
  const marker = readJson(disk, markerOf(layout)) as { tx?: unknown; position?: unknown } | null | undefined
  if (marker === null) return
  const [segment, offset] = Array.isArray(marker?.position) ? marker.position : []
  if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset)) {
    for (const frame of reader.read(positionOf(segment, offset))) {
      if (frame.kind !== 'commit') continue
      const { tx, entries } = readCommit(frame.payload)
      if (tx === marker?.tx) await erase(store, entries, frame.position)
    }
    await removeBroken(store, Number.POSITIVE_INFINITY)
  }
  await removeMarker(store)
}

function tombstones(paths: readonly string[], found: Survey): PurgeEntry[] {
  return paths.map((path) => {
    const state = found.states.get(path) ?? null
    const hashes = [...found.targets].filter(([, scope]) => scope === path).map(([hash]) => hash)
    return Object.freeze({ op: 'purge', path, before: state, after: state, hashes: Object.freeze(hashes) })
  })
}

function checkSize(entries: readonly PurgeEntry[], limit: number): void {
  let size = COMMIT_BYTES
  for (const { path, hashes } of entries) size += ENTRY_BYTES + Buffer.byteLength(path) + HASH_BYTES * hashes.length
  if (size < limit) return
  throw new JournalError(
    'INVALID',
    `a purge of ${entries.length} paths with all their contents does not fit into a frame`,
    {
      hint: 'Purge fewer paths at once. Nothing was changed.',
    },
  )
}

/**
 * Erases from log and blobs what the entries of a purge say, wherever it stands before `until`, and what are changes of that. Idempotent: from the last
 * segment to the first, so that as long as a change is there, all that it stands on is too.
 */
async function erase(store: Store, entries: readonly Entry[], until: Position): Promise<void> {
  const { disk, layout, segments, seed, contents } = store
  const purges = entries.filter((entry) => entry.op === 'purge')
  const hashes = new Set(purges.flatMap((entry) => entry.hashes))
  const words = (entry: SpokenEntry) => purges.some(({ path }) => isWithin(entry.path, path))
  const standing = standingOn(store.reader, hashes, until)
  contents.forget(hashes)
  contents.forget(standing)
  for (const segment of segments.list().reverse()) {
    if (segment > segmentOf(until)) continue
    await rewriteSegment(segments, segment, seed, { hashes, standing, words, until }, `${layout.staging}/purged`)
  }
  await contents.blobs.removeAll([...hashes].filter((hash) => disk.lstat(contents.blobs.path(hash)) !== null))
}

async function removeMarker(store: Store): Promise<void> {
  store.disk.unlink(markerOf(store.layout))
  await store.disk.syncDirectory(store.layout.directory)
}

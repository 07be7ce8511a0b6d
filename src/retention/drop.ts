/**
 * Drops the oldest segments of the log, beside commits. In this order; a crash behind any step is as the table says.
 *
 * | step | a crash behind it leaves |
 * | --- | --- |
 * | 1. what is dropped, and what is kept, is read | nothing |
 * | 2. contents that are still needed, be it as what a kept one is a change of, are copied among the blobs | blobs that the log has too |
 * | 3. `FORMAT` says version 3 | the log as it was |
 * | 4. the base is written in `staging`, synced, and renamed into `log` | either log; with the new base, all that it stands for still there |
 * | 5. `log` is synced | the new log, and what is left over from the old one |
 * | 6. segments and the base before go, then blobs that nothing names | the new log; some is left over, which the next opening or `compact` removes |
 *
 * Commits go on meanwhile. One that begins while this runs may rely on a content that is about to go: whoever is told that the journal has a content is noted
 * from the beginning on, and what was relied on is carried over too. Those that had begun before are waited for; what they name is then in the log.
 */
import type { ContentLocation } from '../content/content-frame.ts'
import { ContentResolver } from '../content/content-resolver.ts'
import { writeFully } from '../disk/file.ts'
import { horizonDigest } from '../entry/horizon.ts'
import { type ContentHash, hashOf } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { positionOf } from '../log/position.ts'
import { type Beginning, beginningOf } from '../store/base.ts'
import { DROPPED_VERSION, raiseVersion } from '../store/layout.ts'
import type { Store } from '../store/opening.ts'
import { DroppedPart } from './dropped-part.ts'
import { removeFile, removeLeftover, settleBase } from './finish-drop.ts'
import { Needed } from './needed.ts'
import { statesBehind, writeBase } from './new-base.ts'
import type { Pace } from './pace.ts'
import type { Drop } from './policy.ts'
import type { RetentionSite } from './site.ts'

/** Contents copied before they are made durable together. */
const BATCH_FILES = 1024
const BATCH_BYTES = 16 * 1024 * 1024

export interface Dropped {
  readonly transactions: number
  readonly segments: number
  readonly blobs: number
  /** Contents copied among the blobs. */
  readonly carried: number
  /** Bytes that the journal has become smaller by. */
  readonly bytes: number
}

/** What a drop would come to, found without changing anything. */
export interface DropPlan {
  readonly part: DroppedPart
  readonly needed: Needed
  readonly states: number
  /** Bytes of the contents that would be carried over; those of the new base not counted. */
  readonly carriedBytes: number
}

/** Reads what is to be dropped, and finds out what of it is still needed. `until`: behind the last frame that counts. */
export async function planDrop(
  { reader }: Pick<Store, 'reader'>,
  beginning: Beginning,
  segment: number,
  until: number | undefined,
  pace: Pace,
): Promise<DropPlan> {
  const part = await DroppedPart.read(reader, beginning, segment, pace)
  const needed = new Needed(part.candidates)
  let states = 0
  let carriedBytes = 0
  const sizes = new Map<ContentHash, number>()
  for (const state of statesBehind(reader, beginning, part)) {
    states += 1
    needed.state(state)
    const hash = hashOf(state.state)
    if (state.state?.kind === 'file' && hash !== null && part.standing.has(hash)) sizes.set(hash, state.state.size)
    await pace.rest()
  }
  await needed.frames(reader, positionOf(segment + 1, 0), until, pace)
  for (const size of sizes.values()) carriedBytes += size
  return { part, needed, states, carriedBytes }
}

/** @throws JournalError `ABORTED` when it was stopped, with nothing dropped; `CORRUPT` when what should be dropped does not read back right */
export async function drop(site: RetentionSite, { segment, reason }: Drop, pace: Pace): Promise<Dropped> {
  const { store, log, committer } = site
  const { disk, layout, reader, contents, segments, format } = store
  const beginning = beginningOf(reader, format.journal)
  const relied = new Set<ContentHash>()
  contents.watch(positionOf(segment + 1, 0), relied)
  try {
    await committer.gate.passed()
    const { part, needed, states } = await planDrop(store, beginning, segment, log.acknowledged, pace)
    const carrier = new Carrier(store, part, pace)
    await carrier.carry(needed.hashes)
    await raiseVersion(disk, layout, DROPPED_VERSION)
    const spare = `${layout.staging}/base`
    removeFile(disk, spare)
    const missing = [...part.missing]
      .filter(([hash]) => needed.hashes.has(hash) && contents.blobs.stat(hash) === null)
      .map(([hash, by]) => ({ hash, by }))
    const said = { journal: format.journal, states, missing, at: committer.head.seq, written: disk.now(), reason }
    const payload = await writeBase(reader, beginning, part, { spare, term: log.term }, said, pace)
    // What transactions that go have left there is gone: should it come back, nobody could tell any more that they were committed.
    await disk.syncDirectory(layout.staging)
    for (;;) {
      const more = [...relied].filter((hash) => part.standing.has(hash) && !carrier.done.has(hash))
      if (more.length === 0) break
      await carrier.carry(more)
    }
    if (log.poison !== null) throw log.poison
    // Nothing may come in between: whoever asks from here on is told that it is gone.
    disk.rename(spare, segments.basePath(segment))
    contents.begin(positionOf(segment + 1, 0))
    await settle(site, () => settleBase(store))
    committer.name(horizonDigest(payload))
    const bytes = await removeLeftover(store)
    const doomed = [...part.candidates].filter((hash) => !needed.hashes.has(hash))
    const blobs = await removeBlobs(store, doomed, relied, pace)
    await site.index.prune(pace.rest, true).catch(() => undefined)
    const own = disk.lstat(segments.basePath(segment))?.size ?? 0
    return {
      transactions: part.transactions,
      segments: segment - (beginning.horizon?.segment ?? 0),
      blobs: blobs.files,
      carried: carrier.done.size,
      bytes: bytes + blobs.bytes - carrier.bytes - own,
    }
  } finally {
    contents.unwatch()
  }
}

/** When the new base cannot be made durable nobody knows which log a power cut would leave: nothing may build on either. */
async function settle<T>({ log }: RetentionSite, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const poison = new JournalError(
      'POISONED',
      `a drop of old transactions could not be finished: ${asJournalError(error, 'dropping').message}`,
      { hint: 'Remove the cause, then open the journal again: that finishes it.', cause: error },
    )
    log.poisonWith(poison)
    throw poison
  }
}

/** Copies contents out of segments that are to go. */
class Carrier {
  readonly done = new Set<ContentHash>()
  bytes = 0
  readonly #store: Store
  readonly #part: DroppedPart
  readonly #pace: Pace

  constructor(store: Store, part: DroppedPart, pace: Pace) {
    this.#store = store
    this.#part = part
    this.#pace = pace
  }

  async carry(hashes: Iterable<ContentHash>): Promise<void> {
    const { disk, layout, reader, contents } = this.#store
    const resolver = new ContentResolver(disk, reader, contents.blobs, { caching: true })
    const wanted = new Map<number, { hash: ContentHash; index: number }[]>()
    for (const hash of hashes) {
      const place = this.#part.standing.get(hash)
      if (place === undefined || this.done.has(hash)) continue
      this.done.add(hash)
      if (contents.blobs.stat(hash) !== null && (await contents.blobs.has(hash))) continue
      const others = wanted.get(place.position) ?? []
      others.push({ hash, index: place.index })
      wanted.set(place.position, others)
    }
    let batch: { hash: ContentHash; file: string }[] = []
    let size = 0
    const flush = async (): Promise<void> => {
      await contents.blobs.keep(batch)
      batch = []
      size = 0
    }
    for (const position of [...wanted.keys()].sort((a, b) => a - b)) {
      for (const { hash, index } of wanted.get(position) ?? []) {
        const file = `${layout.staging}/kept${batch.length}`
        const bytes = await this.#copy(resolver, hash, { position, index }, file)
        batch.push({ hash, file })
        size += bytes
        this.bytes += bytes
        if (batch.length >= BATCH_FILES || size >= BATCH_BYTES) await flush()
        await this.#pace.rest()
      }
    }
    if (batch.length > 0) await flush()
  }

  /** Returns its size. */
  async #copy(resolver: ContentResolver, hash: ContentHash, place: ContentLocation, file: string): Promise<number> {
    const { disk } = this.#store
    const found = resolver.recordAt(place)
    if (found?.record.hash !== hash) throw unreadable(hash)
    removeFile(disk, file)
    const handle = disk.open(file, 'create', 0o600)
    try {
      let at = 0
      for await (const chunk of resolver.stream(hash, await resolver.resolve(found))) {
        writeFully(disk, handle, chunk, at)
        at += chunk.byteLength
      }
      return at
    } catch (error) {
      if (error instanceof JournalError && error.code === 'CORRUPT') throw unreadable(hash, error)
      throw error
    } finally {
      disk.close(handle)
    }
  }
}

function unreadable(hash: ContentHash, cause?: unknown): JournalError {
  return new JournalError(
    'CORRUPT',
    `the content ${hash.slice(0, 16)}… is needed, and cannot be read: nothing is dropped`,
    {
      hint: "Run 'journal verify' to see which files and transactions are affected; restore .journal from a backup.",
      details: { hash },
      cause,
    },
  )
}

/** Removes blobs unless somebody has relied on one since, be it in this moment. */
export async function removeBlobs(
  { disk, layout, contents }: Store,
  hashes: Iterable<ContentHash>,
  relied: ReadonlySet<ContentHash>,
  pace: Pace,
): Promise<{ readonly files: number; readonly bytes: number }> {
  let files = 0
  let bytes = 0
  const gone = `${layout.staging}/dropped`
  for (const hash of hashes) {
    const size = contents.blobs.stat(hash)?.size
    if (size === undefined || relied.has(hash)) continue
    removeFile(disk, gone)
    contents.blobs.moveAway(hash, gone)
    if (disk.discard === undefined) disk.unlink(gone)
    else await disk.discard(gone)
    files += 1
    bytes += size
    await pace.rest()
  }
  return { files, bytes }
}

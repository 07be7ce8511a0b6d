import os from 'node:os'
import { CHUNK_SIZE } from './content/hash.ts'
import type { FileStat } from './disk/disk.ts'
import { readPart, stir, writeFully } from './disk/file.ts'
import { NodeDisk } from './disk/node-disk.ts'
import { encodeSegment } from './entry/control.ts'
import type { Owner } from './entry/state.ts'
import { asJournalError, JournalError } from './errors.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { LogWriter, maxPayloadOf } from './log/log-writer.ts'
import { offsetOf, segmentOf } from './log/position.ts'
import { SEGMENT_SIZE } from './log/segments.ts'
import { corruptionError, cutTail, lostEndError } from './log/tail.ts'
import type { OpenOptions } from './options.ts'
import { type LogScan, scanLog } from './recovery/log-scan.ts'
import { examine, isIdle, type RecoverySite, recover } from './recovery/recovery.ts'
import type { RecoveryReport } from './recovery/report.ts'
import { Allowance } from './retention/allowance.ts'
import { finishDrop } from './retention/finish-drop.ts'
import { JournalSize } from './retention/journal-size.ts'
import { Keeper, type KeeperOptions } from './retention/keeper.ts'
import { Pace } from './retention/pace.ts'
import { isLimited } from './retention/policy.ts'
import { finishPurge } from './retention/purge.ts'
import type { RetentionSite } from './retention/site.ts'
import { beginningOf } from './store/base.ts'
import { DurableNote } from './store/durable-note.ts'
import { deposedError, type Fence, isDeposed, NO_FENCE } from './store/fence.ts'
import { completeLayout, NOTED_VERSION, REVISED_VERSION, raiseVersion, unfinishedSalvage } from './store/layout.ts'
import type { Store } from './store/opening.ts'
import type { Address, Writer as Signature, WriterLock } from './store/writer-lock.ts'
import { Checkpointer } from './transaction/checkpointer.ts'
import { Committer } from './transaction/committer.ts'
import { PathLocks } from './transaction/path-locks.ts'
import { INLINE_LIMIT, Stager, StagingLimits } from './transaction/stager.ts'
import type { DraftSite } from './transaction/view.ts'
import { VERSION } from './version.ts'
import { Folders } from './workspace/folders.ts'
import { Observer } from './workspace/observer.ts'
import { PinnedFolders } from './workspace/pinned-folders.ts'
import { Reaper } from './workspace/reaper.ts'

/** What a writer has to say while it has the journal open. */
export interface WriterEvents {
  readonly onConflict: (tx: string, path: string) => void
  readonly onRetention: KeeperOptions['onDone']
}

/** History is dropped by whole segments: so many to a size that is to be kept, and none larger than this. */
const SEGMENTS = 16
const LEAST_SEGMENT = 64 * 1024
const MOST_SEGMENT = 4 * 1024 * 1024

/** Bytes after which a segment is ended, so that history can be dropped in useful steps; undefined: when it is full. */
function rollSize({ retention = {}, limits = {}, segmentSize = SEGMENT_SIZE }: OpenOptions): number | undefined {
  const size = Math.min(retention.maxBytes ?? Infinity, limits.journalBytes ?? Infinity)
  if (!isLimited(retention) && size === Infinity) return undefined
  return Math.min(segmentSize, MOST_SEGMENT, Math.max(LEAST_SEGMENT, Math.floor(size / SEGMENTS)))
}

/** Contents up to this many bytes go into the log. */
function inlineLimit(segmentSize: number | undefined): number {
  return Math.min(INLINE_LIMIT, Math.floor(maxPayloadOf(segmentSize) / 4))
}

/** Places and parts that recovery needs; also what a reader plans with. */
export function recoverySite(
  store: Store,
  index: HistoryIndex,
  umask: number,
  { legacy, segmentSize }: Pick<OpenOptions, 'legacy' | 'segmentSize'>,
  fence: Fence = NO_FENCE,
  mark = '',
): RecoverySite {
  const { disk, layout, contents } = store
  const observer = new Observer(disk, layout.root, legacy === true)
  const device = disk.lstat(layout.staging)?.dev ?? 0n
  return {
    observer,
    contents,
    folders: new Folders(observer, device, umask),
    staging: layout.staging,
    reaper: new Reaper(disk),
    pins: new PinnedFolders(disk),
    root: layout.root,
    broken: layout.broken,
    suspect: disk.lstat(layout.suspect) !== null,
    inline: inlineLimit(segmentSize),
    isCommitted: (tx) => index.has(tx),
    fence,
    mark,
  }
}

export function scanStore(store: Store, options: OpenOptions): LogScan {
  const { disk, layout, reader, format, contents } = store
  const progress = options.onProgress
  return scanLog(disk, layout, reader, format.journal, contents, (done) =>
    progress?.({ phase: 'reading the log', done, total: 0 }),
  )
}

/** Makes a journal of an older format one that may have what a version brought, once; null when it is one. */
function allowing({ disk, layout, format }: Store): (brought: 'revise' | 'note') => Promise<void> | null {
  let { version } = format
  return (brought) => {
    const needed = brought === 'note' ? NOTED_VERSION : REVISED_VERSION
    if (version >= needed) return null
    return raiseVersion(disk, layout, needed).then(() => {
      version = Math.max(version, needed)
    })
  }
}

/** The writing half of an open journal: the log's end, commits, checkpoints. One a journal, under the writer's lock. */
export class Writer {
  readonly log: LogWriter
  readonly committer: Committer
  readonly checkpointer: Checkpointer
  readonly locks = new PathLocks()
  readonly recovery: RecoveryReport
  /** What purge and compact work with. */
  readonly retention: RetentionSite
  readonly keeper: Keeper
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #site: RecoverySite
  readonly #lock: WriterLock
  readonly #signature: Omit<Signature, 'address'>
  readonly #limits: StagingLimits
  readonly #umask: number
  readonly #device: bigint
  /** It stays on its file system as long as its journal is locked. */
  readonly #workspace: FileStat | null
  readonly #owner: Owner | null
  readonly #foldsCase: boolean

  private constructor(
    store: Store,
    site: RecoverySite,
    lock: WriterLock,
    signature: Omit<Signature, 'address'>,
    parts: {
      log: LogWriter
      committer: Committer
      checkpointer: Checkpointer
      limits: StagingLimits
      upkeep: RetentionSite
      keeper: Keeper
    },
    recovery: RecoveryReport,
    umask: number,
  ) {
    this.#store = store
    this.#index = parts.upkeep.index
    this.#site = site
    this.#lock = lock
    this.#signature = signature
    this.log = parts.log
    this.committer = parts.committer
    this.checkpointer = parts.checkpointer
    this.#limits = parts.limits
    this.retention = parts.upkeep
    this.keeper = parts.keeper
    this.recovery = recovery
    this.#umask = umask
    const { disk, layout } = store
    this.#owner = disk.superuser ? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 } : null
    this.#device = disk.lstat(layout.staging)?.dev ?? 0n
    this.#workspace = disk.lstat(layout.root)
    const own = disk.lstat(layout.directory)
    const shouted = disk.lstat(layout.directory.replace(/\.journal$/, '.JOURNAL'))
    this.#foldsCase = own !== null && shouted !== null && own.ino === shouted.ino && own.dev === shouted.dev
  }

  /**
   * Recovers what a crash left and gets ready to write. The lock is the caller's to release when this throws.
   * @throws JournalError `CORRUPT` (nothing changed), `NEEDS_RECOVERY`, or what recovery met
   */
  static async open(
    store: Store,
    index: HistoryIndex,
    lock: WriterLock,
    options: OpenOptions & { readonly shared?: boolean },
    events: WriterEvents,
  ): Promise<Writer> {
    const { disk, layout, segments, reader, seed, format } = store
    const umask = process.umask()
    if (disk.lstat(layout.salvage) !== null) throw unfinishedSalvage(layout)
    store.contents.forgetAll()
    const scan = scanStore(store, options)
    if (scan.tail?.verdict === 'corrupt') throw corruptionError(scan.end, scan.tail)
    // Closed in order, the log ends with a checkpoint, which CHECKPOINT names. After a crash the index may know of more.
    const claim = scan.clean ? null : await index.claim()
    if (claim !== null && claim.durable > scan.end)
      throw lostEndError(scan.end, claim.durable, scan.head.seq, claim.durableSeq)
    completeLayout(disk, layout)
    const shared = options.shared === true
    const term = Math.max(scan.term + 1, lock.term)
    const [fence, mark] = shared ? [lock.fence(layout), `w${term}.`] : [NO_FENCE, '']
    const site = recoverySite(store, index, umask, options, fence, mark)
    const mode = options.recover === 'revert' ? 'revert' : 'replay'
    if (options.recover === 'manual') await refuseUnrecovered(site, scan)
    if (scan.tail !== null) await cutTail(reader, scan.end, layout.broken, `torn-${disk.now()}`)
    const signature = { pid: process.pid, host: os.hostname(), term, since: disk.now(), version: VERSION }
    lock.sign({ ...signature, address: shared ? 'soon' : null })
    if (!scan.clean && scan.sequence > 0) await syncEnd(store, scan)
    await finishDrop(store)
    await finishPurge(store)
    const { start, digest } = beginningOf(reader, format.journal)
    store.contents.begin(start)
    const rollAt = rollSize(options)
    const size = new JournalSize(store)
    const { journalBytes } = options.limits ?? {}
    const retention = options.retention ?? {}
    if (journalBytes !== undefined || retention.maxBytes !== undefined) await size.measure(new Pace())
    const retains = isLimited(retention) && retention.auto !== false
    const allowance =
      journalBytes === undefined ? null : new Allowance(size, journalBytes, rollAt ?? SEGMENT_SIZE, retains)
    const log: LogWriter = new LogWriter(
      segments,
      { end: scan.end, sequence: scan.sequence, term, durable: scan.clean ? scan.durable : scan.end },
      {
        seed,
        othersComing: () => committer.preparing,
        fence: site.fence,
        ...(disk instanceof NodeDisk ? { note: new DurableNote(disk, layout, format.journal) } : {}),
        ...(options.segmentSize === undefined ? {} : { segmentSize: options.segmentSize }),
        ...(rollAt === undefined ? {} : { rollAt }),
        segmentPayload: (segment) => encodeSegment({ journal: format.journal, segment, ...committer.head }),
      },
    )
    const { inline } = site
    const inPlace = options.legacy === true || !store.contents.dense ? Infinity : options.limits?.inPlaceBytes
    const limits = new StagingLimits({ inline, inPlaceFrom: inPlace ?? inline })
    const committer: Committer = new Committer({
      site,
      log,
      head: scan.head,
      allow: allowing(store),
      writer: { pid: process.pid, host: os.hostname() },
      onConflict: events.onConflict,
      inline: limits.inline,
      ...(allowance === null ? {} : { admit: (bytes, entries) => allowance.admit(bytes, entries) }),
      makeRoom: (needed) => keeper.makeRoom(needed),
      giveWay: () => keeper.giveWay(),
    })
    committer.name(digest)
    const checkpointer: Checkpointer = new Checkpointer({
      disk,
      layout,
      journalId: format.journal,
      log,
      committer,
      reaper: site.reaper,
      pins: site.pins,
      last: scan.end,
      look: (path, handle) => site.observer.settle(path, handle),
    })
    site.contents.locateWith((hash) => index.locate(hash))
    const upkeep: RetentionSite = { store, log, committer, checkpointer, reaper: site.reaper, index }
    const keeper: Keeper = new Keeper(upkeep, {
      limits: retention,
      auto: retention.auto !== false,
      allowance,
      size,
      onDone: events.onRetention,
    })
    try {
      const progress = options.onProgress
      const report = await recover(site, committer, scan, {
        mode,
        salvage: options.salvage === true,
        onProgress: (done, total) => progress?.({ phase: 'recovering', done, total }),
      })
      if (scan.inFlight.length > 0) await checkpointer.run(true)
      const parts = { log, committer, checkpointer, limits, upkeep, keeper }
      return new Writer(store, site, lock, signature, parts, report, umask)
    } catch (error) {
      site.pins.trim(0)
      await log.close().catch(() => undefined)
      throw asJournalError(error, 'recovering')
    }
  }

  get term(): number {
    return this.#signature.term
  }

  /** Is it not the writer any more, since another process took its place? */
  get isDeposed(): boolean {
    try {
      this.#site.fence.check()
      return false
    } catch (error) {
      // That nobody can tell does not mean that it is so.
      return isDeposed(error)
    }
  }

  /** Says where other processes reach it. */
  announce(address: Address | 'unreachable'): void {
    this.#lock.sign({ ...this.#signature, address })
  }

  /** What a new transaction works with; `umask` of the process that asks for it. */
  draftSite(umask = this.#umask): DraftSite {
    const { observer, contents } = this.#site
    return {
      observer,
      contents,
      folders: new Folders(observer, this.#device, umask, this.#workspace),
      foldsCase: this.#foldsCase,
      owner: this.#owner,
      inPlaceFrom: this.#limits.inPlaceFrom,
      recorded: async (path) => {
        await this.#index.head()
        return (await this.#index.current(path))?.state
      },
    }
  }

  stager(tx: string): Stager {
    return new Stager(
      this.#store.disk,
      `${this.#site.staging}/${tx}.${this.#site.mark}`.replace(/\.$/, ''),
      this.#limits,
    )
  }

  /** Another process took the place of this one: nothing is written any more. */
  abandon(): void {
    this.log.poisonWith(deposedError())
    this.close().catch(() => undefined)
  }

  /** Ends writing: a last checkpoint, unless the log is poisoned, and the lock is free. */
  async close(): Promise<void> {
    await this.keeper.stop()
    // Whoever has the lock next must not find anybody amid putting something into the workspace, or taking it back.
    await this.committer.gate.exclusive(async () => undefined)
    try {
      // A writer that wrote nothing leaves the log as it found it.
      if (this.log.poison === null && this.committer.touched) await this.checkpointer.run(true)
    } finally {
      try {
        await this.#site.reaper.drain()
        this.#site.pins.trim(0)
        await this.log.close()
      } finally {
        this.#lock.release()
      }
    }
  }
}

async function refuseUnrecovered(site: RecoverySite, scan: LogScan): Promise<void> {
  const { plan } = await examine(site, scan, 'replay')
  if (isIdle(plan)) return
  const inFlight = plan.report.replayed
  throw new JournalError('NEEDS_RECOVERY', `${inFlight.length} transactions are in flight from a crash`, {
    hint: "Run 'journal recover' (or 'journal recover --revert' to take them back).",
    details: { inFlight },
  })
}

/**
 * What a killed process wrote may stand in the kernel's memory only, and after a failed sync the kernel takes it for written: so all that is not known to be
 * durable is written once more, and made durable before anything is done that relies on it.
 */
async function syncEnd({ disk, segments, layout }: Store, { durable, end }: LogScan): Promise<void> {
  for (let segment = segmentOf(durable); segment <= segmentOf(end); segment += 1) {
    if (!segments.exists(segment)) continue
    const path = segments.path(segment)
    const handle = disk.open(path, 'write')
    try {
      const from = segment === segmentOf(durable) ? offsetOf(durable) : 0
      const to = segment === segmentOf(end) ? offsetOf(end) : disk.stat(handle).size
      for (let at = from; at < to; at += CHUNK_SIZE) {
        writeFully(disk, handle, readPart(disk, path, at, Math.min(CHUNK_SIZE, to - at)), at)
      }
      await disk.sync(handle)
    } finally {
      disk.close(handle)
    }
  }
  // A segment's name is made durable before anything is written to it: the next one's sync must not find nothing to do.
  stir(disk, layout.log)
}

import type { Disk, FileHandle } from '../disk/disk.ts'
import { encodeCheckpoint } from '../entry/control.ts'
import { asJournalError, hasSystemCode } from '../errors.ts'
import type { LogWriter } from '../log/log-writer.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { writeHint } from '../store/checkpoint-hint.ts'
import { type Layout, markSuspect } from '../store/layout.ts'
import type { PinnedFolders } from '../workspace/pinned-folders.ts'
import type { Reaper } from '../workspace/reaper.ts'
import type { CheckpointBasis, Committer } from './committer.ts'

/** Syncs in flight at once. 16 take half the time of one after the other; more gain nothing (docs/performance.md). */
const CONCURRENCY = 16
/** Below this the queue itself is not worth loading. */
const FEW = 4

export interface CheckpointerParts {
  readonly disk: Disk
  readonly layout: Layout
  readonly journalId: string
  readonly log: LogWriter
  readonly committer: Committer
  readonly reaper: Reaper
  readonly pins: PinnedFolders
  /** Where the last checkpoint stands, about. */
  readonly last: Position
}

/**
 * Makes durable what was materialized, then moves the start of recovery forward. Runs beside commits and delays none of them:
 * what is committed meanwhile belongs to the next checkpoint.
 */
export class Checkpointer {
  readonly #disk: Disk
  readonly #layout: Layout
  readonly #journalId: string
  readonly #log: LogWriter
  readonly #committer: Committer
  readonly #reaper: Reaper
  readonly #pins: PinnedFolders
  #running: Promise<void> | null = null
  #last: Position

  constructor(parts: CheckpointerParts) {
    this.#disk = parts.disk
    this.#layout = parts.layout
    this.#journalId = parts.journalId
    this.#log = parts.log
    this.#committer = parts.committer
    this.#reaper = parts.reaper
    this.#pins = parts.pins
    this.#last = parts.last
  }

  /** Bytes of log since the last checkpoint, about. */
  get behind(): number {
    const end = this.#log.end
    return segmentOf(end) === segmentOf(this.#last)
      ? end - this.#last
      : offsetOf(end) + (segmentOf(end) - segmentOf(this.#last)) * 1024 * 1024
  }

  /** `closing`: nothing will be committed any more. */
  async run(closing = false): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => undefined)
    this.#running = this.#checkpoint(closing).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #checkpoint(closing: boolean): Promise<void> {
    const basis = this.#committer.beginCheckpoint()
    try {
      await this.#syncAll(basis)
    } catch (error) {
      // The pages may be marked clean now, so another sync would lie. The log still holds everything: recovery writes it anew.
      const failure = asJournalError(error, 'making the workspace durable')
      this.#log.poisonWith(failure)
      markSuspect(this.#disk, this.#layout)
      throw failure
    }
    // What was moved aside belongs to transactions that recovery would not look at any more.
    await this.#reaper.drain()
    // Whoever wants to unmount something below must not wait for us for ever.
    this.#pins.trim(0)
    const { redo, head, clean } = basis
    const record = { redo, ...head, boot: this.#disk.bootId, clean: closing && clean }
    let position: Position = 0
    const placed = (at: Position): void => {
      position = at
    }
    // Durable before the hint names it: so a log that ends before the hint's position has lost something.
    await this.#log.append({
      frames: [{ kind: 'checkpoint', payload: encodeCheckpoint(record), placed }],
      size: 256,
      durability: 'full',
    })
    this.#last = position
    if (this.#disk.lstat(this.#layout.suspect) !== null) this.#disk.unlink(this.#layout.suspect)
    // Without room for a new hint the old one still leads to a checkpoint, only to an earlier one.
    await writeHint(this.#disk, this.#layout, this.#journalId, position).catch(() => undefined)
  }

  async #syncAll({ files, folders }: CheckpointBasis): Promise<void> {
    const { root } = this.#layout
    const work = [
      ...[...files].map((path) => () => this.#syncFile(`${root}/${path}`)),
      ...[...folders].map((path) => () => this.#syncFolder(path === '' ? root : `${root}/${path}`)),
    ]
    if (work.length <= FEW) {
      for (const task of work) await task()
      return
    }
    const { default: PQueue } = await import('p-queue')
    const queue = new PQueue({ concurrency: CONCURRENCY })
    try {
      await queue.addAll(work)
    } catch (error) {
      // Nothing may go on behind the back of whoever is told of the failure.
      queue.clear()
      await queue.onIdle()
      throw error
    }
  }

  async #syncFile(path: string): Promise<void> {
    try {
      const handle = this.#openForSync(path)
      await this.#disk.sync(handle, true).finally(() => this.#disk.close(handle))
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** Windows syncs only what may be written; elsewhere a file that may only be read can be synced too. */
  #openForSync(path: string): FileHandle {
    try {
      return this.#disk.open(path, 'write')
    } catch (error) {
      if (!hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS', 'ETXTBSY')) throw error
      return this.#disk.open(path, 'read')
    }
  }

  async #syncFolder(path: string): Promise<void> {
    try {
      await this.#disk.syncDirectory(path)
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
}

/** Removed, replaced or locked away since: then it is not what the journal wrote any more. */
function isGone(error: unknown): boolean {
  return hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EACCES', 'EPERM', 'EINVAL')
}

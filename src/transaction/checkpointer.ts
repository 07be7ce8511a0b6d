import type { Disk, FileHandle } from '../disk/disk.ts'
import { encodeCheckpoint } from '../entry/control.ts'
import { asJournalError, hasSystemCode, JournalError } from '../errors.ts'
import type { LogWriter } from '../log/log-writer.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { writeHint } from '../store/checkpoint-hint.ts'
import { clearSuspect, type Layout, markSuspect } from '../store/layout.ts'
import type { PinnedFolders } from '../workspace/pinned-folders.ts'
import type { Reaper } from '../workspace/reaper.ts'
import type { CheckpointBasis, Committer } from './committer.ts'

/** Syncs in flight at once. Node has four threads for them: one is left for the log, whose sync somebody waits for (docs/performance.md). */
const CONCURRENCY = 3
/** Below this the queue itself is not worth loading. */
const FEW = 4

/** Relative to the workspace. */
interface Dirty {
  readonly files: Set<string>
  readonly folders: Set<string>
}

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
  /** Takes a look at a file of the workspace while it is open; does not throw. */
  readonly look: (path: string, handle: FileHandle) => void
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
  readonly #look: CheckpointerParts['look']
  #running: Promise<void> | null = null
  #last: Position
  #redo: Position = 0

  constructor(parts: CheckpointerParts) {
    this.#disk = parts.disk
    this.#layout = parts.layout
    this.#journalId = parts.journalId
    this.#log = parts.log
    this.#committer = parts.committer
    this.#reaper = parts.reaper
    this.#pins = parts.pins
    this.#last = parts.last
    this.#look = parts.look
  }

  /** Where a recovery would begin to read by the last checkpoint of this writer; 0: it made none. */
  get redo(): Position {
    return this.#redo
  }

  /** Bytes of log since the last checkpoint, about. */
  get behind(): number {
    const end = this.#log.end
    return segmentOf(end) === segmentOf(this.#last)
      ? end - this.#last
      : offsetOf(end) + (segmentOf(end) - segmentOf(this.#last)) * 1024 * 1024
  }

  /**
   * `closing`: nothing will be committed any more. Then no checkpoint is made when something cannot be opened to be made durable, and the next
   * recovery begins where it would have begun.
   * @throws JournalError `PERMISSION` for that, unless closing: the next checkpoint tries again
   */
  async run(closing = false): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => undefined)
    this.#running = this.#checkpoint(closing).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #checkpoint(closing: boolean): Promise<void> {
    // Noted before, since a process may be killed right after a sync has failed.
    const suspect = this.#committer.touched
    if (suspect) markSuspect(this.#disk, this.#layout)
    const basis = this.#committer.beginCheckpoint()
    const locked: Dirty = { files: new Set(), folders: new Set() }
    try {
      await this.#syncAll(basis, locked)
    } catch (error) {
      // The pages may be marked clean now, so another sync would lie. The log still holds everything: recovery writes it anew.
      const failure = asJournalError(error, 'making the workspace durable')
      this.#log.poisonWith(failure)
      throw failure
    }
    const [kept] = [...locked.files, ...locked.folders]
    if (kept !== undefined) {
      this.#committer.dirty(locked.files, locked.folders)
      if (suspect) clearSuspect(this.#disk, this.#layout)
      if (closing) return
      throw new JournalError('PERMISSION', `${kept} may not be opened, so it cannot be made durable`, {
        hint: 'Nothing is lost. Give the permission back; the next checkpoint includes it.',
        path: kept,
      })
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
    const release = this.#log.fence.hold()
    try {
      // Durable before the hint names it: so a log that ends before the hint's position has lost something.
      await this.#log.append({
        frames: [{ kind: 'checkpoint', payload: encodeCheckpoint(record), placed }],
        size: 256,
        durability: 'full',
      })
      this.#last = position
      this.#redo = redo
      if (suspect) clearSuspect(this.#disk, this.#layout)
      // Without room for a new hint the old one still leads to a checkpoint, only to an earlier one.
      await writeHint(this.#disk, this.#layout, this.#journalId, position).catch(() => undefined)
    } finally {
      release()
    }
  }

  /** Notes in `locked` what may not be opened. */
  async #syncAll({ files, folders }: CheckpointBasis, locked: Dirty): Promise<void> {
    const { root } = this.#layout
    const work = [
      ...[...files].map((path) => async () => {
        if (!(await this.#syncFile(root, path)) && !this.#committer.isLockedAway(path)) locked.files.add(path)
      }),
      ...[...folders].map((path) => async () => {
        if (!(await this.#syncFolder(path === '' ? root : `${root}/${path}`))) locked.folders.add(path)
      }),
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

  /** False when it may not be opened. */
  async #syncFile(root: string, path: string): Promise<boolean> {
    let handle: FileHandle
    try {
      handle = this.#openForSync(`${root}/${path}`)
    } catch (error) {
      if (hasSystemCode(error, 'EACCES', 'EPERM')) return false
      if (!isGone(error)) throw error
      return true
    }
    try {
      await this.#disk
        .sync(handle, true)
        .then(() => this.#look(path, handle))
        .finally(() => this.#disk.close(handle))
    } catch (error) {
      if (!isGone(error)) throw error
    }
    return true
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

  /** False when it may not be opened. */
  async #syncFolder(path: string): Promise<boolean> {
    try {
      await this.#disk.syncDirectory(path)
    } catch (error) {
      if (hasSystemCode(error, 'EACCES', 'EPERM') && (error as NodeJS.ErrnoException).syscall === 'open') return false
      if (!isGone(error)) throw error
    }
    return true
  }
}

/** Removed or replaced since: then it is not what the journal wrote any more. */
function isGone(error: unknown): boolean {
  return hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EINVAL')
}

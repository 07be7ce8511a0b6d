import type { FileHandle } from '../disk/disk.ts'
import { writeFully } from '../disk/file.ts'
import { asJournalError, hasSystemCode, JournalError } from '../errors.ts'
import { type FrameKind, frameSize, MAX_PAYLOAD } from './frame.ts'
import { encodeFrame } from './frame-encoder.ts'
import { offsetOf, type Position, positionOf, segmentOf } from './position.ts'
import { SEGMENT_SIZE, type Segments } from './segments.ts'

/** Frames are gathered up to this size before they are written. */
const BUFFER_SIZE = 1024 * 1024
/** Log space is zero-filled ahead in steps that double between these: a sync of a file that grows costs twice as much. */
const FIRST_RESERVE = 64 * 1024
const LAST_RESERVE = 1024 * 1024
const ZEROS = new Uint8Array(256 * 1024)
/** A batch above this is written without reserving: zeros first would double its cost. */
const RESERVE_LIMIT = 256 * 1024
/** Left free on the file system, so that the log can still say what happened. */
const MARGIN = 64 * 1024
/** While a sync takes less than this, a lone caller is served by a blocking one: handing it to another thread and back takes as long. */
const BLOCKING_SYNC_MS = 1
/** Kept free in a segment for its first frame and the header of another. */
const SEGMENT_OVERHEAD = 1024

export type Durability = 'full' | 'os'

export interface NewFrame {
  readonly kind: FrameKind
  readonly payload: Uint8Array
  /** Told where the frame will stand, before anything is written. */
  readonly placed?: (position: Position) => void
}

/** What goes into the log together, and is durable together. */
export interface Append {
  /** Payloads made when their turn comes, so that a large transaction need not be held in memory. */
  readonly frames: Iterable<NewFrame>
  /** Bytes that the frames will take, about. */
  readonly size: number
  readonly durability: Durability
  /** Begins work that may go on while the frames are on their way to stable storage. Does not throw. */
  readonly meanwhile?: (() => void) | undefined
}

export interface LogState {
  readonly end: Position
  readonly sequence: number
  readonly term: number
  /** Known to be on stable storage. */
  readonly durable: Position
}

export interface LogWriterOptions {
  readonly seed: bigint
  readonly segmentSize?: number
  /** Bytes after which a new segment begins as soon as it can, though a frame may still be larger. Default: the segment size. */
  readonly rollAt?: number
  /** Payload of the first frame of a new segment. */
  readonly segmentPayload: (segment: number) => Uint8Array
  /** Told how far the log is on stable storage, each time that is further; closed with the writer. Does not throw. */
  readonly note?: { synced(durable: Position): void; close(): void }
  /** How many transactions are on their way here, besides those that wait already. */
  readonly othersComing?: () => number
  /** Default: nobody can take over. */
  readonly fence?: LogFence
}

/** Is this still the only one that writes? See `Fence`. */
export interface LogFence {
  check(): void
  hold(): () => void
}

const UNFENCED: LogFence = { check: () => undefined, hold: () => () => undefined }

interface Waiting {
  readonly append: Append
  readonly resolve: (end: Position) => void
  readonly reject: (error: JournalError) => void
}

/** Bytes that a frame may have in segments of a size. */
export function maxPayloadOf(segmentSize = SEGMENT_SIZE): number {
  return Math.min(MAX_PAYLOAD, segmentSize - SEGMENT_OVERHEAD)
}

/**
 * The end of the log. Appends that arrive while a sync is in flight share the next write and the next sync (group commit).
 * After a failed write or sync it is poisoned: nothing more is ever appended through it, and no sync is tried again.
 */
export class LogWriter {
  readonly #segments: Segments
  readonly #options: LogWriterOptions
  readonly #segmentSize: number
  #term: number
  #sequence: number
  #segment: number
  #offset: number
  #durable: Position
  #acknowledged: Position
  #handle: FileHandle | null = null
  /** How long a sync takes, a running mean. */
  #syncMs = 0
  #reserved = 0
  #reserveStep = FIRST_RESERVE
  #rollNow = false
  #buffer = new Uint8Array(FIRST_RESERVE)
  #buffered = 0
  #queue: Waiting[] = []
  #flushing: Promise<void> | null = null
  #poison: JournalError | null = null
  /** What is done to the log beside appending to it is done while this is held. */
  readonly fence: LogFence

  constructor(segments: Segments, state: LogState, options: LogWriterOptions) {
    this.#segments = segments
    this.#options = options
    this.#segmentSize = options.segmentSize ?? SEGMENT_SIZE
    this.#term = state.term
    this.#sequence = state.sequence
    this.#segment = segmentOf(state.end)
    this.#offset = offsetOf(state.end)
    this.#durable = state.durable
    this.#acknowledged = state.end
    this.fence = options.fence ?? UNFENCED
  }

  get end(): Position {
    return positionOf(this.#segment, this.#offset + this.#buffered)
  }

  /** Behind everything that has been acknowledged: how far readers of this process may go. */
  get acknowledged(): Position {
    return this.#acknowledged
  }

  get durable(): Position {
    return this.#durable
  }

  get term(): number {
    return this.#term
  }

  /** Bytes that the payload of one frame may have. */
  get maxPayload(): number {
    return maxPayloadOf(this.#segmentSize)
  }

  get poison(): JournalError | null {
    return this.#poison
  }

  /**
   * Resolves with the position behind the frames when they are in the log and, at durability `full`, on stable storage.
   * @throws JournalError `POISONED`; `NO_SPACE` when nothing was written and the log is still good.
   */
  append(append: Append): Promise<Position> {
    if (this.#poison !== null) return Promise.reject(this.#poisoned())
    return new Promise((resolve, reject) => {
      this.#queue.push({ append, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** The next frame begins a new segment. */
  endSegment(): void {
    this.#rollNow = true
  }

  /** Declares the log unusable until it is reopened. */
  poisonWith(error: JournalError): void {
    this.#poison ??= error
  }

  /** Runs `work` while nothing is written and the file is closed, so that `work` may replace or shorten segments. What is appended meanwhile waits. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    while (this.#flushing !== null) await this.#flushing
    this.#closeFile()
    this.#reserved = 0
    const release = this.fence.hold()
    const working = work().finally(release)
    const ended = (): Promise<void> | null => {
      this.#flushing = this.#queue.length > 0 ? this.#flush() : null
      return this.#flushing
    }
    this.#flushing = working.then(ended, ended).then(() => undefined)
    return working
  }

  /** Waits for what is in flight and closes the file. Whatever comes later is refused: the end of the log is somebody else's by then. */
  async close(): Promise<void> {
    this.#poison ??= new JournalError('CLOSED', 'the journal is closed', { hint: 'Open it again.' })
    await this.#flushing
    this.#options.note?.close()
    this.#closeFile()
  }

  #closeFile(): void {
    const handle = this.#handle
    // An error of close leaves nothing open.
    this.#handle = null
    if (handle !== null) this.#segments.disk.close(handle)
  }

  async #flush(): Promise<void> {
    // A turn of the microtask queue lets callers of the same moment join; it delays nobody.
    await null
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      const done: (() => void)[] = []
      try {
        const accepted = this.#admit(batch)
        if (this.#poison !== null) throw this.#poison
        for (const { append, resolve } of accepted) {
          for (const frame of append.frames) {
            const pending = this.#put(frame)
            if (pending !== null) await pending
          }
          const end = this.end
          done.push(() => resolve(end))
        }
        this.#drain()
        if (accepted.some(({ append }) => append.durability === 'full')) await this.#syncBeside(accepted)
        // What went to a file that is not the log any more is not in the log.
        this.fence.check()
        this.#acknowledged = this.end
        this.#options.note?.synced(this.#durable)
        for (const resolve of done) resolve()
      } catch (error) {
        this.#poison ??= asJournalError(error, 'writing the log')
        const first = this.#poison
        for (const [index, { reject }] of batch.entries()) reject(index === 0 ? first : this.#poisoned())
        for (const { reject } of this.#queue.splice(0)) reject(this.#poisoned())
      }
    }
    // At once: an append that comes now must begin a flush of its own.
    this.#flushing = null
  }

  async #syncBeside(accepted: readonly Waiting[]): Promise<void> {
    const works = accepted.flatMap(({ append: { meanwhile } }) => (meanwhile === undefined ? [] : [meanwhile]))
    const syncing = this.#sync(works.length === 0 && this.#isAlone(accepted.length))
    for (const begin of works) begin()
    await syncing
  }

  /** Is there just one append, and none about to come that could share the next sync? */
  #isAlone(accepted: number): boolean {
    return accepted === 1 && this.#queue.length === 0 && (this.#options.othersComing?.() ?? 0) === 0
  }

  #poisoned(): JournalError {
    return new JournalError('POISONED', `the journal takes no more commits: ${this.#poison?.message}`, {
      hint: 'Close the journal and open it again: recovery finds out what is in it. Look at the cause first.',
      cause: this.#poison,
    })
  }

  /** Turns away what there is no room for, while nothing of it is written yet. */
  #admit(batch: readonly Waiting[]): Waiting[] {
    const accepted: Waiting[] = []
    let total = 0
    for (const waiting of batch) {
      const needed = total + waiting.append.size
      if (this.#offset + needed > this.#reserved) {
        try {
          this.#reserve(needed)
        } catch (error) {
          waiting.reject(asJournalError(error, 'reserving space in the log'))
          continue
        }
      }
      total = needed
      accepted.push(waiting)
    }
    return accepted
  }

  #reserve(needed: number): void {
    const { disk, directory } = this.#segments
    if (disk.freeSpace(directory) < needed + MARGIN) {
      throw new JournalError('NO_SPACE', `the log needs ${needed} bytes more than the file system has`, {
        hint: 'Free some space on this file system and try again. Nothing was changed.',
      })
    }
    if (needed > RESERVE_LIMIT || this.#handle === null) return
    const from = Math.max(this.#reserved, this.#offset)
    const end = Math.ceil((this.#offset + needed) / 4096) * 4096
    const most = Math.max(end, this.#options.rollAt ?? this.#segmentSize)
    const to = Math.min(this.#segmentSize, most, end + this.#reserveStep)
    if (to <= from) return
    try {
      for (let at = from; at < to; at += ZEROS.byteLength) {
        writeFully(disk, this.#handle, ZEROS.subarray(0, Math.min(ZEROS.byteLength, to - at)), at)
      }
    } catch (error) {
      // The zeros that went are harmless padding; only the frames themselves matter.
      if (hasSystemCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) throw asJournalError(error, 'reserving space in the log')
      this.#poison ??= asJournalError(error, 'reserving space in the log')
      throw error
    }
    this.#reserved = to
    this.#reserveStep = Math.min(LAST_RESERVE, this.#reserveStep * 2)
  }

  /** Null when done; a promise when a segment must be finished first. */
  #put(frame: NewFrame): Promise<void> | null {
    const { payload } = frame
    const size = frameSize(payload.byteLength)
    if (payload.byteLength > this.maxPayload) {
      throw new JournalError('INVALID', `a frame of ${payload.byteLength} bytes does not fit into a segment`, {
        hint: 'Split the transaction into smaller ones.',
      })
    }
    if (this.#handle === null || this.#isFull(size)) {
      const release = this.fence.hold()
      return this.#roll(size)
        .finally(release)
        .then(() => this.#encode(frame, size))
    }
    this.#encode(frame, size)
    return null
  }

  /** Must a frame of that size stand in the next segment? */
  #isFull(size: number): boolean {
    const filled = this.#offset + this.#buffered
    if (filled + size > this.#segmentSize) return true
    return filled > 0 && (this.#rollNow || filled >= (this.#options.rollAt ?? this.#segmentSize))
  }

  #encode({ kind, payload, placed }: NewFrame, size: number): void {
    if (this.#buffered + size > this.#buffer.byteLength) {
      if (this.#buffered + size > BUFFER_SIZE) this.#drain()
      if (this.#buffered + size > this.#buffer.byteLength) {
        const larger = new Uint8Array(Math.max(size, Math.min(BUFFER_SIZE, (this.#buffered + size) * 2)))
        larger.set(this.#buffer.subarray(0, this.#buffered))
        this.#buffer = larger
      }
    }
    placed?.(this.end)
    const frame = { kind, term: this.#term, sequence: this.#sequence + 1, position: this.end, durable: this.#durable }
    this.#buffered = encodeFrame(this.#buffer, this.#buffered, this.#options.seed, frame, payload)
    this.#sequence += 1
  }

  #drain(): void {
    if (this.#buffered === 0 || this.#handle === null) return
    writeFully(this.#segments.disk, this.#handle, this.#buffer.subarray(0, this.#buffered), this.#offset)
    this.#offset += this.#buffered
    this.#buffered = 0
    if (this.#buffer.byteLength > BUFFER_SIZE) this.#buffer = new Uint8Array(FIRST_RESERVE)
  }

  /** `alone`: nobody else is waiting to join in. */
  async #sync(alone = false): Promise<void> {
    if (this.#handle === null) return
    const end = this.end
    const { disk } = this.#segments
    const begun = performance.now()
    if (alone && disk.syncNow !== undefined && this.#syncMs < BLOCKING_SYNC_MS) disk.syncNow(this.#handle)
    else await disk.sync(this.#handle)
    this.#syncMs += (performance.now() - begun - this.#syncMs) / 8
    this.#durable = end
  }

  /** Opens the segment the log ends in or, when that is full, finishes it and begins the next. */
  async #roll(size: number): Promise<void> {
    const { disk, directory } = this.#segments
    if (this.#handle === null && this.#offset > 0) {
      this.#handle = disk.open(this.#segments.path(this.#segment), 'write')
      this.#reserved = disk.stat(this.#handle).size
      if (!this.#isFull(size)) return
    }
    if (this.#handle !== null) {
      this.#drain()
      disk.truncate(this.#handle, this.#offset)
      await this.#sync()
      this.#closeFile()
      this.#segment += 1
      this.#offset = 0
    }
    this.#rollNow = false
    const path = this.#segments.path(this.#segment)
    this.#handle = disk.open(path, disk.lstat(path) === null ? 'create' : 'write', 0o600)
    this.#reserved = 0
    const payload = this.#options.segmentPayload(this.#segment)
    this.#encode({ kind: 'segment', payload }, frameSize(payload.byteLength))
    // The name must be durable before anything in the segment is acknowledged.
    await disk.syncDirectory(directory)
  }
}

/** How far the log may be shown to others: as far as no crash can take it back. */

import { readPart } from '../disk/file.ts'
import { hasSystemCode } from '../errors.ts'
import { FRAME_KIND, type FrameKind, followsNumber, frameSize, HEADER_SIZE } from '../log/frame.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import { readDurableNote } from '../store/durable-note.ts'
import { Layout } from '../store/layout.ts'
import type { HistorySource } from './source.ts'

const HEADERS_ONLY: ReadonlySet<FrameKind> = new Set(Object.keys(FRAME_KIND) as FrameKind[])

/**
 * A frame is proven when what stands behind it says that it was on stable storage. That says, whichever goes furthest:
 *
 * 1. the writer, in its own process;
 * 2. `DURABLE`, which the writer writes after each sync;
 * 3. `CHECKPOINT`: the frame that it names was on stable storage when it was written;
 * 4. the header of any later frame: its durable position.
 *
 * So a transaction whose sync is still on its way, or failed, is not shown: power that is lost now would take it back, and the next one would have
 * its number.
 */
export class ProvenEnd {
  readonly #source: HistorySource
  readonly #layout: Layout
  /** Headers were read up to here. */
  #scanned: LogPlace = { position: 0, sequence: -1 }
  #proven: Position = 0

  constructor(source: HistorySource) {
    this.#source = source
    this.#layout = new Layout(source.root)
  }

  /** As far as is known now. No more is found out than that it is further than `from`, where a frame stands or will. */
  find(from: LogPlace): Position {
    const { disk, journalId } = this.#source
    const behind = from.position
    this.#raise(this.#source.durable?.() ?? 0)
    this.#raise(readDurableNote(disk, this.#layout, journalId))
    if (this.#proven <= behind) this.#raise(readHint(disk, this.#layout, journalId) ?? 0)
    if (this.#proven <= behind) this.#scan(from)
    return this.#proven
  }

  #raise(position: Position): void {
    this.#proven = Math.max(this.#proven, position)
  }

  #scan(from: LogPlace): void {
    if (this.#scanned.position < from.position) this.#scanned = from
    if (endsAt(this.#source, this.#scanned.position)) return
    const reading = this.#source.reader.read(this.#scanned.position, { skip: HEADERS_ONLY, passing: true })
    let { position, sequence } = this.#scanned
    try {
      for (let step = reading.next(); step.done !== true; step = reading.next()) {
        const frame = step.value
        if (sequence >= 0 && !followsNumber(frame, sequence)) break
        this.#raise(frame.durable)
        position = frame.position + frameSize(frame.length)
        sequence = frame.sequence
      }
    } finally {
      reading.return({ position: 0, unread: false, last: null })
    }
    // Where nothing follows, the end of a write that never finished may have been passed, and was cut off since: begin again.
    this.#scanned = position === this.#scanned.position ? from : { position, sequence }
  }
}

/** Where in the log somebody is. */
export interface LogPlace {
  /** Of the next frame. */
  readonly position: Position
  /** Of the frame before; -1: not known. */
  readonly sequence: number
}

/** Has nothing been written behind a position? Much cheaper than reading on. */
export function endsAt({ reader }: HistorySource, end: Position): boolean {
  const { segments } = reader
  const segment = segmentOf(end)
  if (segments.exists(segment + 1) || !segments.exists(segment)) return false
  try {
    return readPart(segments.disk, segments.path(segment), offsetOf(end), HEADER_SIZE).every((byte) => byte === 0)
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT')) return false
    throw error
  }
}

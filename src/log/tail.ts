import type { Disk, FileHandle } from '../disk/disk.ts'
import { readFully, writeFully } from '../disk/file.ts'
import { JournalError } from '../errors.ts'
import { isZero, type LogReader } from './log-reader.ts'
import { offsetOf, type Position, segmentOf } from './position.ts'

/** Bytes held at once. */
const PIECE = 1024 * 1024

export interface TailVerdict {
  readonly verdict: 'torn' | 'corrupt'
  /** Bytes from `position` to the last one that is not zero, over all segments. */
  readonly bytes: number
  /** Position of the later frame that proves the loss. */
  readonly evidence: Position | null
  /** How many intact frames stand behind the damage. */
  readonly intactBehind: number
  /** Up to where the log had been durable, when it simply ends too early. */
  readonly reached?: Position
}

/** Tells a torn write from damage to acknowledged bytes: rules 3 and 4 of "The end of the log". */
export function judgeTail(reader: LogReader, position: Position): TailVerdict {
  let evidence: Position | null = null
  let intactBehind = 0
  for (const header of reader.intactAfter(position)) {
    intactBehind += 1
    if (header.durable > position) evidence ??= header.position
  }
  const bytes = tailBytes(reader, position)
  return { verdict: evidence === null ? 'torn' : 'corrupt', bytes, evidence, intactBehind }
}

export function corruptionError(position: Position, verdict: TailVerdict): JournalError {
  if (verdict.reached !== undefined) return lostEndError(position, verdict.reached)
  const place = `segment ${segmentOf(position)}, offset ${offsetOf(position)}`
  return new JournalError('CORRUPT', `the log is damaged at ${place}, in a part that had been acknowledged`, {
    hint: `Nothing was changed. ${verdict.intactBehind} later frames are intact. Copy .journal to a safe place, run 'journal verify' to see what is affected, and restore the segment from a backup; 'journal recover --salvage' goes on with what can still be read.`,
    details: { position: [segmentOf(position), offsetOf(position)], intactBehind: verdict.intactBehind },
  })
}

/**
 * The log ends at `position`, though everything before `durable` was on stable storage once: somebody, or the disk, took its end away.
 * `seq`: the last transaction that is there; `known`: one that was there.
 */
export function lostEndError(position: Position, durable: Position, seq?: number, known?: number): JournalError {
  const end = `segment ${segmentOf(position)}, offset ${offsetOf(position)}`
  const to = `segment ${segmentOf(durable)}, offset ${offsetOf(durable)}`
  const lost = seq !== undefined && known !== undefined && known > seq
  const which = !lost ? '' : `: transactions number ${seq + 1} to ${known} are lost`
  return new JournalError(
    'CORRUPT',
    `the log ends at ${end}, and was known to be on stable storage up to ${to}${which}`,
    {
      hint: `Nothing was changed. Copy .journal to a safe place and restore the end of its log from a backup, or run 'journal recover --salvage' to go on without it.`,
      details: {
        position: [segmentOf(position), offsetOf(position)],
        ...(lost ? { lost: { from: seq + 1, to: known } } : {}),
      },
    },
  )
}

/**
 * Cuts the torn end off the log at `position`, after a copy of it is safe in `broken/`. Idempotent: a crash in between leaves the
 * tail, or a part of it, to be cut again.
 */
export async function cutTail(reader: LogReader, position: Position, broken: string, name: string): Promise<void> {
  const { segments } = reader
  const { disk } = segments
  const affected = segments.list().filter((segment) => segment >= segmentOf(position))
  for (const segment of affected) {
    const from = segment === segmentOf(position) ? offsetOf(position) : 0
    const length = segments.size(segment) - from
    if (length <= 0) continue
    const copy = `${broken}/${name}-${String(segment).padStart(12, '0')}-${from}`
    if (disk.lstat(copy) !== null) disk.unlink(copy)
    const handle = disk.open(segments.path(segment), 'read')
    try {
      const written = disk.open(copy, 'create', 0o600)
      try {
        copyBytes(disk, handle, written, from, contentLength(disk, handle, from, length))
        await disk.sync(written)
      } finally {
        disk.close(written)
      }
    } finally {
      disk.close(handle)
    }
  }
  await disk.syncDirectory(broken)
  // Last segments first: whatever remains after a crash here is still a prefix of the torn tail. The sync of what is written next covers the cut.
  for (const segment of affected.reverse()) {
    const from = segment === segmentOf(position) ? offsetOf(position) : 0
    if (segment > segmentOf(position) || (from === 0 && segment > 1)) {
      // Should it come back, its frames follow nothing that is written from now on: it is torn, and cut again.
      disk.unlink(segments.path(segment))
      continue
    }
    const handle = disk.open(segments.path(segment), 'write')
    try {
      disk.truncate(handle, from)
    } finally {
      disk.close(handle)
    }
  }
}

/** How many of `length` bytes from `from` on there are up to the last one that is not zero. Read from the end, a piece at a time. */
function contentLength(disk: Disk, handle: FileHandle, from: number, length: number): number {
  const piece = new Uint8Array(Math.min(PIECE, length))
  for (let end = length; end > 0; ) {
    const start = Math.max(0, end - PIECE)
    const bytes = piece.subarray(0, readFully(disk, handle, piece.subarray(0, end - start), from + start))
    if (!isZero(bytes)) return start + bytes.findLastIndex((byte) => byte !== 0) + 1
    end = start
  }
  return 0
}

function copyBytes(disk: Disk, source: FileHandle, target: FileHandle, from: number, length: number): void {
  const piece = new Uint8Array(Math.min(PIECE, length))
  for (let at = 0; at < length; at += PIECE) {
    const bytes = piece.subarray(0, readFully(disk, source, piece.subarray(0, Math.min(PIECE, length - at)), from + at))
    writeFully(disk, target, bytes, at)
  }
}

function tailBytes(reader: LogReader, position: Position): number {
  const { segments } = reader
  let total = 0
  for (const segment of segments.list()) {
    if (segment < segmentOf(position)) continue
    const from = segment === segmentOf(position) ? offsetOf(position) : 0
    const handle = segments.disk.open(segments.path(segment), 'read')
    try {
      total += contentLength(segments.disk, handle, from, Math.max(0, segments.size(segment) - from))
    } finally {
      segments.disk.close(handle)
    }
  }
  return total
}

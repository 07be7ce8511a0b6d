import { createFile, readFully } from '../disk/file.ts'
import { JournalError } from '../errors.ts'
import type { LogReader } from './log-reader.ts'
import { offsetOf, type Position, segmentOf } from './position.ts'

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
    const bytes = new Uint8Array(length)
    const handle = disk.open(segments.path(segment), 'read')
    readFully(disk, handle, bytes, from)
    disk.close(handle)
    const copy = `${broken}/${name}-${String(segment).padStart(12, '0')}-${from}`
    if (disk.lstat(copy) !== null) disk.unlink(copy)
    createFile(disk, copy, bytes.subarray(0, lastNonZero(bytes)), 0o600)
    const written = disk.open(copy, 'write')
    await disk.sync(written).finally(() => disk.close(written))
  }
  await disk.syncDirectory(broken)
  // Last segments first: whatever remains after a crash here is still a prefix of the torn tail.
  for (const segment of affected.reverse()) {
    const from = segment === segmentOf(position) ? offsetOf(position) : 0
    if (segment > segmentOf(position) || (from === 0 && segment > 1)) {
      disk.unlink(segments.path(segment))
      await disk.syncDirectory(segments.directory)
      continue
    }
    const handle = disk.open(segments.path(segment), 'write')
    try {
      disk.truncate(handle, from)
      await disk.sync(handle)
    } finally {
      disk.close(handle)
    }
  }
}

function lastNonZero(bytes: Uint8Array): number {
  let end = bytes.byteLength
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return end
}

function tailBytes(reader: LogReader, position: Position): number {
  const { segments } = reader
  let total = 0
  for (const segment of segments.list()) {
    if (segment < segmentOf(position)) continue
    const from = segment === segmentOf(position) ? offsetOf(position) : 0
    const bytes = new Uint8Array(Math.max(0, segments.size(segment) - from))
    const handle = segments.disk.open(segments.path(segment), 'read')
    readFully(segments.disk, handle, bytes, from)
    segments.disk.close(handle)
    total += lastNonZero(bytes)
  }
  return total
}

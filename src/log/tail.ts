import { createFile, readPart } from '../disk/file.ts'
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
  const place = `segment ${segmentOf(position)}, offset ${offsetOf(position)}`
  return new JournalError('CORRUPT', `the log is damaged at ${place}, in a part that had been acknowledged`, {
    hint: `Nothing was changed. ${verdict.intactBehind} later frames are intact. Copy .journal to a safe place, run 'journal verify' to see what is affected, and restore the segment from a backup.`,
    details: { position: [segmentOf(position), offsetOf(position)], intactBehind: verdict.intactBehind },
  })
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
    const bytes = readPart(disk, segments.path(segment), from, length)
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
    const length = Math.max(0, segments.size(segment) - from)
    total += lastNonZero(readPart(segments.disk, segments.path(segment), from, length))
  }
  return total
}

import { createHash } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import { asJournalError, hasSystemCode } from '../errors.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Layout, readJson, replaceJson } from './layout.ts'

/** The first 16 hex digits of SHA-256 over `journal id:segment:offset`: rubbish must not pass for a position. */
function digestOf(journalId: string, segment: number, offset: number): string {
  return createHash('sha256').update(`${journalId}:${segment}:${offset}`).digest('hex').slice(0, 16)
}

/** Notes where the newest checkpoint frame stands. The frame is durable already. */
export function writeHint(disk: Disk, layout: Layout, journalId: string, position: Position): Promise<void> {
  const segment = segmentOf(position)
  const offset = offsetOf(position)
  return replaceJson(
    disk,
    layout.checkpoint,
    { position: [segment, offset], digest: digestOf(journalId, segment, offset) },
    false,
  )
}

function stored(disk: Disk, layout: Layout): { position?: unknown; digest?: unknown } | null | undefined {
  try {
    return readJson(disk, layout.checkpoint) as { position?: unknown; digest?: unknown } | null | undefined
  } catch (error) {
    // What may be missing may be unreadable.
    if (hasSystemCode(error, 'EACCES', 'EPERM')) return null
    throw asJournalError(error, 'reading CHECKPOINT', layout.checkpoint)
  }
}

/** The position that the hint names; null when there is no hint, or none that is sound. */
export function readHint(disk: Disk, layout: Layout, journalId: string): Position | null {
  const hint = stored(disk, layout)
  const [segment, offset] = Array.isArray(hint?.position) ? hint.position : []
  if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(offset)) return null
  return hint?.digest === digestOf(journalId, segment, offset) ? positionOf(segment, offset) : null
}

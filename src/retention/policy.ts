import { LOST_CHAIN } from '../entry/chain.ts'
import { decodeSegment } from '../entry/control.ts'
import type { DropReason } from '../entry/horizon.ts'
import type { LogReader } from '../log/log-reader.ts'
import { type Position, positionOf, segmentOf } from '../log/position.ts'

/** How much history is kept. Each is a limit of its own: what is beyond any of them goes, by whole segments, never more than it says. */
export interface RetentionLimits {
  /** The newest so many transactions. */
  readonly keepTransactions?: number
  /** Transactions of the last so many days. */
  readonly keepDays?: number
  /** Bytes of log and blobs together. */
  readonly maxBytes?: number
}

/** Segments that may go together, and why the last of them does. */
export interface Drop {
  readonly segment: number
  readonly reason: DropReason
  /** Number of the last transaction in them. */
  readonly seq: number
  /** What their files take. */
  readonly bytes: number
}

/** What a choice goes by. */
export interface Situation {
  /** Number of the newest transaction. */
  readonly newest: number
  /** Where recovery begins to read: nothing from its segment on may go. */
  readonly redo: Position
  /** Bytes of log and blobs now. */
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly now: number
  /** Room that is wanted for a commit, in bytes; beyond the limits of the policy nothing goes for it. */
  readonly pressed?: boolean
}

const DAY_MS = 86_400_000

export function isLimited({ keepTransactions, keepDays, maxBytes }: RetentionLimits): boolean {
  return keepTransactions !== undefined || keepDays !== undefined || maxBytes !== undefined
}

/**
 * The segments to drop next: the oldest that the limits allow, up to `most` bytes of them, at least one. Null: there is nothing to drop.
 * Costs a small read a segment.
 */
export function chooseDrop(
  reader: LogReader,
  limits: RetentionLimits,
  situation: Situation,
  most: number,
): Drop | null {
  const { segments } = reader
  let drop: Drop | null = null
  let bytes = 0
  for (const segment of segments.list()) {
    if (segment >= segmentOf(situation.redo)) break
    const next = reader.frameAt(positionOf(segment + 1, 0))
    if (next?.kind !== 'segment') break
    const { seq, time, chain } = decodeSegment(next.payload)
    const reason = reasonFor(limits, situation, { seq, time, freed: bytes })
    if (reason === null) break
    bytes += segments.size(segment)
    // Behind a gap the chain may not be known here: then no horizon can be.
    if (chain !== LOST_CHAIN) drop = { segment, reason, seq, bytes }
    if (bytes >= most && drop !== null) break
  }
  return drop
}

function reasonFor(
  { keepTransactions, keepDays, maxBytes }: RetentionLimits,
  { newest, now, bytes }: Situation,
  last: { readonly seq: number; readonly time: number; readonly freed: number },
): DropReason | null {
  if (keepTransactions !== undefined && last.seq <= newest - keepTransactions) return 'transactions'
  if (keepDays !== undefined && last.time < now - keepDays * DAY_MS) return 'age'
  if (maxBytes !== undefined && bytes - last.freed > maxBytes) return 'size'
  return null
}

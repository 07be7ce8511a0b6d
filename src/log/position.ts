/**
 * A place in the log as one number: segment × 2^32 + offset. Exact up to segment 2^21, which is 128 TiB of full segments.
 */
export type Position = number

const SEGMENT = 2 ** 32

export function positionOf(segment: number, offset: number): Position {
  return segment * SEGMENT + offset
}

export function segmentOf(position: Position): number {
  return Math.floor(position / SEGMENT)
}

export function offsetOf(position: Position): number {
  return position % SEGMENT
}

/** Where the log begins. */
export const LOG_START: Position = positionOf(1, 0)

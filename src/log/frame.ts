/**
 * Frames: the unit of the log. Layout and rule of validity stand in journal-format.md; the numbered conditions there are the
 * numbered checks here.
 */
import { checksum, HASHED_SIZE, HEADER_SIZE, MAGIC, PAYLOAD_HASH } from './checksum.ts'
import { type Position, positionOf } from './position.ts'

export { HEADER_SIZE, MAGIC }

export const FRAME_KIND = {
  segment: 1,
  term: 2,
  content: 3,
  commit: 4,
  checkpoint: 5,
  gap: 6,
  horizon: 7,
  states: 8,
  heads: 9,
} as const
export type FrameKind = keyof typeof FRAME_KIND
const KINDS: readonly (FrameKind | undefined)[] = [
  undefined,
  'segment',
  'term',
  'content',
  'commit',
  'checkpoint',
  'gap',
  'horizon',
  'states',
  'heads',
]

export const ALIGNMENT = 8
export const MAX_PAYLOAD = 64 * 1024 * 1024 - 128
/** Numbers of frames take two words of this many values. */
export const WORD = 2 ** 32

export interface FrameHeader {
  readonly kind: FrameKind
  /** Payload bytes. */
  readonly length: number
  readonly term: number
  readonly sequence: number
  readonly position: Position
  /** What was known to be on stable storage when the frame was built. */
  readonly durable: Position
  readonly payloadHash: bigint
}

/** XXH64 with seed 0. */
export function hashPayload(bytes: Uint8Array): bigint {
  return checksum(bytes)
}

/** Bytes that a frame with such a payload takes in the log. */
export function frameSize(payloadLength: number): number {
  return HEADER_SIZE + Math.ceil(payloadLength / ALIGNMENT) * ALIGNMENT
}

/** The key for header hashes: the first 8 bytes of the journal's id. */
export function headerSeed(journalId: Uint8Array): bigint {
  return new DataView(journalId.buffer, journalId.byteOffset, 8).getBigUint64(0, true)
}

/**
 * Conditions 1 to 4 for the header at `at` in `bytes`, which is the frame at `position` of the log; null when one fails.
 * `view`: of all of `bytes`, for who has one.
 */
export function decodeHeader(
  bytes: Uint8Array,
  at: number,
  seed: bigint,
  position: Position,
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
): FrameHeader | null {
  if (at + HEADER_SIZE > bytes.byteLength) return null
  if (view.getUint32(at, true) !== MAGIC) return null
  if (view.getBigUint64(at + HASHED_SIZE, true) !== checksum(bytes.subarray(at, at + HASHED_SIZE), seed)) return null
  return headerOf(view, at, position)
}

/** Conditions 3 and 4 for a header at `at` whose hash is right; null when one fails. */
export function headerOf(view: DataView, at: number, position: Position): FrameHeader | null {
  if (positionOf(view.getUint32(at + 28, true), view.getUint32(at + 24, true)) !== position) return null
  const kind = KINDS[view.getUint32(at + 4, true)]
  const length = view.getUint32(at + 8, true)
  if (kind === undefined || length > MAX_PAYLOAD) return null
  return {
    kind,
    length,
    term: view.getUint32(at + 12, true),
    sequence: view.getUint32(at + 20, true) * WORD + view.getUint32(at + 16, true),
    position,
    durable: positionOf(view.getUint32(at + 36, true), view.getUint32(at + 32, true)),
    payloadHash: view.getBigUint64(at + PAYLOAD_HASH, true),
  }
}

/** Condition 5. */
export function payloadIsRight(header: FrameHeader, payload: Uint8Array): boolean {
  return payload.byteLength === header.length && hashPayload(payload) === header.payloadHash
}

/** Conditions 6 and 7: does a frame follow `previous` (null: the first of the log)? */
export function follows(
  header: FrameHeader,
  previous: { readonly sequence: number; readonly term: number } | null,
): boolean {
  if (previous === null) return header.sequence === 1
  return followsNumber(header, previous.sequence) && header.term >= previous.term
}

/** Condition 6. A gap stands for frames that are lost, and is numbered like the last of them. */
export function followsNumber({ kind, sequence }: Pick<FrameHeader, 'kind' | 'sequence'>, previous: number): boolean {
  return kind === 'gap' ? sequence > previous : sequence === previous + 1
}

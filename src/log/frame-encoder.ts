import xxhash from 'xxhash-wasm'
import { checksum, HASHED_SIZE } from './checksum.ts'
import { FRAME_KIND, type FrameHeader, frameSize, HEADER_SIZE, MAGIC, WORD } from './frame.ts'
import { offsetOf, segmentOf } from './position.ts'

/** What is written is hashed by one library and checked by another (`xxh64.ts`): a fault of either shows. Null until it is compiled. */
let api: Awaited<ReturnType<typeof xxhash>> | null = null
// Waiting for it would keep whoever only imports this from being loaded at once, and from being bundled for `require`.
xxhash().then(
  (compiled) => {
    api = compiled
  },
  () => undefined,
)
/** Larger inputs are hashed piecewise: the memory of the module grows to its largest input and never shrinks. */
const PIECE = 1024 * 1024

function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  if (api === null) return checksum(bytes, seed)
  if (bytes.byteLength <= PIECE) return api.h64Raw(bytes, seed)
  const hash = api.create64(seed)
  for (let at = 0; at < bytes.byteLength; at += PIECE) hash.update(bytes.subarray(at, at + PIECE))
  return hash.digest()
}

/** Writes header, payload and padding into `target` at `at`; returns the offset behind them. */
export function encodeFrame(
  target: Uint8Array,
  at: number,
  seed: bigint,
  frame: Omit<FrameHeader, 'length' | 'payloadHash'>,
  payload: Uint8Array,
): number {
  const end = at + frameSize(payload.byteLength)
  const view = new DataView(target.buffer, target.byteOffset + at, HEADER_SIZE)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FRAME_KIND[frame.kind], true)
  view.setUint32(8, payload.byteLength, true)
  view.setUint32(12, frame.term, true)
  view.setUint32(16, frame.sequence % WORD, true)
  view.setUint32(20, Math.floor(frame.sequence / WORD), true)
  view.setUint32(24, offsetOf(frame.position), true)
  view.setUint32(28, segmentOf(frame.position), true)
  view.setUint32(32, offsetOf(frame.durable), true)
  view.setUint32(36, segmentOf(frame.durable), true)
  view.setBigUint64(40, xxh64(payload), true)
  view.setBigUint64(48, xxh64(target.subarray(at, at + HASHED_SIZE), seed), true)
  target.set(payload, at + HEADER_SIZE)
  target.fill(0, at + HEADER_SIZE + payload.byteLength, end)
  return end
}

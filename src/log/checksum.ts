/** The checksums of frames: XXH64, of single inputs and of many frames where they lie. */
import { makeXxh64, NO_HEADER, PART, RIGHT, WINDOW, WRONG_PAYLOAD } from './xxh64.ts'

export { NO_HEADER, PART, RIGHT, WRONG_PAYLOAD }

/** `57 4A 46 31` read as a little-endian integer. */
export const MAGIC = 0x31464a57
/** Bytes before the payload. */
export const HEADER_SIZE = 56
/** What the header's own hash is of; it stands behind. */
export const HASHED_SIZE = 48
const LENGTH = 8
export const PAYLOAD_HASH = 40

const xxh64 = makeXxh64({
  magic: MAGIC,
  header: HEADER_SIZE,
  hashed: HASHED_SIZE,
  length: LENGTH,
  payloadHash: PAYLOAD_HASH,
})

/** The window of XXH64 has the bytes `heldFrom` to `heldTo` of the chunk of this number; 0: something else. */
let held = 0
let heldFrom = 0
let heldTo = 0
let chunks = 0

/** XXH64. */
export function checksum(bytes: Uint8Array, seed = 0n): bigint {
  const { window } = xxh64
  const { byteLength } = bytes
  held = 0
  if (byteLength <= WINDOW) {
    window.set(bytes)
    return BigInt.asUintN(64, xxh64.whole(0, byteLength, seed))
  }
  xxh64.begin(seed)
  let at = 0
  for (; byteLength - at > WINDOW; at += WINDOW) {
    window.set(bytes.subarray(at, at + WINDOW))
    xxh64.stripes(0, WINDOW)
  }
  const rest = byteLength - at
  const stripes = rest - (rest % 32)
  window.set(bytes.subarray(at))
  xxh64.stripes(0, stripes)
  return BigInt.asUintN(64, xxh64.finish(stripes, rest, byteLength, seed))
}

/** Bytes of the log, read at once. They must not change as long as the chunk is used. */
export class Chunk {
  readonly bytes: Uint8Array
  /** Of all of `bytes`. */
  readonly view: DataView
  readonly #number: number

  constructor(bytes: Uint8Array) {
    chunks += 1
    this.#number = chunks
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /**
   * Is the frame at `at` intact? Conditions 1, 2 and 5 of `frame.ts`: `NO_HEADER`, `WRONG_PAYLOAD`, `RIGHT`, or `PART` when its header is, and the
   * chunk ends before its payload does.
   */
  frame(at: number, seed: bigint): number {
    const { byteLength } = this.bytes
    if (held !== this.#number || at < heldFrom || at + HEADER_SIZE > heldTo) this.#hold(at)
    const found = xxh64.frame(at - heldFrom, heldTo - heldFrom, seed)
    if (found !== PART || heldTo === byteLength) return found
    if (at > heldFrom) {
      this.#hold(at)
      const again = xxh64.frame(0, heldTo - heldFrom, seed)
      if (again !== PART || heldTo === byteLength) return again
    }
    const start = at + HEADER_SIZE
    const end = start + this.view.getUint32(at + LENGTH, true)
    if (end > byteLength) return PART
    const right = checksum(this.bytes.subarray(start, end)) === this.view.getBigUint64(at + PAYLOAD_HASH, true)
    return right ? RIGHT : WRONG_PAYLOAD
  }

  /** Conditions 1 and 2 alone. */
  header(at: number, seed: bigint): boolean {
    if (at + HEADER_SIZE > this.bytes.byteLength) return false
    if (held !== this.#number || at < heldFrom || at + HEADER_SIZE > heldTo) this.#hold(at)
    return xxh64.frame(at - heldFrom, at + HEADER_SIZE - heldFrom, seed) !== NO_HEADER
  }

  #hold(at: number): void {
    heldFrom = at
    heldTo = Math.min(at + WINDOW, this.bytes.byteLength)
    held = this.#number
    xxh64.window.set(this.bytes.subarray(at, heldTo))
  }
}

import xxhash from 'xxhash-wasm'
import { HEADER_SIZE, hashPayload, MAGIC } from '../../src/log/frame.ts'
import { SEED } from './forge.ts'

const { h64Raw } = await xxhash()
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]
const TAGS = [
  0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd6, 0xd9,
]
const SOME_TAGS = [...TAGS, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff]

/** Numbers that follow from a seed (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
}

function once(dice: Dice, bytes: Buffer, other: Uint8Array): Buffer {
  const at = dice.below(bytes.length + 1)
  const length = Math.min(bytes.length - at, 1 + dice.below(dice.of([4, 32, 1024])))
  const from = dice.below(other.length + 1)
  const piece = other.subarray(from, from + 1 + dice.below(64))
  switch (dice.below(9)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8))
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = dice.below(256)
      return bytes
    case 2:
      if (at < bytes.length) bytes[at] = dice.of(SOME_TAGS)
      return bytes
    case 3:
      if (at + 4 <= bytes.length) bytes[dice.below(2) ? 'writeUInt32LE' : 'writeUInt32BE'](dice.of(EXTREMES), at)
      return bytes
    case 4:
      return bytes.subarray(0, at)
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    case 6:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
    case 7:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + piece.length)])
    default:
      return Buffer.concat([
        bytes.subarray(0, at + length),
        bytes.subarray(at, at + length),
        bytes.subarray(at + length),
      ])
  }
}

/** Another input, made of one or two that there are. */
export function mutated(dice: Dice, bytes: Uint8Array, other: Uint8Array): Buffer {
  let made: Buffer = Buffer.from(bytes)
  for (let left = 1 + dice.below(dice.of([1, 3, 8])); left > 0; left -= 1) made = Buffer.from(once(dice, made, other))
  return made
}

/** Right checksums for every header that begins with the magic, so that what is read does not end at the first of them. */
export function repaired(bytes: Buffer): Buffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + HEADER_SIZE <= bytes.length; at += 8) {
    if (view.getUint32(at, true) !== MAGIC) continue
    const payload = bytes.subarray(at + HEADER_SIZE, at + HEADER_SIZE + view.getUint32(at + 8, true))
    view.setBigUint64(at + 40, hashPayload(payload), true)
    view.setBigUint64(at + 48, h64Raw(bytes.subarray(at, at + 48), SEED), true)
  }
  return bytes
}

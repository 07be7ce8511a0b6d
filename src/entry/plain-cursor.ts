import { isInside } from './path.ts'
import { isText } from './plain.ts'

const FLOAT = new DataView(new ArrayBuffer(8))
const SLASH = 0x2f
const DOT = 0x2e

/** A text as MessagePack has it, for `PlainCursor.literal`. */
export function literal(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  if (bytes.byteLength > 31) throw new RangeError('too long for a short text')
  return Uint8Array.from([0xa0 + bytes.byteLength, ...bytes])
}

/**
 * Walks over MessagePack where it stands, and makes nothing of it. Knows the forms that the journal itself writes; of any other it says that it does not know
 * them, and the caller decodes the whole. What it passes over is checked as `isPlain` and the decoder would.
 */
export class PlainCursor {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0
  /** What `text` and `binary` passed over last. */
  from = 0
  to = 0

  open(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at === this.end
  }

  /** Passes over these bytes, if they are next. */
  literal(wanted: Uint8Array): boolean {
    const { bytes, at } = this
    const { length } = wanted
    if (at + length > this.end) return false
    for (let index = 0; index < length; index += 1) if (bytes[at + index] !== wanted[index]) return false
    this.at = at + length
    return true
  }

  /** One byte that says all, such as nil. */
  tag(wanted: number): boolean {
    if (this.at >= this.end || this.bytes[this.at] !== wanted) return false
    this.at += 1
    return true
  }

  /** How many pairs the map has that is next; -1: no map. */
  map(): number {
    return this.#items(0x80, 0xde)
  }

  /** How many items the array has that is next; -1: no array. */
  array(): number {
    return this.#items(0x90, 0xdc)
  }

  #items(short: number, long: number): number {
    if (this.at >= this.end) return -1
    const tag = this.bytes[this.at] as number
    if ((tag & 0xf0) === short) {
      this.at += 1
      return tag & 0x0f
    }
    if (tag !== long || this.at + 3 > this.end) return -1
    this.at += 3
    return this.#number(this.at - 2, 2)
  }

  /** Bytes of any length. */
  binary(): boolean {
    const tag = this.bytes[this.at] as number
    if (this.at >= this.end || tag < 0xc4 || tag > 0xc6) return false
    return this.#range(1 << (tag - 0xc4))
  }

  /** Right UTF-8 of any length. */
  text(): boolean {
    if (this.at >= this.end) return false
    const tag = this.bytes[this.at] as number
    if (tag >= 0xa0 && tag < 0xc0) {
      this.from = this.at + 1
      this.to = this.from + (tag & 0x1f)
      if (this.to > this.end) return false
      this.at = this.to
    } else if (tag < 0xd9 || tag > 0xdb || !this.#range(1 << (tag - 0xd9))) return false
    return isText(this.bytes, this.from, this.to)
  }

  #range(width: number): boolean {
    this.from = this.at + 1 + width
    if (this.from > this.end) return false
    this.to = this.from + this.#number(this.at + 1, width)
    if (this.to > this.end) return false
    this.at = this.to
    return true
  }

  /** A text that can be the path of an entry: see `isInside`. */
  path(): boolean {
    if (!this.text()) return false
    const { bytes, from, to } = this
    let length = 0
    let dots = 0
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] as number
      if (byte === SLASH) {
        if (length === dots && length <= 2) return false
        length = 0
        dots = 0
        continue
      }
      // A letter j, a tilde, or anything beyond what can be seen of ASCII: it takes a closer look.
      if (byte === 0x6a || byte === 0x4a || byte > 0x7d || byte < 0x20) return isInside(this.string())
      length += 1
      if (byte === DOT) dots += 1
    }
    return !(length === dots && length <= 2)
  }

  /** What `text` passed over last. */
  string(): string {
    return this.textAt(this.from, this.to)
  }

  textAt(from: number, to: number): string {
    const { buffer, byteOffset } = this.bytes
    return Buffer.from(buffer, byteOffset + from, to - from).toString()
  }

  /** A whole number from 0 to 2^53 - 1; -1: something else. */
  integer(): number {
    const { bytes, at } = this
    if (at >= this.end) return -1
    const tag = bytes[at] as number
    if (tag < 0x80) {
      this.at = at + 1
      return tag
    }
    const width = tag >= 0xcc && tag <= 0xcf ? 1 << (tag - 0xcc) : tag === 0xcb ? 8 : 0
    if (width === 0 || at + 1 + width > this.end) return -1
    this.at = at + 1 + width
    if (tag !== 0xcb) {
      const value = this.#number(at + 1, width)
      return Number.isSafeInteger(value) ? value : -1
    }
    for (let index = 0; index < 8; index += 1) FLOAT.setUint8(index, bytes[at + 1 + index] as number)
    const value = FLOAT.getFloat64(0)
    return Number.isSafeInteger(value) && value >= 0 ? value : -1
  }

  #number(at: number, width: number): number {
    let value = 0
    for (let index = 0; index < width; index += 1) value = value * 256 + (this.bytes[at + index] as number)
    return value
  }
}

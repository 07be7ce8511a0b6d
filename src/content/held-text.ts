import { GramIndex } from './gram-index.ts'

/** Room that a text is given when it grows, in parts of what it has. */
const GROWTH = 8
/** What the index takes, as a part of the text. */
const INDEX_PART = 8

/** The bytes of one large text, which change as it changes: whoever holds one is its only owner. */
export class HeldText {
  #bytes: Uint8Array
  #size: number
  /** Made when something is looked for. */
  #index: GramIndex | null = null

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#size = bytes.byteLength
  }

  /** Valid until the next change. */
  get bytes(): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#size)
  }

  /** Bytes that it takes in memory. */
  get capacity(): number {
    return this.#bytes.byteLength + this.#bytes.byteLength / INDEX_PART
  }

  /** Writes over what stands at `at`, and beyond the end. */
  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.byteLength
    if (end > this.#bytes.byteLength) {
      const grown = Buffer.allocUnsafe(end + Math.floor(end / GROWTH))
      grown.set(this.bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, at)
    if (end > this.#size) this.#size = end
    this.#index?.add(this.bytes, at, end)
  }

  /** Where something begins next, from `start` on; −1: nowhere. */
  find(wanted: Uint8Array, start: number): number {
    this.#index ??= new GramIndex(this.bytes)
    return this.#index.find(this.bytes, wanted, start)
  }
}

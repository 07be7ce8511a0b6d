/** Room that a text is given when it grows, in parts of what it has. */
const GROWTH = 8

/** The bytes of one large text, which change as it changes: whoever holds one is its only owner. */
export class HeldText {
  #bytes: Uint8Array
  #size: number

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
    return this.#bytes.byteLength
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
  }
}

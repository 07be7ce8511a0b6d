import { GramIndex } from './gram-index.ts'
import type { Splice } from './splice.ts'

/** Room that a text is given when it grows, in parts of what it has. */
const GROWTH = 8
/** So many searches go through all of a text: making an index takes longer than some of them. */
const PLAIN = 8
/** What the index takes, as a part of the text. */
const INDEX_PART = 8

/** The bytes of one large text, which change as it changes: whoever holds one is its only owner. */
export class HeldText {
  #bytes: Uint8Array
  #size: number
  /** Made when it is worth it. */
  #index: GramIndex | null = null
  /** Since the text was made, or bytes of it moved. */
  #searches = 0

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

  /** Splices in ascending order. */
  change(splices: readonly Splice[]): void {
    const level = splices.every(({ at, remove, insert }) => remove === insert.byteLength || at === this.#size)
    if (level) for (const { at, insert } of splices) this.#write(insert, at)
    else this.#move(splices)
  }

  /** Writes over what stands at `at`, and beyond the end. */
  #write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.byteLength
    if (end > this.#bytes.byteLength) {
      const grown = Buffer.allocUnsafe(roomFor(end))
      grown.set(this.bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, at)
    if (end > this.#size) this.#size = end
    this.#index?.add(this.bytes, at, end)
  }

  #move(splices: readonly Splice[]): void {
    const size = splices.reduce((sum, { remove, insert }) => sum + insert.byteLength - remove, this.#size)
    const moved = Buffer.allocUnsafe(roomFor(size))
    let from = 0
    let to = 0
    for (const { at, remove, insert } of splices) {
      moved.set(this.#bytes.subarray(from, at), to)
      moved.set(insert, to + at - from)
      to += at - from + insert.byteLength
      from = at + remove
    }
    moved.set(this.#bytes.subarray(from, this.#size), to)
    this.#bytes = moved
    this.#size = size
    this.#index = null
    this.#searches = 0
  }

  /** Where something begins next, from `start` on; −1: nowhere. */
  find(wanted: Uint8Array, start: number): number {
    this.#searches += 1
    if (this.#index === null && this.#searches > PLAIN) this.#index = new GramIndex(this.bytes)
    return this.#index === null ? this.bytes.indexOf(wanted, start) : this.#index.find(this.bytes, wanted, start)
  }
}

function roomFor(size: number): number {
  return size + Math.floor(size / GROWTH)
}

import type { ContentHash } from '../entry/state.ts'

/** Smaller contents are not worth it. */
const SMALLEST = 512

export interface Held {
  readonly bytes: Uint8Array
  /** Of the record that was written of it; see `ChangeRecord`. */
  readonly step: number
  /** How many changes that stands on, and their pieces together. */
  readonly depth: number
  readonly pieces: number
  /** Of a record with the encoding `CHANGED`; null for any other. */
  readonly data: Uint8Array | null
}

/** The contents used last, up to so many bytes, in two generations as in `Recent`. Nobody may change bytes that it holds. */
export class HeldBytes {
  readonly #half: number
  #young = new Map<ContentHash, Held>()
  #old = new Map<ContentHash, Held>()
  #used = 0

  constructor(limit: number) {
    this.#half = limit / 2
  }

  get(hash: ContentHash): Held | undefined {
    const young = this.#young.get(hash)
    if (young !== undefined || this.#old.size === 0) return young
    const old = this.#old.get(hash)
    if (old !== undefined) this.set(hash, old)
    return old
  }

  set(hash: ContentHash, held: Held): void {
    const size = held.bytes.byteLength
    if (size < SMALLEST || size > this.#half || this.#young.has(hash)) return
    if (this.#used + size > this.#half) {
      this.#old = this.#young
      this.#young = new Map()
      this.#used = 0
    }
    this.#young.set(hash, held)
    this.#used += size
  }

  delete(hash: ContentHash): void {
    this.#used -= this.#young.get(hash)?.bytes.byteLength ?? 0
    this.#young.delete(hash)
    this.#old.delete(hash)
  }
}

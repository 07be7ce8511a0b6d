import { createHash, type Hash } from 'node:crypto'
import type { ContentHash } from '../entry/state.ts'

/** Bytes between two states of the hash that are remembered, at least. */
const STRIDE = 128 * 1024
/** No more states are remembered of one content. */
const MOST = 256

/** SHA-256 of a content that is being gone through from its beginning, or from the end of what it has in common with another one. */
export class RunningHash {
  readonly #hash: Hash
  readonly #marks: Hash[]
  #size: number
  #stride: number

  constructor(hash: Hash = createHash('sha256'), marks: Hash[] = [], size = 0, stride = STRIDE) {
    this.#hash = hash
    this.#marks = marks
    this.#size = size
    this.#stride = stride
  }

  /** Bytes so far: the next ones are those that follow them. */
  get size(): number {
    return this.#size
  }

  update(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.byteLength > 0) {
      const room = this.#stride - (this.#size % this.#stride)
      const part = rest.subarray(0, room)
      this.#hash.update(part)
      this.#size += part.byteLength
      rest = rest.subarray(part.byteLength)
      if (part.byteLength === room) this.#mark()
    }
  }

  /** To be called once, and last. */
  finish(): HashTrail {
    return new HashTrail(this.#hash, this.#marks, this.#size, this.#stride)
  }

  #mark(): void {
    this.#marks.push(this.#hash.copy())
    if (this.#marks.length <= MOST) return
    // Twice as far from each other: every other one goes.
    const kept = this.#marks.filter((_, index) => index % 2 === 1)
    this.#marks.splice(0, this.#marks.length, ...kept)
    this.#stride *= 2
  }
}

/**
 * The states that SHA-256 went through on its way over a content: another content that begins with the same bytes is hashed from the last of them on, and
 * an addition as if it stood alone. Takes some hundred bytes a state.
 */
export class HashTrail {
  readonly hash: ContentHash
  readonly size: number
  readonly #end: Hash
  /** `#marks[i]` after `(i + 1) * #stride` bytes. */
  readonly #marks: readonly Hash[]
  readonly #stride: number

  constructor(end: Hash, marks: readonly Hash[], size: number, stride: number) {
    this.hash = end.copy().digest('hex')
    this.size = size
    this.#end = end
    this.#marks = marks
    this.#stride = stride
  }

  /** For a content with the same first `common` bytes: at the last state within them. The caller goes on from its `size`. */
  from(common: number): RunningHash {
    if (common >= this.size) return new RunningHash(this.#end.copy(), [...this.#marks], this.size, this.#stride)
    const count = Math.min(this.#marks.length, Math.floor(common / this.#stride))
    const marks = this.#marks.slice(0, count)
    const last = marks.at(-1)
    return new RunningHash(last?.copy(), marks, count * this.#stride, this.#stride)
  }
}

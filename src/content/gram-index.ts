/** Bytes of a text that one set stands for. */
const BLOCK = 64 * 1024
/** Bits of a set: an eighth of the text. */
const BITS = 16
const WORDS = 2 ** BITS / 32
/** Bytes that one gram is made of: each moves the ones before it this far out of a number of 32 bits. */
const GRAM = 8
const SHIFT = 32 / GRAM
/** Of what is looked for, so many grams are asked for at most. */
const ASKED = 64
/** Bytes that come into a block after which its set is made anew: it only ever grows. */
const STALE = BLOCK / 2

/** A number for each byte, without a pattern. */
const SCATTER = (() => {
  const numbers = new Int32Array(256)
  let state = 0x9e3779b9
  for (let at = 0; at < numbers.length; at += 1) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
    numbers[at] = state ^ (state >>> 13)
  }
  return numbers
})()

function bitOf(rolling: number): number {
  return Math.imul(rolling, 0x9e3779b1) >>> (32 - BITS)
}

/**
 * Tells in which blocks of a large text something may stand, so that a search need not go through all of it: for each block the set of its sequences of 8
 * bytes, hashed to 65,536 bits (a Bloom filter with one hash; the idea of n-gram indexes of code searches). It may name a block that does not have it, and
 * never leaves out one that does.
 */
export class GramIndex {
  #sets: Uint32Array[] = []
  #added: number[] = []

  constructor(text: Uint8Array) {
    this.add(text, 0, text.byteLength)
  }

  /** Takes note of what was written to a text between `from` and `to`. */
  add(text: Uint8Array, from: number, to: number): void {
    const first = Math.max(0, from - GRAM + 1)
    const last = Math.min(to, text.byteLength - GRAM + 1)
    for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block += 1) {
      const begin = Math.max(first, block * BLOCK)
      const end = Math.min(last, (block + 1) * BLOCK)
      const added = (this.#added[block] ?? 0) + end - begin
      const isStale = added > STALE && end - begin < BLOCK && this.#sets[block] !== undefined
      if (isStale)
        this.#fill(block, text, block * BLOCK, Math.min(text.byteLength - GRAM + 1, (block + 1) * BLOCK), true)
      else this.#fill(block, text, begin, end, false)
      this.#added[block] = isStale || end - begin === BLOCK ? 0 : added
    }
  }

  #fill(block: number, text: Uint8Array, begin: number, end: number, anew: boolean): void {
    let set = this.#sets[block]
    if (set === undefined || anew) {
      set = new Uint32Array(WORDS)
      this.#sets[block] = set
    }
    let rolling = 0
    for (let at = begin; at < begin + GRAM - 1; at += 1)
      rolling = (rolling << SHIFT) + (SCATTER[text[at] as number] as number)
    for (let at = begin + GRAM - 1; at < end + GRAM - 1; at += 1) {
      rolling = (rolling << SHIFT) + (SCATTER[text[at] as number] as number)
      const bit = bitOf(rolling)
      set[bit >>> 5] = (set[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  /** Where in `text` `wanted` begins next, from `start` on; −1: nowhere. */
  find(text: Buffer, wanted: Uint8Array, start: number): number {
    const bits = this.#bitsOf(wanted)
    if (bits.length === 0) return text.indexOf(wanted, start)
    for (let block = Math.floor(start / BLOCK); block < this.#sets.length; block += 1) {
      if (!this.#mayHave(block, bits)) continue
      const from = Math.max(start, block * BLOCK)
      const at = text.subarray(from, (block + 1) * BLOCK + wanted.byteLength - 1).indexOf(wanted)
      if (at >= 0) return from + at
    }
    return -1
  }

  /** What begins in a block may go on in the next one. */
  #mayHave(block: number, bits: readonly number[]): boolean {
    const set = this.#sets[block]
    const next = this.#sets[block + 1] ?? set
    if (set === undefined || next === undefined) return set !== undefined
    for (const bit of bits) {
      const word = bit >>> 5
      if ((((set[word] as number) | (next[word] as number)) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }

  /** Empty when `wanted` is too short, or so long that it may go on beyond the next block. */
  #bitsOf(wanted: Uint8Array): number[] {
    const count = wanted.byteLength - GRAM + 1
    if (count < 1 || wanted.byteLength > BLOCK) return []
    const step = Math.max(1, Math.floor(count / ASKED))
    const bits: number[] = []
    let rolling = 0
    for (let at = 0; at < wanted.byteLength; at += 1) {
      rolling = (rolling << SHIFT) + (SCATTER[wanted[at] as number] as number)
      if (at >= GRAM - 1 && (at - GRAM + 1) % step === 0) bits.push(bitOf(rolling))
    }
    return bits
  }
}

import { randomInt } from 'node:crypto'

/** Of a SHA-256 value. */
const BYTES = 32
/** Digests in a block: a power of two, as divisions cost. */
const BLOCK_BITS = 13
const BLOCK = 1 << BLOCK_BITS
const IN_BLOCK = BLOCK - 1
const FIRST_SLOTS = 1024

/** So that nobody can choose digests that all fall into the same slots. */
const SALT_1 = odd()
const SALT_2 = odd()
const SALT_3 = odd()
const SALT_4 = odd()

function odd(): number {
  return (randomInt(2 ** 31) * 2 + 1) | 0
}

/**
 * SHA-256 values with eight flags each, numbered in the order of their coming: some 45 bytes for each, where a `Set` of texts takes a hundred and more. They are
 * looked up where they stand in a larger piece, without a view or a text being made of them.
 */
export class DigestTable {
  readonly #blocks: Uint8Array[] = []
  #flags = new Uint8Array(BLOCK)
  /** Open addressing: numbers + 1; 0: free. */
  #slots = new Int32Array(FIRST_SLOTS)
  #size = 0
  /** The number asked for last: what was found is often named next. */
  #last = 0
  readonly #scratch = Buffer.allocUnsafe(BYTES)

  get size(): number {
    return this.#size
  }

  /** The number of a digest, given one if it has none. */
  add(bytes: Uint8Array, at: number): number {
    if (this.#size > 0 && this.#is(this.#last, bytes, at)) return this.#last
    const slot = this.#slotOf(bytes, at)
    const known = this.#slots[slot] as number
    if (known > 0) {
      this.#last = known - 1
      return known - 1
    }
    const number = this.#size
    this.#last = number
    this.#size += 1
    if ((number & IN_BLOCK) === 0) this.#blocks.push(new Uint8Array(BLOCK * BYTES))
    const block = this.#blocks[this.#blocks.length - 1] as Uint8Array
    const base = (number & IN_BLOCK) * BYTES
    for (let index = 0; index < BYTES; index += 1) block[base + index] = bytes[at + index] as number
    if (number === this.#flags.length) this.#flags = grown(this.#flags)
    this.#slots[slot] = number + 1
    if (this.#size * 2 > this.#slots.length) this.#spread()
    return number
  }

  /** The number of a digest; -1 when it has none. */
  find(bytes: Uint8Array, at: number): number {
    return (this.#slots[this.#slotOf(bytes, at)] as number) - 1
  }

  /** The same for hex digits. */
  addHex(hex: string): number {
    return this.add(this.#bytes(hex), 0)
  }

  findHex(hex: string): number {
    return this.find(this.#bytes(hex), 0)
  }

  hex(number: number): string {
    const base = (number & IN_BLOCK) * BYTES
    return Buffer.from(this.#blockOf(number).subarray(base, base + BYTES)).toString('hex')
  }

  flags(number: number): number {
    return this.#flags[number] as number
  }

  setFlags(number: number, flags: number): void {
    this.#flags[number] = flags
  }

  /** Sets flags of a digest, which gets a number if it has none. */
  mark(bytes: Uint8Array, at: number, flags: number): void {
    const number = this.add(bytes, at)
    this.#flags[number] = (this.#flags[number] as number) | flags
  }

  /** How many have one of the flags `some`, and none of `not`. */
  count(some: number, not = 0): number {
    let count = 0
    for (let number = 0; number < this.#size; number += 1) {
      const flags = this.#flags[number] as number
      if ((flags & some) !== 0 && (flags & not) === 0) count += 1
    }
    return count
  }

  #bytes(hex: string): Uint8Array {
    if (this.#scratch.write(hex, 'hex') < BYTES) throw new RangeError(`no SHA-256: ${hex}`)
    return this.#scratch
  }

  #blockOf(number: number): Uint8Array {
    return this.#blocks[number >> BLOCK_BITS] as Uint8Array
  }

  /** Where a digest is, or would be. */
  #slotOf(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1
    for (let slot = mixed(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0) return slot
      if (this.#is(number, bytes, at)) return slot
    }
  }

  #is(number: number, bytes: Uint8Array, at: number): boolean {
    const block = this.#blockOf(number)
    const base = (number & IN_BLOCK) * BYTES
    let index = 0
    while (index < BYTES && block[base + index] === bytes[at + index]) index += 1
    return index === BYTES
  }

  #spread(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let number = 0; number < this.#size; number += 1) {
      let slot = mixed(this.#blockOf(number), (number & IN_BLOCK) * BYTES) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = number + 1
    }
  }
}

function word(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
}

function mixed(bytes: Uint8Array, at: number): number {
  const first = Math.imul(word(bytes, at) ^ SALT_1, SALT_2)
  const second = Math.imul(word(bytes, at + 4) ^ SALT_3, SALT_4)
  return (first ^ (second >>> 15) ^ second ^ (first >>> 13)) >>> 0
}

function grown(flags: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(flags.length * 2)
  more.set(flags)
  return more
}

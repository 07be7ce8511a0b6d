/** Deterministic random numbers (sfc32, seeded by splitmix32). The same seed gives the same sequence on every machine. */
export class Random {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number) {
    this.seed = seed >>> 0
    let state = this.seed
    const mix = () => {
      state = (state + 0x9e3779b9) | 0
      let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return z ^ (z >>> 15)
    }
    this.#a = mix()
    this.#b = mix()
    this.#c = mix()
    for (let i = 0; i < 8; i++) this.uint32()
  }

  uint32(): number {
    const t = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  /** 0 to 1, 1 excluded. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** 0 to `limit` - 1; 0 when the limit is 0. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit)
  }

  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** A probability to be used for a while: the extremes come often, because they are what breaks things. */
  bias(): number {
    const pick = this.uint32() & 3
    return pick === 0 ? 0 : pick === 1 ? 1 : pick === 2 ? 0.5 : this.unit()
  }

  /** A generator of its own, that depends on this one's state. */
  fork(): Random {
    return new Random(this.uint32())
  }
}

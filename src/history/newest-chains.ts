const DIGEST = 32

/** The chain values of the newest transactions: a checkpoint may name one of a little while ago. */
export class NewestChains {
  readonly #limit: number
  readonly #seqs: Float64Array
  readonly #values: Buffer

  /** `limit`: how many are kept. */
  constructor(limit: number) {
    this.#limit = limit
    this.#seqs = new Float64Array(limit)
    this.#values = Buffer.alloc(limit * DIGEST)
  }

  set(seq: number, chain: string): void {
    this.#values.write(chain, this.#place(seq), 'hex')
  }

  /** The same for a value that stands at `at`. */
  setAt(seq: number, bytes: Uint8Array, at: number): void {
    const place = this.#place(seq)
    for (let index = 0; index < DIGEST; index += 1) this.#values[place + index] = bytes[at + index] as number
  }

  get(seq: number): string | undefined {
    const index = seq % this.#limit
    return seq > 0 && this.#seqs[index] === seq
      ? this.#values.toString('hex', index * DIGEST, (index + 1) * DIGEST)
      : undefined
  }

  #place(seq: number): number {
    const index = seq % this.#limit
    this.#seqs[index] = seq
    return index * DIGEST
  }
}

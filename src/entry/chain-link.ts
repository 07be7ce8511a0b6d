import { hashesTo } from './digest.ts'

const DIGEST = 32
const ROOM = 4096

/** The chain value that the next commit follows, as bytes: for who follows the chain commit by commit. */
export class ChainLink {
  #bytes = Buffer.alloc(DIGEST + ROOM)

  get hex(): string {
    return this.#bytes.toString('hex', 0, DIGEST)
  }

  set hex(chain: string) {
    this.#bytes.write(chain, 'hex')
  }

  /** Is the chain value at `chain` of a payload that of its body, `body` to `end`, behind this one? */
  leadsTo(payload: Uint8Array, chain: number, body: number, end: number): boolean {
    const length = DIGEST + end - body
    if (length > this.#bytes.byteLength) this.#bytes = Buffer.concat([this.#bytes.subarray(0, DIGEST)], length * 2)
    this.#bytes.set(payload.subarray(body, end), DIGEST)
    return hashesTo(this.#bytes.subarray(0, length), payload, chain)
  }

  /** Goes on to the value that stands there. */
  advance(payload: Uint8Array, chain: number): void {
    for (let index = 0; index < DIGEST; index += 1) this.#bytes[index] = payload[chain + index] as number
  }
}

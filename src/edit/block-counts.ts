/** Characters of a block. */
const BLOCK = 256

/**
 * How many line ends stand before a place of a text, while parts of it are replaced. Places are those of the text as it was. Counts of blocks in a
 * tree of sums (Fenwick, "A new data structure for cumulative frequency tables", 1994), differences within a block one by one.
 */
export class BlockCounts {
  readonly #text: string
  readonly #sums: Int32Array
  /** By block: places of parts that were replaced, and by how many line ends they have become more. */
  readonly #changes = new Map<number, { readonly at: number; readonly by: number }[]>()

  constructor(text: string) {
    this.#text = text
    this.#sums = new Int32Array(Math.ceil(text.length / BLOCK) + 1)
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      const block = Math.floor(at / BLOCK) + 1
      this.#sums[block] = (this.#sums[block] as number) + 1
    }
    for (let n = 1; n < this.#sums.length; n += 1) {
      const above = n + (n & -n)
      if (above < this.#sums.length) this.#sums[above] = (this.#sums[above] as number) + (this.#sums[n] as number)
    }
  }

  /** A part that begins at `at` has `by` line ends more than it had. */
  add(at: number, by: number): void {
    if (by === 0) return
    const block = Math.floor(at / BLOCK)
    const changes = this.#changes.get(block)
    if (changes === undefined) this.#changes.set(block, [{ at, by }])
    else changes.push({ at, by })
    for (let n = block + 1; n < this.#sums.length; n += n & -n) this.#sums[n] = (this.#sums[n] as number) + by
  }

  /** Line ends before a place that was not replaced. */
  before(place: number): number {
    const block = Math.floor(place / BLOCK)
    let count = 0
    for (let n = block; n > 0; n -= n & -n) count += this.#sums[n] as number
    for (let at = this.#text.indexOf('\n', block * BLOCK); at >= 0 && at < place; at = this.#text.indexOf('\n', at + 1))
      count += 1
    for (const { at, by } of this.#changes.get(block) ?? []) if (at < place) count += by
    return count
  }
}

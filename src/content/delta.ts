/**
 * A content as a change of another one, its base: pieces of the base, in their order, with other bytes between them. No byte of the base is kept
 * twice, so a result is no longer than the base and all that is inserted, however many changes follow each other: nothing small can claim to be
 * large. Two changes in a row make one (`composed`), so a chain of them is followed without making any content in between.
 */
import { malformedContent, pushVarint, type VarintReader } from './varint.ts'

/** First `skip` bytes of the base are left out, then `keep` are kept, then come the bytes of `insert`. */
export interface Piece {
  readonly skip: number
  readonly keep: number
  readonly insert: Uint8Array
}

export interface Delta {
  /** Bytes of the result. */
  readonly length: number
  /** Bytes of the base that it reaches over. */
  readonly extent: number
  readonly pieces: readonly Piece[]
}

/** One change has no more: a hostile one must not take much more memory than space. */
export const MAX_PIECES = 4096

const NOTHING = new Uint8Array(0)

/** Puts a change together. What can be one piece becomes one. */
export class DeltaBuilder {
  readonly #pieces: Piece[] = []
  #skip = 0
  #keep = 0
  #inserts: Uint8Array[] = []
  #length = 0
  #extent = 0

  skip(count: number): void {
    if (count === 0) return
    if (this.#keep > 0) this.#flush()
    this.#skip += count
    this.#extent += count
  }

  keep(count: number): void {
    if (count === 0) return
    if (this.#inserts.length > 0) this.#flush()
    this.#keep += count
    this.#extent += count
    this.#length += count
  }

  insert(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return
    this.#inserts.push(bytes)
    this.#length += bytes.byteLength
  }

  finish(): Delta {
    // What is left out at the end need not be said.
    if (this.#keep === 0 && this.#inserts.length === 0) this.#extent -= this.#skip
    else this.#flush()
    return { length: this.#length, extent: this.#extent, pieces: this.#pieces }
  }

  #flush(): void {
    const [first = NOTHING, ...more] = this.#inserts
    const insert = more.length === 0 ? first : Buffer.concat(this.#inserts)
    this.#pieces.push({ skip: this.#skip, keep: this.#keep, insert })
    this.#skip = 0
    this.#keep = 0
    this.#inserts = []
  }
}

/** The change from A to C, of one from A to B and one from B to C. @throws JournalError `CORRUPT` when they do not fit */
export function composed(first: Delta, second: Delta): Delta {
  const out = new DeltaBuilder()
  let next = 0
  let skip = 0
  let keep = 0
  let insert = NOTHING
  /** Goes over `count` bytes of B. */
  const over = (count: number, kept: boolean): void => {
    for (let rest = count; rest > 0; ) {
      if (skip > 0) {
        out.skip(skip)
        skip = 0
      } else if (keep > 0) {
        const part = Math.min(rest, keep)
        if (kept) out.keep(part)
        else out.skip(part)
        keep -= part
        rest -= part
      } else if (insert.byteLength > 0) {
        const part = Math.min(rest, insert.byteLength)
        if (kept) out.insert(insert.subarray(0, part))
        insert = insert.subarray(part)
        rest -= part
      } else {
        const piece = first.pieces[next]
        if (piece === undefined) throw malformedContent('a change reaches beyond the end of what it changes')
        next += 1
        ;({ skip, keep, insert } = piece as Piece & { insert: typeof insert })
      }
    }
  }
  for (const piece of second.pieces) {
    over(piece.skip, false)
    over(piece.keep, true)
    out.insert(piece.insert)
  }
  return out.finish()
}

/** What a change makes of its base. @throws JournalError `CORRUPT` when it does not fit */
export function applied(delta: Delta, base: Uint8Array): Uint8Array {
  // Before anything is made: only then is the result no longer than what there is.
  if (delta.extent > base.byteLength) throw malformedContent('a change reaches beyond the end of what it changes')
  const result = Buffer.allocUnsafe(delta.length)
  let from = 0
  let to = 0
  for (const { skip, keep, insert } of delta.pieces) {
    result.set(base.subarray(from + skip, from + skip + keep), to)
    from += skip + keep
    result.set(insert, to + keep)
    to += keep + insert.byteLength
  }
  return result
}

/** Is `after` what a change makes of its base? Makes nothing. */
export function makes(delta: Delta, base: Uint8Array, after: Uint8Array): boolean {
  if (delta.extent > base.byteLength || delta.length !== after.byteLength) return false
  let from = 0
  let to = 0
  for (const { skip, keep, insert } of delta.pieces) {
    const middle = to + keep
    const end = middle + insert.byteLength
    if (Buffer.compare(base.subarray(from + skip, from + skip + keep), after.subarray(to, middle)) !== 0) return false
    if (Buffer.compare(insert, after.subarray(middle, end)) !== 0) return false
    from += skip + keep
    to = end
  }
  return to === after.byteLength
}

/** Bytes that the pieces take in a record, at most. */
export function sizeOf({ pieces }: Delta): number {
  return pieces.reduce((sum, { insert }) => sum + insert.byteLength + 15, 8)
}

/** Appends length and pieces to the beginning of a record. */
export function encodeDelta(head: readonly number[], { length, pieces }: Delta): Uint8Array {
  const parts: Uint8Array[] = []
  let numbers = [...head]
  pushVarint(numbers, length)
  for (const { skip, keep, insert } of pieces) {
    pushVarint(numbers, skip)
    pushVarint(numbers, keep)
    pushVarint(numbers, insert.byteLength)
    if (insert.byteLength === 0) continue
    parts.push(Uint8Array.from(numbers), insert)
    numbers = []
  }
  return Buffer.concat([...parts, Uint8Array.from(numbers)])
}

/** Reads length and pieces, to the end. The bytes are copied. @throws JournalError `CORRUPT` */
export function decodeDelta(reader: VarintReader): Delta {
  const length = reader.next()
  const pieces: Piece[] = []
  let made = 0
  let extent = 0
  while (!reader.done) {
    if (pieces.length === MAX_PIECES) throw malformedContent(`a change of more than ${MAX_PIECES} pieces`)
    const skip = reader.next()
    const keep = reader.next()
    const insert = Uint8Array.prototype.slice.call(reader.take(reader.next()))
    extent += skip + keep
    made += keep + insert.byteLength
    if (!Number.isSafeInteger(extent)) throw malformedContent('a number is too large')
    pieces.push({ skip, keep, insert })
  }
  if (made !== length) throw malformedContent(`a change makes ${made} bytes, not ${length}`)
  return { length, extent, pieces }
}

import { literal, PlainCursor } from '../entry/plain-cursor.ts'
import { RAW } from './content-frame.ts'

const TX = literal('tx')
const CONTENTS = literal('contents')
const DIGEST = 32

/**
 * The contents of a frame, where they stand, when each is kept whole: what most frames hold. Of anything else it says nothing: then `decodeContents`
 * has to.
 */
export class ContentOutline {
  readonly #cursor = new PlainCursor()
  /** Where each hash is; its content from, to. */
  readonly #places: number[] = []
  #count = 0
  #tx = 0
  #txEnd = 0

  get count(): number {
    return this.#count
  }

  hashAt(index: number): number {
    return this.#places[index * 3] as number
  }

  from(index: number): number {
    return this.#places[index * 3 + 1] as number
  }

  to(index: number): number {
    return this.#places[index * 3 + 2] as number
  }

  tx(): string {
    return this.#cursor.textAt(this.#tx, this.#txEnd)
  }

  /** False: it is of another form, or it is none. */
  read(payload: Uint8Array): boolean {
    const cursor = this.#cursor
    this.#count = 0
    cursor.open(payload, 0, payload.byteLength)
    if (cursor.map() !== 2 || !cursor.literal(TX) || !cursor.text()) return false
    this.#tx = cursor.from
    this.#txEnd = cursor.to
    if (!cursor.literal(CONTENTS)) return false
    const contents = cursor.array()
    for (let index = 0; index < contents; index += 1) {
      if (cursor.array() !== 3 || !cursor.binary() || cursor.to - cursor.from !== DIGEST) return false
      const hash = cursor.from
      if (!cursor.tag(RAW) || !cursor.binary()) return false
      const place = this.#count * 3
      this.#places[place] = hash
      this.#places[place + 1] = cursor.from
      this.#places[place + 2] = cursor.to
      this.#count += 1
    }
    return contents >= 0 && cursor.isAtEnd
  }
}

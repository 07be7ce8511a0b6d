import { JournalError } from '../errors.ts'

/** 2^53 − 1 takes 53 bits, 7 a byte. */
const MAX_BYTES = 8

/** Appends a non-negative safe integer, 7 bits a byte, the low ones first; all bytes but the last have the high bit set (LEB128). */
export function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

/** Reads what was written so, one after another. @throws JournalError `CORRUPT` */
export class VarintReader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  get done(): boolean {
    return this.at >= this.bytes.byteLength
  }

  next(): number {
    let value = 0
    let unit = 1
    for (let count = 0; count < MAX_BYTES; count += 1) {
      const byte = this.bytes[this.at]
      if (byte === undefined) throw malformedContent('it ends in the middle of a number')
      this.at += 1
      value += (byte & 0x7f) * unit
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break
        return value
      }
      unit *= 0x80
    }
    throw malformedContent('a number is too large')
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.byteLength - this.at) throw malformedContent('it ends too early')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

export function malformedContent(why: string): JournalError {
  return new JournalError('CORRUPT', `a content record in the log is malformed: ${why}`, {
    hint: "Its checksum is right, so it was written like this. Run 'journal verify' and report it.",
  })
}

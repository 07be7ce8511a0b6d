import { randomFillSync } from 'node:crypto'

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const RANDOM = 15
/** Random bytes are fetched in advance: a call for a few costs as much as one for many. */
const pool = new Uint8Array(4096)
let used = pool.byteLength

function nextByte(): number {
  if (used === pool.byteLength) {
    randomFillSync(pool)
    used = 0
  }
  const byte = pool[used] as number
  used += 1
  return byte
}

/** A fresh transaction id: `t` and 15 random characters of `0-9a-z`, 77 bits. */
export function newTransactionId(): string {
  let id = 't'
  while (id.length <= RANDOM) {
    // Bytes from 252 on would make some digits likelier than others.
    const byte = nextByte()
    if (byte < 252) id += DIGITS[byte % 36]
  }
  return id
}

export function isTransactionId(text: string): boolean {
  return /^t[0-9a-z]{15}$/.test(text)
}

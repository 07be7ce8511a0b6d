import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const RANDOM = 15

/** A fresh transaction id: `t` and 15 random characters of `0-9a-z`, 77 bits. */
export function newTransactionId(): string {
  let id = 't'
  while (id.length <= RANDOM) {
    // Bytes from 252 on would make some digits likelier than others.
    for (const byte of randomBytes(20)) if (byte < 252 && id.length <= RANDOM) id += DIGITS[byte % 36]
  }
  return id
}

export function isTransactionId(text: string): boolean {
  return /^t[0-9a-z]{15}$/.test(text)
}

import { hash } from 'node:crypto'

const BYTES = 32

/** Is `digest`, from `at` on, the SHA-256 of `bytes`? Makes nothing but what the hash itself needs. */
export function hashesTo(bytes: Uint8Array, digest: Uint8Array, at: number): boolean {
  const actual = hash('sha256', bytes, 'binary')
  for (let index = 0; index < BYTES; index += 1) if (actual.charCodeAt(index) !== digest[at + index]) return false
  return true
}

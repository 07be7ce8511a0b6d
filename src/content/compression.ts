import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { MAX_PAYLOAD } from '../log/frame.ts'
import { malformedContent, pushVarint, VarintReader } from './varint.ts'

/**
 * Smaller contents are not compressed: 4 KiB take 0.03 ms, a quarter of what a write takes of the main thread when many come at once. Those that
 * change often are kept as changes anyway.
 */
export const COMPRESS_FROM = 16 * 1024
/** Measured with source texts: level 6 saves a sixth more and takes twice as long. docs/performance.md has the figures. */
const LEVEL = 1
/** Looked at, and how many values they may have between them: 64 random bytes have some 57, texts less than 40. */
const SAMPLES = 64
const VARIED = 48

/** By value: the number of the look that found it last. */
const seen = new Float64Array(256)
let looks = 0

/** Is there something to gain? A look at some of the bytes. */
export function looksCompressible(bytes: Uint8Array): boolean {
  const step = Math.max(1, Math.floor(bytes.byteLength / SAMPLES))
  let values = 0
  looks += 1
  for (let at = 0; at < bytes.byteLength; at += step) {
    const value = bytes[at] as number
    if (seen[value] !== looks) {
      seen[value] = looks
      values += 1
    }
  }
  return values < VARIED
}

/** Length and DEFLATE stream (RFC 1951); null when that saves less than an eighth. */
export function deflated(bytes: Uint8Array): Uint8Array | null {
  if (bytes.byteLength < COMPRESS_FROM || !looksCompressible(bytes)) return null
  const stream = deflateRawSync(bytes, { level: LEVEL, chunkSize: bytes.byteLength })
  if (stream.byteLength > bytes.byteLength - bytes.byteLength / 8) return null
  const head: number[] = []
  pushVarint(head, bytes.byteLength)
  return Buffer.concat([Uint8Array.from(head), stream])
}

/** @throws JournalError `CORRUPT`, also for one that would be longer than it says, or than any content in the log */
export function inflated(data: Uint8Array): Uint8Array {
  const reader = new VarintReader(data, 0)
  const length = reader.next()
  // DEFLATE makes at most 1032 bytes of one.
  if (length > MAX_PAYLOAD || length > data.byteLength * 1032) throw malformedContent(`a length of ${length} bytes`)
  let bytes: Uint8Array
  try {
    bytes = inflateRawSync(data.subarray(reader.at), { maxOutputLength: Math.max(1, length) })
  } catch {
    throw malformedContent('it cannot be decompressed')
  }
  if (bytes.byteLength !== length) throw malformedContent(`it has ${bytes.byteLength} bytes, not ${length}`)
  return bytes
}

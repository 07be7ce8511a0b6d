import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeHeader,
  FRAME_KIND,
  type FrameKind,
  follows,
  frameSize,
  HEADER_SIZE,
  hashPayload,
  headerSeed,
  MAX_PAYLOAD,
  payloadIsRight,
} from '../../src/log/frame.ts'
import { encodeFrame } from '../../src/log/frame-encoder.ts'
import { LOG_START, offsetOf, positionOf, segmentOf } from '../../src/log/position.ts'

const seed = 7n
const position = positionOf(3, 4096)
const frame = { kind: 'commit' as const, term: 5, sequence: 2 ** 40 + 3, position, durable: positionOf(2, 64) }

function encoded(payload: Uint8Array = Buffer.from('hello')): Uint8Array {
  const bytes = new Uint8Array(frameSize(payload.byteLength))
  encodeFrame(bytes, 0, seed, frame, payload)
  return bytes
}

describe('a frame', () => {
  it('reads back as it was written', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(FRAME_KIND) as FrameKind[])),
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), fc.integer({ min: 0, max: 2 ** 20 })),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (kind, payload, term, sequence, [segment, slot], key) => {
          const at = positionOf(segment, slot * 8)
          const bytes = new Uint8Array(frameSize(payload.byteLength) + 16).fill(0xaa)
          const end = encodeFrame(bytes, 8, key, { kind, term, sequence, position: at, durable: LOG_START }, payload)
          expect(end % 8).toBe(0)
          expect(end).toBe(8 + frameSize(payload.byteLength))
          const header = decodeHeader(bytes, 8, key, at)
          expect(header).toMatchObject({
            kind,
            term,
            sequence,
            position: at,
            durable: LOG_START,
            length: payload.byteLength,
          })
          if (header === null) return
          expect(payloadIsRight(header, bytes.subarray(8 + HEADER_SIZE, 8 + HEADER_SIZE + payload.byteLength))).toBe(
            true,
          )
          expect(bytes.subarray(8 + HEADER_SIZE + payload.byteLength, end).every((byte) => byte === 0)).toBe(true)
          expect(bytes[end]).toBe(0xaa)
        },
      ),
    ))

  it('is invalid when any bit of its header is another', () => {
    const bytes = encoded()
    for (let bit = 0; bit < HEADER_SIZE * 8; bit += 1) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(decodeHeader(changed, 0, seed, position), `bit ${bit}`).toBeNull()
    }
  })

  it('is invalid when any bit of its payload is another', () => {
    const bytes = encoded()
    const header = decodeHeader(bytes, 0, seed, position)
    expect(header).not.toBeNull()
    if (header === null) return
    for (let bit = 0; bit < 5 * 8; bit += 1) {
      const payload = bytes.slice(HEADER_SIZE, HEADER_SIZE + 5)
      payload[bit >> 3] = (payload[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(payloadIsRight(header, payload)).toBe(false)
    }
    expect(payloadIsRight(header, bytes.subarray(HEADER_SIZE, HEADER_SIZE + 4))).toBe(false)
  })

  it('is worthless in another place, in another journal, or cut off', () => {
    const bytes = encoded()
    expect(decodeHeader(bytes, 0, seed, position + 8)).toBeNull()
    expect(decodeHeader(bytes, 0, seed + 1n, position)).toBeNull()
    expect(decodeHeader(bytes.subarray(0, HEADER_SIZE - 1), 0, seed, position)).toBeNull()
  })

  it.each([
    ['an unknown kind', 4, 10],
    ['kind 0', 4, 0],
    ['a length beyond the limit', 8, MAX_PAYLOAD + 1],
  ])('with %s is invalid though its hash is right', async (_, offset, value) => {
    const { default: xxhash } = await import('xxhash-wasm')
    const { h64Raw } = await xxhash()
    const bytes = encoded()
    const view = new DataView(bytes.buffer)
    view.setUint32(offset, value, true)
    view.setBigUint64(48, h64Raw(bytes.subarray(0, 48), seed), true)
    expect(decodeHeader(bytes, 0, seed, position)).toBeNull()
  })

  it('follows the one with the number before it, in no older term', () => {
    const header = decodeHeader(encoded(), 0, seed, position)
    if (header === null) throw new Error('no header')
    expect(follows(header, { sequence: frame.sequence - 1, term: 5 })).toBe(true)
    expect(follows(header, { sequence: frame.sequence - 1, term: 4 })).toBe(true)
    expect(follows(header, { sequence: frame.sequence - 1, term: 6 })).toBe(false)
    expect(follows(header, { sequence: frame.sequence, term: 5 })).toBe(false)
    expect(follows(header, { sequence: frame.sequence - 2, term: 5 })).toBe(false)
    expect(follows(header, null)).toBe(false)
    expect(follows({ ...header, sequence: 1 }, null)).toBe(true)
  })
})

describe('hashes', () => {
  it('are those of XXH64', () => {
    expect(hashPayload(new Uint8Array(0))).toBe(0xef46db3751d8e999n)
    expect(hashPayload(Buffer.from('a'))).toBe(0xd24ec4f1a98c6e5bn)
  })

  it('do not depend on the pieces a large payload is hashed in', async () => {
    const { default: xxhash } = await import('xxhash-wasm')
    const { h64Raw } = await xxhash()
    const bytes = new Uint8Array(3 * 1024 * 1024 + 5).map((_, i) => i * 31)
    expect(hashPayload(bytes)).toBe(h64Raw(bytes))
  })

  it('take the first 8 bytes of the id as seed, little-endian', () => {
    expect(headerSeed(Buffer.from('0102030405060708ffffffffffffffff', 'hex'))).toBe(0x0807060504030201n)
  })
})

describe('a position', () => {
  it('is one number, and comes apart again', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 21 - 1 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (segment, offset) => {
          const both = positionOf(segment, offset)
          expect([segmentOf(both), offsetOf(both)]).toEqual([segment, offset])
          expect(Number.isSafeInteger(both)).toBe(true)
          expect(positionOf(segment + 1, 0)).toBeGreaterThan(both)
        },
      ),
    ))
})

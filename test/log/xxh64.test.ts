import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import xxhash from 'xxhash-wasm'
import { makeXxh64, NO_HEADER, PART, RIGHT, WINDOW, WRONG_PAYLOAD } from '../../src/log/xxh64.ts'

const SHAPE = { magic: 0x31464a57, header: 56, hashed: 48, length: 8, payloadHash: 40 }
const reference = await xxhash()
const own = makeXxh64(SHAPE)
const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}

describe('XXH64', () => {
  it.each([
    ['', 0n, 0xef46db3751d8e999n],
    ['abc', 0n, 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0n, 0xfbcea83c8a378bf1n],
  ])('of %j is what others say', (text, seed, hash) => {
    const { written } = new TextEncoder().encodeInto(text, own.window)
    expect(unsigned(own.whole(0, written, seed))).toBe(hash)
  })

  it('is that of another implementation, for every length, place and seed', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 167 + (at >> 3)) & 0xff)
    for (let length = 0; length <= bytes.byteLength; length += 1) {
      own.window.set(bytes.subarray(0, length), length % 13)
      for (const seed of [0n, 1n, 0x8877665544332211n, 2n ** 64n - 1n]) {
        expect(unsigned(own.whole(length % 13, length, seed)), `${length} bytes`).toBe(
          reference.h64Raw(bytes.subarray(0, length), seed),
        )
      }
    }
  })

  it('is the same piece by piece', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), seeds, fc.nat({ max: 90 }), (bytes, seed, cut) => {
        own.window.set(bytes)
        const stripes = bytes.byteLength - (bytes.byteLength % 32)
        const middle = Math.min(stripes, cut * 32)
        own.begin(seed)
        own.stripes(0, middle)
        own.stripes(middle, stripes)
        expect(unsigned(own.finish(stripes, bytes.byteLength, bytes.byteLength, seed))).toBe(
          reference.h64Raw(bytes, seed),
        )
      }),
    ))
})

describe('the check of a frame', () => {
  const seed = 0xfedcba9876543210n

  function frame(payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(SHAPE.header + payload.byteLength)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, SHAPE.magic, true)
    view.setUint32(SHAPE.length, payload.byteLength, true)
    view.setBigUint64(SHAPE.payloadHash, reference.h64Raw(payload), true)
    view.setBigUint64(SHAPE.hashed, reference.h64Raw(bytes.subarray(0, SHAPE.hashed), seed), true)
    bytes.set(payload, SHAPE.header)
    return bytes
  }

  it('knows each flipped bit, and each byte that is not there', () => {
    const whole = frame(Buffer.from('the payload, longer than a stripe of it'))
    own.window.set(whole, 8)
    const end = 8 + whole.byteLength
    expect(own.frame(8, end, seed)).toBe(RIGHT)
    expect(own.frame(8, end + 100, seed)).toBe(RIGHT)
    expect(own.frame(8, end, seed + 1n)).toBe(NO_HEADER)
    for (let short = 8; short < end; short += 1)
      expect(own.frame(8, short, seed), `to ${short}`).toBe(short < 8 + SHAPE.header ? NO_HEADER : PART)
    for (let bit = 0; bit < whole.byteLength * 8; bit += 1) {
      const at = 8 + (bit >> 3)
      own.window[at] = (own.window[at] as number) ^ (1 << (bit & 7))
      expect(own.frame(8, end, seed), `bit ${bit}`).toBe(bit < SHAPE.header * 8 ? NO_HEADER : WRONG_PAYLOAD)
      own.window[at] = (own.window[at] as number) ^ (1 << (bit & 7))
    }
  })

  it('believes no length beyond what is there', () => {
    const lying = frame(new Uint8Array(0))
    const view = new DataView(lying.buffer)
    for (const length of [1, WINDOW, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - SHAPE.header]) {
      view.setUint32(SHAPE.length, length, true)
      view.setBigUint64(SHAPE.hashed, reference.h64Raw(lying.subarray(0, SHAPE.hashed), seed), true)
      own.window.set(lying)
      expect(own.frame(0, lying.byteLength, seed)).toBe(PART)
    }
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeContents, encodeContents, PURGED, RAW } from '../../src/content/content-frame.ts'
import { ContentOutline } from '../../src/content/content-outline.ts'
import { hashBytes } from '../../src/content/hash.ts'
import { toHex } from '../../src/entry/codec.ts'

const outline = new ContentOutline()
const contents = fc
  .array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 })
  .map((list) => list.map((data) => ({ hash: hashBytes(data), encoding: RAW, data })))

function agree(payload: Uint8Array): void {
  const { tx, contents: records } = decodeContents(payload)
  expect(outline.tx()).toBe(tx)
  expect(outline.count).toBe(records.length)
  for (const [index, { hash, encoding, data }] of records.entries()) {
    expect(encoding).toBe(RAW)
    expect(toHex(payload.subarray(outline.hashAt(index), outline.hashAt(index) + 32))).toBe(hash)
    expect(toHex(payload.subarray(outline.from(index), outline.to(index)))).toBe(toHex(data))
  }
}

describe('the outline of a content frame', () => {
  it('says what decoding says', () =>
    fc.assert(
      fc.property(contents, (list) => {
        const payload = encodeContents('t0123456789abcde', list)
        expect(outline.read(payload)).toBe(true)
        agree(payload)
      }),
    ))

  it('says nothing of what cannot be decoded, whatever byte is another', () =>
    fc.assert(
      fc.property(contents, fc.nat(), fc.nat(255), (list, at, byte) => {
        const payload = Uint8Array.from(encodeContents('t0123456789abcde', list))
        payload[at % Math.min(60, payload.byteLength)] = byte
        if (outline.read(payload)) agree(payload)
      }),
      { numRuns: 2000 },
    ))

  it('says nothing of contents that are not whole', () => {
    const record = { hash: 'ab'.repeat(32), encoding: RAW, data: new Uint8Array(3) }
    expect(outline.read(encodeContents('t', [record]))).toBe(true)
    for (let encoding = PURGED; encoding < 5; encoding += 1)
      expect(outline.read(encodeContents('t', [record, { ...record, encoding }]))).toBe(false)
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode } from '../../../src/safety/validation/text.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function fits(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

test('what comes before the first bad byte is UTF-8, and what begins there is not', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).map((text) => [...Buffer.from(text)]),
    fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 3 }),
    fc.constantFrom([0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x80, 0x80], [0xf0, 0x9f]),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), (parts) => {
      const bytes = Uint8Array.from(parts.flat().filter((byte) => byte !== 0))
      fc.pre(!((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)))
      const decoded = decode(bytes, 'json')
      if ('text' in decoded) {
        expect(fits(bytes)).toBe(true)
        return
      }
      expect(fits(bytes)).toBe(false)
      expect(fits(bytes.subarray(0, decoded.at))).toBe(true)
      for (let length = 1; length <= 4 && decoded.at + length <= bytes.byteLength; length += 1)
        expect(fits(bytes.subarray(decoded.at, decoded.at + length))).toBe(false)
    }),
    { numRuns: 2000 },
  )
})

test('a byte order mark is no part of the text', () => {
  expect(decode(Buffer.from('\ufeffa'), 'json')).toEqual({ text: 'a', encoding: 'utf-8', bom: true })
  expect(decode(Buffer.from('\ufeffa', 'utf16le'), null)).toEqual({ text: 'a', encoding: 'utf-16le', bom: true })
  expect(decode(Buffer.from('\ufeffa', 'utf16le').swap16(), 'ini')).toEqual({
    text: 'a',
    encoding: 'utf-16be',
    bom: true,
  })
})

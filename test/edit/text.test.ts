import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkEncoding, decodeText, type Encoding, encodeText, MAX_TEXT_BYTES } from '../../src/edit/text.ts'
import { failure } from '../thrown.ts'

describe('a text', () => {
  it('comes back byte for byte', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
        (text) => {
          const bytes = Buffer.from(`\ufeff${text}`)
          const source = decodeText(bytes, 'a')
          expect(encodeText(source.text, source, 'a')).toEqual(bytes)
        },
      ),
    ))

  it('is not binary, and not endless', () => {
    expect(failure(() => decodeText(Uint8Array.of(0xff), 'a'))).toMatchObject({ code: 'INVALID', path: 'a' })
    expect(failure(() => decodeText(Uint8Array.of(0), 'a')).code).toBe('INVALID')
    expect(failure(() => decodeText({ byteLength: MAX_TEXT_BYTES + 1 } as Uint8Array, 'a')).message).toMatch(
      /too many to edit/,
    )
  })
})

describe('what is no text', () => {
  it.each<[string, Uint8Array, Encoding | undefined, number]>([
    ['a zero byte', Buffer.from('a\nb\nc\0'), undefined, 3],
    ['a zero byte in Latin-1', Buffer.from('a\n\xfc\0', 'latin1'), 'latin1', 2],
    ['half a character', Buffer.from([0x61, 10, 0xc3, 10, 0x61]), undefined, 2],
    ['Latin-1', Buffer.from('\ufffd\n\n\xfc', 'latin1'), undefined, 1],
    ['Latin-1 behind a replacement character', Buffer.from([0xef, 0xbf, 0xbd, 10, 10, 0xfc]), undefined, 3],
    ['half a pair', Buffer.from('\ufeffa\n🙂\n\ud83d\n', 'utf16le'), undefined, 3],
  ])('is told with its line: %s', (_, bytes, encoding, line) => {
    expect(failure(() => decodeText(bytes, 'a', encoding))).toMatchObject({
      code: 'INVALID',
      path: 'a',
      details: { line },
    })
  })

  it('is not made of a text either', () => {
    const refused = failure(() => encodeText('a\nb\0', { encoding: 'utf-8', bom: true }, 'a'))
    expect(refused).toMatchObject({ code: 'INVALID', path: 'a', details: { line: 2 } })
  })
})

describe('the encoding of a text', () => {
  const ENCODED: [string, Buffer, Encoding][] = [
    ['UTF-8', Buffer.from('häß 🙂\n'), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from('\ufeffhäß 🙂\r\n'), 'utf-8'],
    ['UTF-16 LE', Buffer.from('\ufeffhäß 🙂\r\n', 'utf16le'), 'utf-16le'],
    ['UTF-16 BE', Buffer.from('\ufeffhäß 🙂\r\n', 'utf16le').swap16(), 'utf-16be'],
  ]

  it.each(ENCODED)('is known: %s', (_, bytes, encoding) => {
    const kept = Buffer.from(bytes)
    const source = decodeText(bytes, 'a')
    expect(source.encoding).toBe(encoding)
    expect(source.text).toMatch(/^häß 🙂\r?\n$/)
    expect(encodeText(source.text, source, 'a')).toEqual(kept)
    expect(bytes).toEqual(kept)
  })

  it('is Latin-1 only when it is called so, and every byte of it comes back', () => {
    const bytes = Buffer.from(Array.from({ length: 255 }, (_, byte) => byte + 1))
    expect(failure(() => decodeText(bytes, 'a')).code).toBe('INVALID')
    const source = decodeText(bytes, 'a', 'latin1')
    expect(encodeText(source.text, source, 'a')).toEqual(bytes)
    const refused = failure(() => encodeText('a\nb€', { encoding: 'latin1', bom: false }, 'a'))
    expect(refused).toMatchObject({ code: 'INVALID', details: { line: 2 } })
    // The bytes of a mark are three letters there.
    expect(decodeText(Buffer.from('\ufeffx'), 'a', 'latin1')).toMatchObject({ text: 'ï»¿x', bom: false })
  })

  it.each<[string, Uint8Array]>([
    ['half a character of UTF-16', Uint8Array.of(0xff, 0xfe, 0x61)],
    ['half a pair of UTF-16', Uint8Array.of(0xff, 0xfe, 0x3d, 0xd8)],
    ['UTF-32', Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0)],
    ['half a character of UTF-8', Uint8Array.of(0x61, 0xc3)],
  ])('is none of %s', (_, bytes) => {
    expect(failure(() => decodeText(bytes, 'a'))).toMatchObject({ code: 'INVALID', path: 'a' })
  })

  it('is one of those that are known', () => {
    expect(failure(() => checkEncoding('utf-7' as Encoding)).hint).toContain('latin1')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../src/edit/edits.ts'
import { decodeText, encodeText, MAX_TEXT_BYTES } from '../../src/edit/text.ts'
import type { JournalError } from '../../src/errors.ts'

const failure = (action: () => unknown): JournalError => {
  try {
    action()
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

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

describe('edits', () => {
  it('are made in order, each on what the one before left', () => {
    expect(
      applyEdits(
        'a b',
        [
          { oldText: 'a', newText: 'c' },
          { oldText: 'c b', newText: 'd' },
        ],
        'x',
      ).text,
    ).toBe('d')
  })

  it('replace all where they are told to', () => {
    expect(applyEdits('aXbXc', [{ oldText: 'X', newText: '$&', all: true }], 'x').text).toBe('a$&b$&c')
    expect(applyEdits('aXb', [{ oldText: 'X', newText: "$1$'" }], 'x').text).toBe("a$1$'b")
  })

  it('change nothing but what they name', () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ maxLength: 5 }), (left, right, newText) => {
        const mark = '\u2603'
        fc.pre(!left.includes(mark) && !right.includes(mark) && !left.startsWith('\ufeff') && !newText.includes('\n'))
        expect(applyEdits(left + mark + right, [{ oldText: mark, newText }], 'x').text).toBe(left + newText + right)
      }),
    ))

  it('say how often a text stands there, and where', () => {
    expect(failure(() => applyEdits('x\ny\nx', [{ oldText: 'x', newText: '' }], 'f')).details).toEqual({
      count: 2,
      lines: [1, 3],
    })
    const missing = failure(() =>
      applyEdits('function one() {}\nfunction two() {}\n', [{ oldText: 'function twoo() {}', newText: '' }], 'f'),
    )
    expect(missing.details).toMatchObject({ count: 0 })
    expect(missing.hint).toMatch(/^Nearest: line \d: function/)
    expect(
      failure(() =>
        applyEdits(
          'x',
          [
            { oldText: 'x', newText: 'y' },
            { oldText: 'x', newText: '' },
          ],
          'f',
        ),
      ).message,
    ).toContain('edit 2 of 2')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lines, lineEndAt, lineEndsOf, lineSpans, withLineEnds } from '../../src/edit/lines.ts'

const text = fc.array(fc.constantFrom('a', 'b ', '\n', '\r\n', '\r'), { maxLength: 30 }).map((parts) => parts.join(''))

describe('the lines of a text', () => {
  it('are what stands between its line ends, and make the text again', () =>
    fc.assert(
      fc.property(text, (given) => {
        const lines = new Lines(given)
        const split = given.split(/(?<=\n)/).filter((line) => line !== '')
        expect(lines.count).toBe(split.length)
        for (const [index, line] of split.entries()) {
          expect(lines.at(index) + lines.end(index)).toBe(line)
          expect(lines.at(index)).toBe(line.replace(/\r?\n$/, ''))
          expect(given.slice(lines.from(index), lines.from(index + 1))).toBe(line)
        }
        expect(lines.range(0, lines.count + 5)).toHaveLength(split.length)
      }),
    ))

  it('are none in an empty text, and one where nothing ends', () => {
    expect(new Lines('').count).toBe(0)
    expect(new Lines('a').count).toBe(1)
    expect(new Lines('a').end(0)).toBe('')
    expect(new Lines('\n').at(0)).toBe('')
  })
})

describe('line ends', () => {
  it('of a text are one kind, or mixed', () => {
    expect(lineEndsOf('')).toBe('\n')
    expect(lineEndsOf('a\r\nb\r\n')).toBe('\r\n')
    expect(lineEndsOf('a\r\nb\n')).toBe('mixed')
  })

  it('of a place are those of its line, else of the nearest', () => {
    expect(lineEndAt('a\r\nb\nc', 0)).toBe('\r\n')
    expect(lineEndAt('a\r\nb\nc', 3)).toBe('\n')
    expect(lineEndAt('a\nb\r\nc', 5)).toBe('\r\n')
    expect(lineEndAt('abc', 1)).toBe('\n')
  })

  it('made one, and back, are what they were', () =>
    fc.assert(
      fc.property(text, (given) => {
        fc.pre(!/\r(?!\n)/.test(given))
        const plain = given.replaceAll('\r\n', '\n')
        expect(withLineEnds(withLineEnds(given, '\r\n'), '\n')).toBe(plain)
      }),
    ))
})

describe('the lines of parts', () => {
  it('count from 1, and a line end belongs to the line that it ends', () => {
    const parts = [
      { from: 0, to: 2 },
      { from: 2, to: 5 },
      { from: 4, to: 4 },
    ]
    expect(lineSpans('a\nb\nc', parts)).toEqual([
      [1, 1],
      [2, 3],
      [3, 3],
    ])
  })
})

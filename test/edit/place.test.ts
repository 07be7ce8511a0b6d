import { describe, expect, it } from 'vitest'
import { indentAt, lineAt, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../../src/edit/place.ts'

describe('places in a text', () => {
  const text = '\n  a\r\nb'

  it('know their line, also at the very start of a text that begins with a line ending', () => {
    expect([0, 1, 3, 6].map((offset) => lineAt(text, offset))).toEqual([1, 2, 2, 3])
    expect([0, 1, 3, 6].map((offset) => lineStart(text, offset))).toEqual([0, 1, 1, 6])
    expect([0, 1, 3, 6].map((offset) => lineEnd(text, offset))).toEqual([0, 4, 4, 7])
    expect([0, 1, 3, 6].map((offset) => nextLine(text, offset))).toEqual([1, 6, 6, 7])
  })

  it('know what stands before them', () => {
    expect(indentAt(text, 3)).toBe('  ')
    expect([startsLine(text, 3), startsLine(text, 4)]).toEqual([true, false])
    expect([newlineOf('a\r\n\n'), newlineOf('\n\r\n'), newlineOf('a')]).toEqual(['\r\n', '\n', '\n'])
  })
})

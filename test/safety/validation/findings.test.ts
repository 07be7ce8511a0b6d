import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Finder } from '../../../src/safety/validation/findings.ts'

test('an offset is the line and the column that leads back to it', () => {
  const texts = fc
    .array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\t'), { maxLength: 40 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(texts, fc.nat(), (text, any) => {
      const offset = any % (text.length + 1)
      const finder = new Finder(text)
      finder.flaw(offset, 'here')
      const [{ line, column, excerpt } = { line: 0, column: 0, excerpt: '' }] = finder.findings().flaws
      expect(line).toBe(text.slice(0, offset).split('\n').length)
      expect(finder.offset(line, column)).toBe(offset)
      expect(excerpt).toBe((text.split('\n')[line - 1] as string).replace(/\r$/, '').toWellFormed())
    }),
  )
})

test('places outside of the text are brought inside', () => {
  const finder = new Finder('ab\nc')
  for (const [line, column] of [
    [0, 0],
    [-1, 9],
    [99, 99],
    [1, 1e9],
  ] as const)
    finder.flawAt(line, column, `${line}:${column}`)
  for (const { line, column } of finder.findings().flaws) {
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(2)
    expect(column).toBeLessThanOrEqual(3)
  }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { occurrences } from '../../src/edit/occurrences.ts'

/** As slow as can be, and certainly right. */
function everywhere(text: string, wanted: string): number[] {
  return Array.from({ length: text.length }, (_, at) => at).filter((at) => text.startsWith(wanted, at))
}

const few = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 })

test('finds every place of a text, those that overlap too', () => {
  fc.assert(
    fc.property(few, few, fc.nat(80), fc.nat(400), few, (unit, between, times, around, last) => {
      const wanted = unit.repeat(times + 1) + last.slice(0, 1)
      const text = (between + unit.repeat(times + 3) + last).repeat(2) + unit.repeat(around)
      expect([...occurrences(text, wanted)]).toEqual(everywhere(text, wanted))
    }),
  )
})

test('a text of which nothing is there, one that is longer, and one that is all there is', () => {
  expect([...occurrences('word', 'x'.repeat(100))]).toEqual([])
  expect([...occurrences('x'.repeat(99), 'x'.repeat(100))]).toEqual([])
  expect([...occurrences('x'.repeat(100), 'x'.repeat(100))]).toEqual([0])
})

test('a large text that repeats a few bytes took a quarter of a minute to search', () => {
  const found = [...occurrences('ab'.repeat(2_000_000), 'ab'.repeat(100_000))]
  expect(found.length).toBe(1_900_001)
})

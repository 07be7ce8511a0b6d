import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockCounts } from '../../src/edit/block-counts.ts'

const breaks = (text: string): number => text.split('\n').length - 1

describe('line ends before a place', () => {
  it('are those of the text, with what has become more or less before it', () =>
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('x', '\n', 'y'.repeat(50), 'z\n'.repeat(40)), { maxLength: 60 })
          .map((parts) => parts.join('')),
        fc.array(fc.tuple(fc.nat(5000), fc.nat(20), fc.nat(3)), { maxLength: 6 }),
        fc.nat(5000),
        (text, replacements, asked) => {
          const counts = new BlockCounts(text)
          const place = Math.min(asked, text.length)
          // Parts that do not touch each other, nor the place.
          const parts: { from: number; to: number; now: number }[] = []
          for (const [from, length, now] of replacements) {
            const part = { from, to: from + length + 1, now }
            if (part.to > text.length || (part.from <= place && place < part.to)) continue
            if (parts.some((other) => other.from < part.to && part.from < other.to)) continue
            parts.push(part)
            counts.add(from, now - breaks(text.slice(part.from, part.to)))
          }
          let expected = breaks(text.slice(0, place))
          for (const { from, to, now } of parts) if (to <= place) expected += now - breaks(text.slice(from, to))
          expect(counts.before(place)).toBe(expected)
        },
      ),
      { numRuns: 500 },
    ))
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineSpans } from '../../src/edit/lines.ts'
import { type PlainEdit, runEdits } from '../../src/edit/many-edits.ts'

/** What a run must come to: each edit on the whole text, one by one; null for one that it must leave. */
function oneByOne(text: string, { oldText, newText, all }: PlainEdit): { text: string; lines: unknown } | null {
  const places: number[] = []
  for (let at = text.indexOf(oldText); at >= 0; at = text.indexOf(oldText, at + 1)) places.push(at)
  if (places.length === 0 || (places.length > 1 && !all)) return null
  const chosen: number[] = []
  for (const at of places) if (at >= (chosen.at(-1) ?? -oldText.length) + oldText.length) chosen.push(at)
  const lines = lineSpans(
    text,
    chosen.map((from) => ({ from, to: from + oldText.length })),
  )
  return { text: all ? text.replaceAll(oldText, () => newText) : text.replace(oldText, () => newText), lines }
}

const few = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 6 })
const edit = fc.record({ oldText: few.filter((text) => text !== ''), newText: few, all: fc.boolean() })
const words = fc.constantFrom('alpha ', 'beta ', 'gamma delta ', 'x', '\n', 'some longer words that fill an anchor ')
const long = fc.array(words, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))
const longEdit = fc.record({ oldText: long, newText: fc.oneof(fc.constant(''), long), all: fc.boolean() })

describe('a run of edits', () => {
  it.each([
    [
      'of short texts',
      fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 }),
      fc.array(edit, { minLength: 1, maxLength: 8 }),
    ],
    [
      'of long texts',
      fc.array(words, { maxLength: 400 }).map((parts) => parts.join('')),
      fc.array(longEdit, { minLength: 1, maxLength: 20 }),
    ],
  ])('%s comes to what they come to one by one', (_, text, edits) => {
    fc.assert(
      fc.property(text, edits, (given, list) => {
        const run = runEdits(given, list)
        if (run === null) return
        let now = given
        for (const [index, each] of list.slice(0, run.done).entries()) {
          const made = oneByOne(now, each)
          expect(made).not.toBeNull()
          expect(run.lines[index]).toEqual(made?.lines)
          now = made?.text as string
        }
        expect(run.text).toBe(now)
      }),
      { numRuns: 2000 },
    )
  })

  it('makes all that do not touch each other', () => {
    const text = Array.from({ length: 500 }, (_, n) => `line ${String(n).padStart(4, '0')} of them\n`).join('')
    const edits = Array.from({ length: 500 }, (_, n) => {
      const oldText = `line ${String((n * 7) % 500).padStart(4, '0')} of`
      return { oldText, newText: `${n}\n${n}`, all: false }
    })
    expect(runEdits(text, edits)?.done).toBe(500)
  })

  it('ends at one whose text stands in what was written', () => {
    const edits = [
      { oldText: 'one', newText: 'two', all: false },
      { oldText: 'two', newText: 'three', all: false },
    ]
    expect(runEdits('a one b', edits)).toEqual({ text: 'a two b', done: 1, lines: [[[1, 1]]] })
  })

  it('ends at one whose text two neighbours make together', () => {
    const edits = [
      { oldText: 'x', newText: '', all: false },
      { oldText: 'ab', newText: 'c', all: false },
    ]
    expect(runEdits('axb', edits)).toMatchObject({ text: 'ab', done: 1 })
  })

  it('is not begun where too many texts have the same pieces', () => {
    const same = 'x'.repeat(3000)
    const edits = Array.from({ length: 200 }, (_, n) => ({
      oldText: `${same}${n}${same.slice(n)}`,
      newText: '',
      all: false,
    }))
    expect(runEdits('x'.repeat(100_000), edits)).toBeNull()
  })
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeldText } from '../../src/content/held-text.ts'
import { applyEdits } from '../../src/edit/edits.ts'
import type { TextEdit } from '../../src/entry/entry.ts'
import { byteEdits } from '../../src/transaction/byte-edits.ts'

const PIECES = ['a', 'b', 'ab', 'é', '\n', '\r\n', 'word ', '\ufeff', '€uro']
const piece = fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }).map((parts) => parts.join(''))
const content = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((parts) => parts.join(''))
const edit = fc.record({ oldText: piece, newText: piece, all: fc.boolean(), from: fc.nat(59), length: fc.nat(12) })

function applied(text: string, edits: readonly TextEdit[]): string | null {
  const bytes = Buffer.from(text)
  const found = byteEdits(new HeldText(Buffer.from(text)), edits)
  if (found === null) return null
  let result = Buffer.alloc(0)
  let position = 0
  for (const { at, remove, insert } of found.splices) {
    expect(at).toBeGreaterThanOrEqual(position)
    result = Buffer.concat([result, bytes.subarray(position, at), insert])
    position = at + remove
  }
  return Buffer.concat([result, bytes.subarray(position)]).toString()
}

it('makes of a text what edits of the string make of it, or leaves it to them', () => {
  let taken = 0
  fc.assert(
    fc.property(content, fc.array(edit, { minLength: 1, maxLength: 3 }), (text, drawn) => {
      // Half of them stand in the text for sure.
      const edits = drawn.map(({ oldText, newText, all, from, length }): TextEdit => {
        const part = text.slice(from, from + length)
        return { oldText: from % 2 === 0 || !part.isWellFormed() ? oldText : part, newText, all }
      })
      const found = applied(text, edits)
      if (found === null) return
      taken += 1
      const bom = text.startsWith('\ufeff') ? '\ufeff' : ''
      expect(found).toBe(bom + applyEdits(text.slice(bom.length), edits, 'a.txt').text)
    }),
    { numRuns: 5000 },
  )
  expect(taken).toBeGreaterThan(100)
})

it.each<[string, string, TextEdit[], string | null]>([
  ['one place', 'one two three', [{ oldText: 'two', newText: '2' }], 'one 2 three'],
  ['line ends that differ', 'a\r\nb\r\nc', [{ oldText: 'a\nb', newText: 'x\ny' }], null],
  ['a byte order mark that is not part of the text', '\ufeffa', [{ oldText: '\ufeff', newText: 'b' }], null],
  ['a text that stands twice', 'a b a', [{ oldText: 'a', newText: 'c' }], null],
  ['a text that stands twice, and overlaps itself', '€uro€uro€uro', [{ oldText: 'o€uro', newText: 'c' }], null],
  ['all places of a text that overlaps itself', 'aaaaa', [{ oldText: 'aa', newText: 'b', all: true }], 'bba'],
  ['a text that is not there', 'a b a', [{ oldText: 'd', newText: 'c' }], null],
  [
    'several edits that are far apart',
    'one, two, three',
    [
      { oldText: 'one', newText: '1' },
      { oldText: 'ree', newText: '3' },
    ],
    '1, two, th3',
  ],
  [
    'an edit of what an earlier one brought',
    'one two',
    [
      { oldText: 'one', newText: 'six' },
      { oldText: 'six', newText: 'ten' },
    ],
    null,
  ],
  [
    'an edit of what an earlier one took a part of',
    'one two',
    [
      { oldText: 'one', newText: 'on' },
      { oldText: 'e two', newText: 'x' },
    ],
    null,
  ],
  ['a NUL', 'one two', [{ oldText: 'one', newText: 'o\0e' }], null],
])('%s', (_, text, edits, expected) => {
  expect(applied(text, edits)).toBe(expected)
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../src/edit/edits.ts'
import type { Leniency } from '../../src/edit/lenient.ts'
import { codeOf } from '../thrown.ts'

const edited = (text: string, oldText: string, newText: string, lenient?: Leniency) =>
  applyEdits(text, [{ oldText, newText }], 'f', { lenient })

describe('blanks at the ends of lines', () => {
  it.each([
    ['in the file', 'a  \nb\t\nc\n', 'a\nb\n', 'A\nB\n', 'A\nB\nc\n'],
    ['in what was asked for', 'a\nb\nc\n', 'a \nb  ', 'A\nB', 'A\nB\nc\n'],
    ['lines that are not changed keep theirs', 'a  \nb\t\nc \n', 'a\nb\nc\n', 'a\nB\nc\n', 'a  \nB\nc \n'],
    ['a last line without an end stays one', 'a \nb', 'a\nb\n', 'x\ny\n', 'x\ny'],
    ['line ends are those of the place', 'a \r\nb\r\nc\n', 'a\nb\n', 'x\ny\n', 'x\r\ny\r\nc\n'],
    ['lines are taken away', 'a \nb\n', 'a\n', '', 'b\n'],
  ])('%s', (_, text, oldText, newText, expected) => {
    const result = edited(text, oldText, newText, 'trailing-blanks')
    expect(result.text).toBe(expected)
    expect(result.edits[0]?.matching).toBe(text.includes(oldText) ? 'exact' : 'trailing-blanks')
  })

  it('are looked at unless leniency is asked for', () => {
    expect(codeOf(() => edited('a \nb\n', 'a\nb', 'x'))).toBe('INVALID')
  })

  it('do not make a part of a line a match', () => {
    expect(codeOf(() => edited('xa \nb\n', 'a\nb', 'x', 'indentation'))).toBe('INVALID')
  })
})

describe('indentation', () => {
  const code = '\tif (x) {\n\t\ty()\n\t\tif (z) {\n\t\t\tw()\n\t\t}\n\t}\n'

  it.each([
    ['deeper', '    a\n      b\n', 'a\n  b\n', 'a\n  c\n    d\n', '    a\n      c\n        d\n'],
    ['less deep', 'a\n  b\n', '    a\n      b\n', '    a\n      c\n', 'a\n  c\n'],
    [
      'tabs for blanks',
      code,
      'if (x) {\n  y()\n',
      'if (x) {\n  y(1)\n  if (v) {\n    u()\n  }\n',
      code.replace('y()\n', 'y(1)\n\t\tif (v) {\n\t\t\tu()\n\t\t}\n'),
    ],
    [
      'tabs for four blanks, one level',
      '\t\ta()\n',
      '        a()\n',
      '        b()\n            c()\n',
      '\t\tb()\n\t\t\tc()\n',
    ],
    ['blanks for tabs', '    a\n', '\ta\n', '\tb\n\t\tc\n', '    b\n        c\n'],
    ['further out than all of it', '    a\n    b\n', '  a\n  b\n', '  a\nx\n  b\n', '    a\n  x\n    b\n'],
    ['empty lines between', '  a\n\n  b\n', 'a\n\nb\n', 'a\n\nc\n', '  a\n\n  c\n'],
  ])('%s', (_, text, oldText, newText, expected) => {
    const result = edited(text, oldText, newText, 'indentation')
    expect(result.text).toBe(expected)
    expect(result.edits[0]?.matching).toBe('indentation')
  })

  it.each([
    ['that is not all of one kind', '  a\n    b\n  c\n', 'a\nb\nc\n'],
    ['that is turned over', '    a\n  b\n', 'a\n\tb\n'],
    ['of no more levels', '  a\n  b\n', 'a\n\tb\n'],
  ])('%s is another text', (_, text, oldText) => {
    expect(codeOf(() => edited(text, oldText, 'x\n', 'indentation'))).toBe('INVALID')
  })

  it('is not looked at where only blanks at the ends may differ', () => {
    expect(codeOf(() => edited('  a\n', 'a\nb', 'x', 'trailing-blanks'))).toBe('INVALID')
  })

  it('that fits twice is refused, with the lines', () => {
    try {
      edited('  a\n  b\n\n\ta\n\tb\n', 'a\nb\n', 'x\n', 'indentation')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID', details: { count: 2, lines: [1, 4] } })
    }
    const all = applyEdits('  a\n  b\n\n\ta\n\tb\n', [{ oldText: 'a\nb\n', newText: 'a\nc\n', all: true }], 'f', {
      lenient: 'indentation',
    })
    expect(all.text).toBe('  a\n  c\n\n\ta\n\tc\n')
    expect(all.edits[0]?.lines).toEqual([
      [1, 2],
      [4, 5],
    ])
  })

  const line = fc.tuple(fc.nat(3), fc.constantFrom('a', 'b()', 'if (c) {', '}', ''))
  const block = fc.array(line, { minLength: 1, maxLength: 6 })
  const indented = (lines: readonly (readonly [number, string])[], unit: string, base: string) =>
    lines.map(([depth, text]) => (text === '' ? '\n' : `${base}${unit.repeat(depth)}${text}\n`)).join('')

  it('of a whole block is exchanged for that of the file, and back', () =>
    fc.assert(
      fc.property(
        block,
        block,
        fc.constantFrom('\t', '  ', '    '),
        fc.constantFrom('', '\t', '  '),
        (old, fresh, unit, base) => {
          // Every depth that the new lines have is one that the old ones show.
          const shown = new Set(old.filter(([, text]) => text !== '').map(([depth]) => depth))
          fc.pre(fresh.every(([depth, text]) => text === '' || shown.has(depth)))
          const before = indented(old, unit, base)
          fc.pre(before.trim() !== '' && !before.includes(indented(old, '   ', '')))
          const text = `first\n${before}last\n`
          const result = edited(text, indented(old, '   ', ''), indented(fresh, '   ', ''), 'indentation')
          expect(result.text).toBe(`first\n${indented(fresh, unit, base)}last\n`)
        },
      ),
    ))
})

describe('matching', () => {
  it('never touches anything but the lines that it names', () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', ' a', 'b ', '\tb', '', 'c'), { minLength: 1, maxLength: 12 }),
        fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (lines, wanted, ended) => {
          const text = lines.join('\n')
          let result: ReturnType<typeof edited>
          try {
            result = edited(text, wanted.join('\n') + (ended ? '\n' : ''), 'NEW', 'indentation')
          } catch (error) {
            expect((error as { code: string }).code).toBe('INVALID')
            return
          }
          const [[from, to] = [0, 0]] = result.edits[0]?.lines ?? []
          const now = result.text.split('\n')
          expect(now.slice(0, from - 1)).toEqual(lines.slice(0, from - 1))
          const rest = lines.slice(to)
          if (!ended && wanted.at(-1) !== '') expect(rest.length === 0 ? [] : now.slice(-rest.length)).toEqual(rest)
          expect(result.text).toContain('NEW')
        },
      ),
    ))
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits, checkEdits, checkLeniency } from '../../src/edit/edits.ts'
import type { TextEdit } from '../../src/entry/entry.ts'
import { failure } from '../thrown.ts'

const one = (text: string, oldText: string, newText: string, options = {}) =>
  applyEdits(text, [{ oldText, newText }], 'f', options)

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
    expect(missing.hint).toBe('Nearest: line 2, - asked for, + there:\n-function twoo() {}\n+function two() {}')
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

  it('replace of places that overlap the first, also where each gets its own line ends', () => {
    const { text, edits } = applyEdits('aaa\r\n', [{ oldText: 'aa', newText: 'b\nc', all: true }], 'f')
    expect(text).toBe('b\r\nca\r\n')
    expect(edits[0]?.count).toBe(1)
  })
})

describe('what is refused', () => {
  it('is a text that stands more than once, also where the places overlap', () => {
    expect(failure(() => one('aaa\n', 'aa', 'b')).details).toEqual({ count: 2, lines: [1, 1] })
    expect(applyEdits('aaaa', [{ oldText: 'aa', newText: 'b', all: true }], 'f').text).toBe('bb')
  })

  it('is an empty text', () => {
    const refused = failure(() =>
      applyEdits(
        'a',
        [
          { oldText: 'a', newText: 'b' },
          { oldText: '', newText: 'x' },
        ],
        'f',
      ),
    )
    expect(refused).toMatchObject({ code: 'INVALID', details: { edit: 2 } })
    expect(refused.message).toContain('edit 2 of 2')
  })

  it('is one edit of what another changed, and says which', () => {
    const edits = [
      { oldText: 'three', newText: '3' },
      { oldText: 'one\ntwo', newText: '12' },
      { oldText: 'two\n', newText: 'zwei\n' },
    ]
    const refused = failure(() => applyEdits('one\ntwo\nthree\n', edits, 'f'))
    expect(refused).toMatchObject({ code: 'INVALID', details: { edit: 3, count: 0, changedBy: 2 } })
    expect(refused.hint).toMatch(/^It stood there until edit 2 changed that place/)
  })

  it('is a regular expression, as a value or as a text', () => {
    const value = failure(() => checkEdits('f', [{ oldText: /a/, newText: 'b' }] as unknown as TextEdit[]))
    expect(value).toMatchObject({ code: 'INVALID' })
    expect(value.hint).toContain('regular expression')
    for (const text of ['a.*b', '\\d+', '[a-z]+', '/a/g', '^a$', '(?:a)'])
      expect(failure(() => one('abc', text, 'b')).hint, text).toContain('not as regular expressions')
    for (const text of ['a.b', 'f(x)', 'a[0]', 'a * b', '$x', 'a/b/c'])
      expect(failure(() => one('other', text, 'b')).hint, text).not.toContain('regular expressions')
  })

  it('names the nearest places as small differences', () => {
    const text = 'function a() {\n  return 1\n}\n\nfunction b() {\n  return 2\n}\n'
    const refused = failure(() => one(text, 'function b() {\n  return 3\n}\n', ''))
    expect(refused.details?.likely).toEqual([
      {
        line: 5,
        text: 'function b() {\n  return 2\n}',
        diff: ' function b() {\n-  return 3\n+  return 2\n }',
      },
      {
        line: 1,
        text: 'function a() {\n  return 1\n}',
        diff: '-function b() {\n-  return 3\n+function a() {\n+  return 1\n }',
      },
    ])
  })

  it('says where it would stand leniently', () => {
    const refused = failure(() => one('  if (x) {\n    y()\n  }\n', 'if (x) {\n  y()\n}\n', ''))
    expect(refused.details).toMatchObject({ count: 0, otherwise: { matching: 'indentation', lines: [[1, 3]] } })
    expect(refused.hint).toContain('With other indentation it stands at line 1')
  })

  it('is no way of matching', () => {
    expect(checkLeniency(true)).toBe('indentation')
    expect(checkLeniency(false)).toBeUndefined()
    expect(failure(() => checkLeniency('fuzzy')).code).toBe('INVALID')
  })
})

describe('line ends', () => {
  it.each([
    ['LF in a file with CRLF', 'a\r\nb\r\nc\r\n', 'a\nb\n', 'x\ny\n', 'x\r\ny\r\nc\r\n', 'line-ends'],
    ['CRLF in a file with LF', 'a\nb\nc\n', 'a\r\nb\r\n', 'x\r\ny\r\n', 'x\ny\nc\n', 'line-ends'],
    ['LF that would cut a CRLF in two', 'a\r\nb\r\n', '\nb', '', 'a\r\n', 'line-ends'],
    ['new lines in a file with CRLF', 'a\r\nb\r\n', 'b', 'x\ny', 'a\r\nx\r\ny\r\n', 'exact'],
    ['new lines where it has LF, in a mixed one', 'a\r\nb\nc\r\n', 'b', 'x\ny', 'a\r\nx\ny\nc\r\n', 'exact'],
    ['new lines where it has CRLF, in a mixed one', 'a\nb\r\nc\n', 'b', 'x\ny', 'a\nx\r\ny\r\nc\n', 'exact'],
    ['a mixed place, line by line', 'a\r\nb\nc\r\nd', 'a\nb\nc', 'x\ny\nz', 'x\r\ny\nz\r\nd', 'line-ends'],
    ['a mixed place, more lines than there were', 'a\nb\r\nc', 'a\nb\nc', 'x\ny\nz\nw', 'x\ny\r\nz\nw', 'line-ends'],
    ['a mixed place', 'a\r\nb\nc\r\n', 'a\nb\nc', 'x\ny', 'x\r\ny\r\n', 'line-ends'],
    ['no line end at the end', 'a\r\nb', 'b', 'x\ny', 'a\r\nx\r\ny', 'exact'],
    ['CRLF copied, LF written', 'a\r\nb\r\n', 'a\r\nb', 'x\ny', 'x\r\ny\r\n', 'exact'],
    ['CRLF made LF', 'a\r\nb\n', '\r\n', '\n', 'a\nb\n', 'exact'],
    ['LF made CRLF', 'a\nb', '\n', '\r\n', 'a\r\nb', 'exact'],
  ])('%s', (_, text, oldText, newText, expected, matching) => {
    const edited = one(text, oldText, newText)
    expect(edited.text).toBe(expected)
    expect(edited.edits[0]?.matching).toBe(matching)
  })
})

describe('the lines that are named', () => {
  it('are those that the edits before left', () => {
    const edits: TextEdit[] = [
      { oldText: 'a\n', newText: '1\n2\n3\n' },
      { oldText: 'c\nd', newText: '' },
      { oldText: 'x', newText: 'y', all: true },
    ]
    expect(applyEdits('a\nb\nc\nd\nx\nxx', edits, 'f').edits.map(({ lines }) => lines)).toEqual([
      [[1, 1]],
      [[5, 6]],
      [
        [6, 6],
        [7, 7],
        [7, 7],
      ],
    ])
  })
})

describe('100,000 edits', () => {
  const lines = Array.from({ length: 100_000 }, (_, n) => `const value${n} = ${n * 7919};\n`)
  const last = lines.length - 1

  it.each([
    ['of one place each', lines.map((line, n) => ({ oldText: line, newText: `let v${n}\n` })), `let v${last}\n`],
    [
      'from the last on',
      lines.map((_, n) => ({ oldText: `value${last - n} =`, newText: '=' })),
      `const = ${last * 7919};\n`,
    ],
    ['that take all away', lines.map((oldText) => ({ oldText, newText: '' })), ''],
    ['that give a place back', lines.map((oldText) => ({ oldText, newText: `${oldText}//\n` })), '//\n'],
  ])('%s', (_, edits, end) => {
    const edited = applyEdits(lines.join(''), edits, 'f')
    expect(edited.edits).toHaveLength(edits.length)
    expect(edited.text.endsWith(end)).toBe(true)
    if (end === '') expect(edited.text).toBe('')
  })

  it('of a file with CRLF, written with LF', () => {
    const edits = lines.map((oldText, n) => ({ oldText, newText: `let v${n}\n` }))
    const edited = applyEdits(lines.join('').replaceAll('\n', '\r\n'), edits, 'f')
    expect(edited.text).toBe(edits.map(({ newText }) => newText.replace('\n', '\r\n')).join(''))
    expect(edited.edits.every(({ matching }) => matching === 'line-ends')).toBe(true)
  })

  it('with one that is not there: the line of the list is named', () => {
    const edits = lines.map((oldText, n) => ({ oldText: n === 77_777 ? 'const valux = 1;\n' : oldText, newText: '' }))
    expect(failure(() => applyEdits(lines.join(''), edits, 'f'))).toMatchObject({ details: { edit: 77_778, count: 0 } })
  })
})

describe('a text that stands a million times', () => {
  const text = 'x\n'.repeat(1_000_000)

  it('is replaced everywhere, and the lines of the first thousand places are told', () => {
    const edited = applyEdits(text, [{ oldText: '\n', newText: '\r\n', all: true }], 'f')
    expect(edited.text).toBe('x\r\n'.repeat(1_000_000))
    expect(edited.edits[0]?.count).toBe(1_000_000)
    expect(edited.edits[0]?.lines).toHaveLength(1000)
  })

  it('is refused without all', () => {
    const refused = failure(() => one(text, 'x', 'y'))
    expect(refused.message).toBe('the text to replace stands 1000000 times in f')
    expect(refused.hint).toContain('1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 999990 more')
  })
})

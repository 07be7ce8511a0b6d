import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readApplyPatch } from '../../../src/edit/patch/apply-patch-text.ts'
import { patchText } from '../../../src/edit/patch/patch-file.ts'
import { readPatch } from '../../../src/edit/patch/patch-set.ts'
import type { JournalError } from '../../../src/errors.ts'
import { failure } from '../../thrown.ts'

const lines = (...list: string[]): string => list.map((line) => `${line}\n`).join('')
const patch = (...body: string[]): string => lines('*** Begin Patch', ...body, '*** End Patch')
const updated = (text: string, ...body: string[]) => {
  const [file] = readApplyPatch(patch('*** Update File: f', ...body))
  if (file === undefined) throw new Error('no file')
  return patchText(text, file, 'apply_patch', 'f')
}

describe('an apply_patch text', () => {
  it('adds, deletes, updates and moves', async () => {
    const text = patch(
      '*** Add File: dir/new.txt',
      '+one',
      '+',
      '+ two',
      '*** Delete File: gone.txt',
      '*** Update File: a.txt',
      '*** Move to: b.txt',
      '@@ def f():',
      '-x',
      '+y',
      '*** Update File: c.txt',
      ' a',
      '-b',
      '@@',
      '+end',
      '*** End of File',
    )
    const { format, files } = await readPatch(text)
    expect(format).toBe('apply_patch')
    expect(
      files.map(({ hunks, said: _, ...file }) => ({ ...file, hunks: hunks.map((hunk) => hunk.lines.length) })),
    ).toEqual([
      { change: 'add', path: 'dir/new.txt', content: 'one\n\n two\n', patchLine: 2, hunks: [] },
      { change: 'delete', path: 'gone.txt', patchLine: 6, hunks: [] },
      { change: 'update', path: 'a.txt', to: 'b.txt', patchLine: 7, hunks: [2] },
      { change: 'update', path: 'c.txt', patchLine: 12, hunks: [2, 1] },
    ])
    expect(files[2]?.hunks[0]).toMatchObject({ anchors: ['def f():'], patchLine: 9, at: null })
    expect(files[3]?.hunks[1]).toMatchObject({ atEnd: true })
  })

  it.each([
    ['a heredoc', `apply_patch <<'EOF'\n${patch('*** Delete File: a')}EOF\n`],
    ['a bare heredoc', `<<EOF\n${patch('*** Delete File: a')}EOF`],
    ['blanks around marks', '\n  *** Begin Patch  \n *** Delete File: a \n*** End Patch\t\n\n'],
    ['CRLF', patch('*** Delete File: a').replaceAll('\n', '\r\n')],
  ])('may stand in %s', async (_, text) => {
    expect((await readPatch(text)).files).toMatchObject([{ change: 'delete', path: 'a' }])
  })

  it.each([
    ['exact', lines('a', 'b', 'c'), 'b'],
    ['trailing-blanks', lines('a', 'b \t', 'c'), 'b'],
    ['blanks', lines('a', '   b', 'c'), 'b'],
    ['punctuation', lines('a', 'it’s – “b”', 'c'), 'it\'s - "b"'],
  ])('finds its lines: %s', (matching, text, wanted) => {
    const result = updated(text, '@@', ' a', `-${wanted}`, '+new')
    expect(result.text).toBe(lines('a', 'new', 'c'))
    expect(result.hunks).toEqual([{ matching, lines: [1, 2], offset: 0 }])
  })

  it('takes lines that are exact before others that stand earlier', () => {
    expect(updated(lines('  x', 'x'), '@@', '-x', '+y').text).toBe(lines('  x', 'y'))
  })

  it('goes behind its anchors, one after the other, and behind the hunk before', () => {
    const text = lines('class A', '  def f', '    x', 'class B', '  def f', '    x', '  def g', '    x')
    expect(updated(text, '@@ class B', '@@   def f', '-    x', '+    y').text).toBe(
      text.replace(/^(.*\n){5} {4}x/, (all) => `${all.slice(0, -1)}y`),
    )
    expect(updated(lines('x', 'a', 'x'), '@@', '-x', '+1', '@@', '-x', '+2').text).toBe(lines('1', 'a', '2'))
  })

  it('prefers the end of the file where it says so', () => {
    expect(updated(lines('x', 'a', 'x'), '@@', '-x', '+y', '*** End of File').text).toBe(lines('x', 'a', 'y'))
  })

  it('adds at the end what has no lines to be found by', () => {
    expect(updated(lines('a'), '@@', '+b').text).toBe(lines('a', 'b'))
    expect(updated(lines('a', 'b', 'c'), '@@ a', '+x').text).toBe(lines('a', 'x', 'b', 'c'))
  })

  it('keeps line ends, and lines that it does not change as they are; a missing last one it adds', () => {
    expect(updated('a  \r\nb\r\nc', '@@', ' a', '-b', '+B').text).toBe('a  \r\nB\r\nc\r\n')
    expect(updated('a\nb\r\nc\n', '@@', ' a', '-b', '+B', '+D', ' c').text).toBe('a\nB\r\nD\nc\n')
  })

  it('takes a blank line before the next file for nothing', () => {
    const text = patch('*** Update File: a', '@@', '-x', '+y', '', '*** Delete File: b')
    const [file] = readApplyPatch(text)
    expect(file === undefined ? '' : patchText(lines('x'), file, 'apply_patch', 'a').text).toBe(lines('y'))
  })

  it('says which lines it did not find, and what is nearest', () => {
    const error = failure(() => updated(lines('one', 'two three', 'four'), '@@', '-two thre', '+x', '@@ nowhere', '+y'))
    expect(error).toMatchObject({ code: 'CONFLICT', path: 'f' })
    expect(error.details?.hunks).toMatchObject([
      { hunk: 1, patchLine: 3, line: 2, expected: 'two thre', found: 'two three', diff: '-two thre\n+two three' },
      { hunk: 2, patchLine: 6, line: null, expected: 'nowhere', reason: 'the line to go to is not there' },
    ])
  })

  it.each([
    ['no beginning', '*** Delete File: a\n*** End Patch\n', 'The first line of the patch must be', 1],
    ['no end', '*** Begin Patch\n*** Delete File: a\n', 'The last line of the patch must be', 2],
    ['an unknown mark', patch('*** Frobnicate File: a'), 'Invalid patch hunk on line 2', 2],
    ['a bare line', patch('hello'), 'Invalid patch hunk on line 2', 2],
    ['a line that is not added', patch('*** Add File: a', '+x', 'y'), 'Invalid patch hunk on line 4', 4],
    ['lines in a deletion', patch('*** Delete File: a', '-x'), 'Invalid patch hunk on line 3', 3],
    ['an update of nothing', patch('*** Update File: a'), 'Invalid patch hunk on line 2', 2],
    [
      'a hunk of nothing',
      patch('*** Update File: a', '@@', '@@ x', '*** End of File'),
      'Invalid patch hunk on line 3',
      3,
    ],
    ['a line of no kind', patch('*** Update File: a', '@@', '-x', 'y'), 'Invalid patch hunk on line 5', 5],
    ['another mark', patch('*** Update File: a', '@@', '-x', '*** Rename'), 'Invalid patch hunk on line 5', 5],
  ])('refuses %s with the line', (_, text, message, line) => {
    const error = failure(() => readApplyPatch(text))
    expect(error).toMatchObject({ code: 'INVALID', details: { line } })
    expect(error.message).toContain(message)
  })

  it('refuses an empty one', () => {
    expect(failure(() => readApplyPatch(patch())).message).toBe('No files were modified.')
  })

  it('refuses anything at all with INVALID', () => {
    const line = fc.constantFrom(
      '*** Begin Patch',
      '*** End Patch',
      '*** Add File: a',
      '*** Update File: b',
      '@@',
      '+x',
      '-x',
      ' ',
      '',
      'x',
      '*** End of File',
      '*** Move to: c',
      '*** Delete File: d',
      "<<'EOF'",
      'EOF',
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (list) => {
        try {
          readApplyPatch(list.join('\n'))
        } catch (error) {
          expect((error as JournalError).code).toBe('INVALID')
        }
      }),
    )
  })
})

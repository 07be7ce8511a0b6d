import { createTwoFilesPatch } from 'diff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patchOneFile, patchText } from '../../../src/edit/patch/patch-file.ts'
import { readPatch } from '../../../src/edit/patch/patch-set.ts'
import type { JournalError } from '../../../src/errors.ts'

const failure = async (action: () => unknown): Promise<JournalError> => {
  try {
    await action()
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}
const lines = (...list: string[]): string => list.map((line) => `${line}\n`).join('')
const applied = async (text: string, patch: string): Promise<string> => (await patchOneFile(text, patch, 'f')).text

describe('a unified diff of one file', () => {
  it('stands where it says, or at the nearest place where its lines are', async () => {
    const patch = '--- a\n+++ b\n@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n'
    expect(await applied(lines('a', 'b', 'c', 'd'), patch)).toBe(lines('a', 'b', 'C', 'd'))
    const moved = await patchOneFile(lines('x', 'y', 'a', 'b', 'c', 'd'), patch, 'f')
    expect(moved).toEqual({
      text: lines('x', 'y', 'a', 'b', 'C', 'd'),
      hunks: [{ matching: 'exact', lines: [4, 6], offset: 2 }],
    })
    // Two places: the nearer one.
    const twice = lines('b', 'c', 'd', '1', '2', '3', '4', 'b', 'c', 'd')
    expect(await applied(twice, patch)).toBe(lines('b', 'C', 'd', '1', '2', '3', '4', 'b', 'c', 'd'))
  })

  it.each([
    [
      'the marker: there was no last line end, and there is none',
      'a\nb',
      '@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n',
      'a\nc',
    ],
    ['the marker: one comes', 'a\nb', '@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n', 'a\nb\n'],
    ['the marker: it goes', 'a\nb\n', '@@ -1,2 +1,2 @@\n a\n-b\n+b\n\\ No newline at end of file\n', 'a\nb'],
    ['no marker, and no last line end: it stays away', 'a\nb', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n', 'a\nc'],
    ['lines behind one without an end', 'a\nb', '@@ -1,2 +1,3 @@\n a\n b\n+c\n', 'a\nb\nc'],
    ['LF in the patch, CRLF in the file', 'a\r\nb\r\n', '@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n', 'a\r\nc\r\nd\r\n'],
    ['CRLF in the lines of the patch, LF in the file', 'a\nb\n', '@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n', 'a\nc\n'],
    ['CRLF in all of the patch', 'a\nb\n', '--- a\r\n+++ b\r\n@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+c\r\n', 'a\nc\n'],
    ['a patch that changes a line end', 'a\nb\n', '@@ -1,2 +1,2 @@\n a\n-b\n+b\r\n', 'a\nb\r\n'],
    [
      'mixed ends: each neighbour has its own, and so has each line',
      'a\r\nb\nc\r\n',
      '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n',
      'a\r\nB\nc\r\n',
    ],
    [
      'mixed ends: more lines than there were',
      'a\r\nb\nc\r\n',
      '@@ -1,3 +1,4 @@\n-a\n-b\n+A\n+B\n+C\n c\n',
      'A\r\nB\nC\r\nc\r\n',
    ],
    ['an empty file', '', '@@ -0,0 +1,2 @@\n+a\n+b\n', 'a\nb\n'],
    ['all of it goes', 'a\nb\n', '@@ -1,2 +0,0 @@\n-a\n-b\n', ''],
    ['no context at all', 'a\nb\nc\n', '@@ -2,0 +3 @@\n+x\n', 'a\nb\nx\nc\n'],
    ['a line that looks like a header', '-- a\n', '@@ -1 +1 @@\n--- a\n+++ b\n', '++ b\n'],
  ])('%s', async (_, text, patch, expected) => {
    expect(await applied(text, patch)).toBe(expected)
  })

  it('names every hunk that does not fit, and what stands there', async () => {
    const patch =
      '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n@@ -4,2 +4,2 @@\n d\n-e\n+E\n@@ -7,2 +7,2 @@\n g\n-h\n+H\n'
    const text = lines('a', 'b', 'c', 'd', 'x', 'f', 'g', 'H')
    const error = await failure(() => patchOneFile(text, patch, 'f'))
    expect(error).toMatchObject({ code: 'CONFLICT', path: 'f' })
    expect(error.message).toBe('the patch does not fit f as it is now: hunk 2, 3 of 3')
    expect(error.details?.hunks).toEqual([
      {
        hunk: 2,
        patchLine: 7,
        line: 4,
        expected: 'd\ne',
        found: 'd\nx',
        diff: ' d\n-e\n+x',
        reason: 'other lines stand there',
      },
      {
        hunk: 3,
        patchLine: 11,
        line: 7,
        expected: 'g\nh',
        found: 'g\nH',
        diff: ' g\n-h\n+H',
        reason: 'it seems to be applied already',
      },
    ])
    expect(error.hint).toContain('Hunk 2 (line 7 of the patch), at line 4')
  })

  it('can name a byte order mark with the first line', async () => {
    const [file] = (await readPatch('--- a/f\n+++ b/f\n@@ -1 +1 @@\n-\ufeffa\n+\ufeffb\n')).files
    expect(file === undefined ? '' : patchText('a\n', file, 'unified', 'f').text).toBe('b\n')
  })

  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '', '  d', '-', '+'), { maxLength: 30 })
    .chain((list) => fc.boolean().map((ended) => (list.length === 0 ? '' : list.join('\n') + (ended ? '\n' : ''))))
  it('as it is made of two texts makes the one of the other', () =>
    fc.assert(
      fc.asyncProperty(text, text, fc.nat(3), fc.boolean(), async (before, after, context, crlf) => {
        // Only a line end tells which ones a file has.
        fc.pre(before !== after && (!crlf || before.includes('\n')))
        const patch = createTwoFilesPatch('a/f', 'b/f', before, after, '', '', { context })
        const form = (given: string) => (crlf ? given.replaceAll('\n', '\r\n') : given)
        expect(await applied(form(before), patch)).toBe(form(after))
      }),
      { numRuns: 500 },
    ))
})

describe('a unified diff of many files', () => {
  const git = [
    'From 0123 Mon Sep 17 00:00:00 2001',
    'Subject: [PATCH] all at once',
    '',
    'diff --git a/kept.txt b/kept.txt',
    'index 123..456 100644',
    '--- a/kept.txt',
    '+++ b/kept.txt',
    '@@ -1 +1 @@ function x() {',
    '-a',
    '+b',
    'diff --git a/new file.txt b/new file.txt',
    'new file mode 100755',
    'index 000..456',
    '--- /dev/null',
    '+++ b/new file.txt',
    '@@ -0,0 +1,2 @@',
    '+one',
    '+two',
    '\\ No newline at end of file',
    'diff --git a/gone b/gone',
    'deleted file mode 100644',
    '--- a/gone',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-x',
    'diff --git "a/old\\tname" b/dir/new',
    'similarity index 90%',
    'rename from "old\\tname"',
    'rename to dir/new',
    'diff --git a/run.sh b/run.sh',
    'old mode 100644',
    'new mode 100755',
    '-- ',
    '2.39.2',
    '',
  ].join('\n')

  it('has the files that git names, with what becomes of them', async () => {
    const { format, files } = await readPatch(git)
    expect(format).toBe('unified')
    expect(files.map(({ hunks, said, patchLine, ...file }) => ({ ...file, hunks: hunks.length }))).toEqual([
      { change: 'update', path: 'kept.txt', hunks: 1 },
      { change: 'add', path: 'new file.txt', mode: 0o755, content: 'one\ntwo', hunks: 1 },
      { change: 'delete', path: 'gone', hunks: 1 },
      { change: 'update', path: 'old\tname', to: 'dir/new', hunks: 0 },
      { change: 'update', path: 'run.sh', mode: 0o755, hunks: 0 },
    ])
    expect(files[0]?.said).toContain('-a\n+b\n')
    expect(files[0]?.said).not.toContain('two')
  })

  it('makes new files with the line ends that they are given with', async () => {
    const patch = (end: string) => `--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a${end}\n+b${end}\n`
    expect((await readPatch(patch('\r'))).files[0]?.content).toBe('a\r\nb\r\n')
    expect((await readPatch(patch(''))).files[0]?.content).toBe('a\nb\n')
  })

  it.each([
    [
      'names without a/ and b/',
      '--- src/x.c\t2020-01-01\n+++ src/x.c\t2020-01-02\n@@ -1 +1 @@\n-a\n+b\n',
      {},
      'src/x.c',
    ],
    ['names of two folders', '--- old/src/x.c\n+++ new/src/x.c\n@@ -1 +1 @@\n-a\n+b\n', { strip: 1 }, 'src/x.c'],
    ['no name left out', '--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n', { strip: 0 }, 'b/x.c'],
  ])('%s', async (_, patch, options, path) => {
    expect((await readPatch(patch, options)).files.map((file) => file.path)).toEqual([path])
  })

  it.each([
    ['nothing', '', 1],
    ['prose', 'Dear all,\nplease apply.\n', 1],
    ['fewer lines than it says', '--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n', 3],
    ['more lines than it says', '--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n+c\n', 3],
    ['a line of no kind', '--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n*b\n', 3],
    ['no numbers', '--- a\n+++ b\n@@ here @@\n', 3],
    ['one name', '--- a\n@@ -1 +1 @@\n-a\n+b\n', 1],
    ['a binary file', 'diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\n', 3],
    ['a binary file that differs', 'diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n', 1],
    ['a symbolic link', 'diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n', 5],
  ])('refuses %s, and names the line', async (_, patch, line) => {
    expect(await failure(() => readPatch(patch))).toMatchObject({ code: 'INVALID', details: { line } })
  })

  it('refuses anything at all with INVALID', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...git.split('\n'), '@@', '--- a', '+++ b', '*** x', ' ')),
        async (list) => {
          try {
            await readPatch(list.join('\n'))
          } catch (error) {
            expect((error as JournalError).code).toBe('INVALID')
          }
        },
      ),
    ))
})

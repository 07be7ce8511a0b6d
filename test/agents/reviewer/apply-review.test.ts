import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyReview, type ReviewReport } from '../../../src/agents/reviewer/index.ts'
import { type Journal, JournalError, openJournal } from '../../../src/index.ts'
import { scratch } from '../mcp/clients.ts'

let journal: Journal
const text = (path: string): string => readFileSync(join(journal.root, path), 'utf8')

beforeEach(async () => {
  journal = await openJournal(scratch(), { actor: 'reviewer' })
  await journal.transact(async (tx) => {
    await tx.write('a.ts', 'one\ntwo\nthree\nfour\nfive\n')
    await tx.write('b.ts', 'const a = 1\r\nconst b = 2\r\nconst c = 3')
    await tx.write('data.bin', new Uint8Array([0, 255, 0]))
  })
})
afterEach(() => journal.close())

const apply = (changes: readonly unknown[], options = {}): Promise<ReviewReport> =>
  applyReview(journal, changes, options)

async function refusal(review: unknown, options = {}): Promise<JournalError> {
  const error: unknown = await applyReview(journal, review as readonly unknown[], options).catch(
    (thrown: unknown) => thrown,
  )
  if (error instanceof JournalError) return error
  throw new Error(`it was not refused: ${JSON.stringify(error)}`)
}

describe('a review', () => {
  test('is applied, grouped by file, as one transaction', async () => {
    const report = await applyReview(journal, {
      reviewer: 'ann',
      changes: [
        { path: 'b.ts', lines: 2, newText: 'const b = 20\nconst bb = 21' },
        { path: 'a.ts', lines: [2, 3], oldText: 'two\nthree', newText: 'TWO' },
        { path: 'a.ts', lines: 5, newText: '' },
        { path: 'a.ts', oldText: 'on', newText: 'ON', reviewer: 'bob' },
        { path: 'b.ts', lines: 3, newText: 'const c = 30\n' },
        { path: 'a.ts', lines: 1, comment: 'why?' },
      ],
    })
    expect(text('a.ts')).toBe('ONe\nTWO\nfour\n')
    expect(text('b.ts')).toBe('const a = 1\r\nconst b = 20\r\nconst bb = 21\r\nconst c = 30')
    expect(report.applied.map(({ index, lines }) => [index, lines])).toEqual([
      [0, [2, 2]],
      [1, [2, 3]],
      [2, [5, 5]],
      [3, [1, 1]],
      [4, [3, 3]],
    ])
    expect(report.comments).toEqual([{ index: 5, path: 'a.ts', reviewer: 'ann' }])
    const { seq, message, tags } = await journal.show(2)
    expect({ seq, message, tags }).toEqual({
      seq: 2,
      message: 'review by ann, bob',
      tags: ['reviewer:ann', 'reviewer:bob'],
    })
    await journal.undo(2)
    expect(text('a.ts')).toBe('one\ntwo\nthree\nfour\nfive\n')
  })

  test('finds lines that have moved', async () => {
    await journal.write('a.ts', 'zero\nzero\none\ntwo\nthree\nfour\nfive\n')
    const { applied } = await apply([{ path: 'a.ts', lines: [2, 3], oldText: 'two\nthree', newText: 'x' }])
    expect(applied).toEqual([{ index: 0, path: 'a.ts', lines: [4, 5], moved: true }])
    expect(text('a.ts')).toBe('zero\nzero\none\nx\nfour\nfive\n')
  })

  test('that does not fit changes nothing, and names every conflict', async () => {
    await journal.write('twice.ts', 'x\ny\nx\ny\n')
    const changes = [
      { path: 'a.ts', lines: 1, newText: 'ONE' },
      { path: 'a.ts', lines: 2, oldText: 'zwei', newText: 'x' },
      { path: 'a.ts', lines: [4, 9], newText: 'x' },
      { path: 'gone.ts', lines: 1, newText: 'x' },
      { path: 'data.bin', lines: 1, newText: 'x' },
      { path: 'b.ts', lines: [1, 2], newText: 'x' },
      { path: 'b.ts', lines: [2, 3], newText: 'y' },
      { path: 'twice.ts', oldText: 'x', newText: 'z' },
      { path: 'twice.ts', lines: 2, oldText: 'x\ny', newText: 'z' },
      { path: '../out.ts', lines: 1, newText: 'x' },
    ]
    const before = await journal.resolve('head')
    const error = await refusal(changes.slice(0, 9))
    expect(error.code).toBe('CONFLICT')
    expect(error.message).toContain('8 of 9 changes do not fit')
    const conflicts = error.details?.conflicts as { index: number; path: string; reason: string }[]
    expect(conflicts.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'what was reviewed is not there any more'],
      [2, 'the file ends with line 5'],
      [3, expect.stringContaining('gone.ts')],
      [4, 'data.bin is not UTF-8 text: see line 1'],
      [5, 'it overlaps with changes[6]'],
      [6, 'it overlaps with changes[5]'],
      [7, 'its old text stands at 2 places'],
      [8, 'what was reviewed stands at lines 1, 3 now'],
    ])
    expect((await refusal([changes[9]])).code).toBe('PATH_OUTSIDE')
    expect(await journal.resolve('head')).toBe(before)
    expect(text('a.ts')).toBe('one\ntwo\nthree\nfour\nfive\n')
  })

  test('in part: whole files, or not at all', async () => {
    const changes = [
      { path: 'a.ts', lines: 1, newText: 'ONE' },
      { path: 'a.ts', lines: 9, newText: 'x' },
      { path: 'b.ts', lines: 1, newText: 'const a = 10' },
    ]
    const dry = await apply(changes, { dryRun: true, partial: true })
    expect([dry.receipt, dry.applied.length, dry.conflicts.length]).toEqual([null, 1, 2])
    const { applied, conflicts, receipt } = await apply(changes, { partial: true })
    expect(applied.map(({ index }) => index)).toEqual([2])
    expect(conflicts.map(({ reason }) => reason)).toEqual([
      'another change of this file does not fit',
      'the file ends with line 5',
    ])
    expect(receipt?.files.map(({ path }) => path)).toEqual(['b.ts'])
    expect(text('a.ts')).toContain('one')
    expect((await apply([{ path: 'a.ts', lines: 9, newText: 'x' }], { partial: true })).receipt).toBeNull()
  })

  test('may say the same twice', async () => {
    const same = { path: 'a.ts', lines: 2, newText: 'TWO' }
    const { applied } = await apply([same, same])
    expect(applied).toHaveLength(2)
    expect(text('a.ts')).toBe('one\nTWO\nthree\nfour\nfive\n')
  })
})

describe('comments of a pull request on GitHub', () => {
  const comment = { path: 'a.ts', user: { login: 'octo' }, side: 'RIGHT' }
  const block = (suggested: string): string => `Better:\n\n\`\`\`suggestion\n${suggested}\n\`\`\`\n\nThanks`

  test('are taken with their suggestions', async () => {
    const { applied, comments } = await apply([
      { ...comment, line: 2, start_line: null, body: block('TWO'), diff_hunk: '@@ -1,2 +1,2 @@\n one\n-zwei\n+two' },
      {
        ...comment,
        line: 4,
        start_line: 3,
        body: '````suggestion\r\nTHREE\r\nAND A HALF\r\n````',
        diff_hunk: '@@ -2,3 +2,3 @@\n two\n three\n+four',
      },
      { ...comment, line: 5, body: 'why?' },
      { ...comment, line: 1, side: 'LEFT', body: block('x') },
    ])
    expect(text('a.ts')).toBe('one\nTWO\nTHREE\nAND A HALF\nfive\n')
    expect(applied.map(({ reviewer }) => reviewer)).toEqual(['octo', 'octo'])
    expect(comments.map(({ index }) => index)).toEqual([2, 3])
  })

  test('are found where the lines have moved, and are conflicts where they are gone', async () => {
    await journal.write('a.ts', 'zero\none\ntwo\nthree\n')
    const stale = {
      ...comment,
      line: null,
      original_line: 2,
      body: block('TWO'),
      diff_hunk: '@@ -1,2 +1,2 @@\n one\n+two',
    }
    expect((await apply([stale], { dryRun: true })).applied[0]).toMatchObject({ lines: [3, 3], moved: true })
    await journal.write('a.ts', 'all new\n')
    expect((await apply([stale], { dryRun: true })).conflicts).toHaveLength(1)
  })

  test('an empty suggestion removes the lines', async () => {
    await apply([{ ...comment, line: 3, start_line: 2, body: '```suggestion\n```' }])
    expect(text('a.ts')).toBe('one\nfour\nfive\n')
  })
})

describe('a review that is none', () => {
  test.each([
    [null, 'the review has no list of changes'],
    ['x', 'the review has no list of changes'],
    [{}, 'the review has no list of changes'],
    [{ changes: [], reviewer: 7 }, 'reviewer and message of the review must be text'],
    [[7], 'changes[0] names no file'],
    [[{ path: '' }], 'changes[0] names no file'],
    [[{ path: 'a.ts', line: 1, newText: 'x' }], 'changes[0] has "line", which means nothing'],
    [
      [{ path: 'a.ts', newText: 'x' }],
      'changes[0] does not say what its new text replaces: it has neither lines nor oldText',
    ],
    [[{ path: 'a.ts', lines: 0, newText: 'x' }], 'changes[0].lines is 0, and must be a line, or [first, last], from 1'],
    [
      [{ path: 'a.ts', lines: [3, 2], newText: 'x' }],
      'changes[0].lines is a list, and must be a line, or [first, last], from 1',
    ],
    [[{ path: 'a.ts', lines: 1, newText: 7 }], 'changes[0].newText must be text'],
    [[{ path: 'a.ts', oldText: '', newText: 'x' }], 'changes[0] replaces an empty text'],
    [
      [{ path: 'a.ts', lines: 1, comment: '```suggestion\na\n```\n```suggestion\nb\n```' }],
      'changes[0] has 2 suggestions in its comment',
    ],
  ])('%j', async (review, message) => {
    const error = await refusal(review)
    expect([error.code, error.message]).toEqual(['INVALID', message])
  })
})

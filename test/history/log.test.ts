import { afterEach, expect, test } from 'vitest'
import { history } from '../../src/history/log.ts'
import type { HistoryQuery } from '../../src/history/query.ts'
import { collect, strip, TestJournal } from './fixture.ts'

let made: TestJournal
afterEach(() => made.close())

test('filters alone and together, both orders, limit', async () => {
  made = new TestJournal()
  await made.set({ 'src/a.ts': '1' }, { actor: 'ann', tags: ['x'] })
  await made.set({ 'src-b': '1', 'src/deep/b.ts': '1' }, { actor: 'bob', parent: 'p1' })
  await made.set({ 'src-b': '2' }, { actor: 'ann', tags: ['x', 'y'], parent: 'p1' })
  const moved = strip(made.file('1'))
  await made.commit(
    [{ op: 'rename', path: 'src/a.ts', to: 'lib/a.ts', before: moved, replaced: null, after: moved }],
    [],
    { actor: 'bob' },
  )
  const kept = made.file('somebody')
  await made.commit([{ op: 'preserve', path: 'lib/p', before: strip(kept), after: strip(kept) }], [kept.bytes])
  const index = made.index()
  const seqs = async (query: HistoryQuery) => (await collect(history(index, query, 0))).map(({ seq }) => seq)
  expect(await seqs({})).toEqual([5, 4, 3, 2, 1])
  expect(await seqs({ order: 'oldest', limit: 2 })).toEqual([1, 2])
  expect(await seqs({ limit: 0 })).toEqual([])
  expect(await seqs({ path: 'src' })).toEqual([4, 2, 1])
  expect(await seqs({ path: './src/deep/' })).toEqual([2])
  expect(await seqs({ path: 'src-b' })).toEqual([3, 2])
  expect(await seqs({ path: 'lib/a.ts' })).toEqual([4])
  expect(await seqs({ path: 'lib' })).toEqual([5, 4])
  expect(await seqs({ path: 'sr' })).toEqual([])
  expect(await seqs({ actor: 'ann' })).toEqual([3, 1])
  expect(await seqs({ actor: 'an' })).toEqual([])
  expect(await seqs({ actor: 'bob', path: 'src' })).toEqual([4, 2])
  expect(await seqs({ tag: 'x' })).toEqual([3, 1])
  expect(await seqs({ tag: 'x', since: 1 })).toEqual([3])
  expect(await seqs({ parent: 'p1', until: 2 })).toEqual([2])
  expect(await seqs({ since: 2, until: 4, order: 'oldest' })).toEqual([3, 4])
  expect(await seqs({ since: 4, until: 2 })).toEqual([])
  await expect(seqs({ path: '../x' })).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(seqs({ path: '/etc' })).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(seqs({ limit: -1 })).rejects.toMatchObject({ code: 'INVALID' })
})

test('many pages, with rare matches, while the history grows', async () => {
  made = new TestJournal()
  for (let n = 1; n <= 700; n += 1) await made.set({ [`d/${n % 7}`]: null }, n % 100 === 0 ? { tags: ['rare'] } : {})
  const index = made.index({ idleMs: 1 })
  const found: number[] = []
  for await (const { seq } of history(index, {}, 0)) {
    if (seq === 650) await made.set({ later: null })
    if (seq === 600) await new Promise((resolve) => setTimeout(resolve, 30))
    found.push(seq)
  }
  expect(found).toEqual(Array.from({ length: 700 }, (_, n) => 700 - n))
  expect((await collect(history(index, { tag: 'rare' }, 0))).map(({ seq }) => seq)).toEqual([
    700, 600, 500, 400, 300, 200, 100,
  ])
  expect((await collect(history(index, { path: 'd/3' }, 0))).length).toBe(100)
})

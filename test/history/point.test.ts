import { afterEach, expect, test } from 'vitest'
import { resolvePoint, resolveTransaction } from '../../src/history/point.ts'
import { TestJournal } from './fixture.ts'

let made: TestJournal
afterEach(() => made.close())

const NOW = Date.UTC(2026, 4, 1, 12)

async function journal(times: readonly number[]) {
  made = new TestJournal()
  for (const [index, time] of times.entries()) await made.set({ a: String(index) }, { time })
  const index = made.index()
  return (at: string | number | Date) => resolvePoint(index, at, NOW)
}

test('numbers, head, ages, times and dates', async () => {
  const resolve = await journal([NOW - 7_200_000, NOW - 3_600_000, NOW - 3_600_000, NOW - 60_000])
  expect(await resolve(0)).toBe(0)
  expect(await resolve(4)).toBe(4)
  expect(await resolve('3')).toBe(3)
  expect(await resolve(' head ')).toBe(4)
  expect(await resolve('3h')).toBe(0)
  expect(await resolve('2h')).toBe(1)
  expect(await resolve('60m')).toBe(3)
  expect(await resolve('59m')).toBe(3)
  expect(await resolve('0s')).toBe(4)
  expect(await resolve('1w')).toBe(0)
  expect(await resolve('2026-05-01T11:00Z')).toBe(3)
  expect(await resolve('2026-05-01T10:59:59.999Z')).toBe(1)
  expect(await resolve('2026-05-01T13:00:00+0200')).toBe(3)
  expect(await resolve('2026-04-01')).toBe(0)
  expect(await resolve(new Date(NOW))).toBe(4)
})

test('what is no point is refused with the forms there are', async () => {
  const resolve = await journal([NOW])
  for (const text of [
    '',
    'yesterday',
    '-1',
    '10x',
    't12',
    '2026-02-30',
    '2026-13-01',
    '2026-05-01T25:00',
    'tooooooooooooooolong',
  ]) {
    await expect(resolve(text), text).rejects.toMatchObject({
      code: 'INVALID',
      hint: expect.stringContaining('ISO 8601'),
    })
  }
  await expect(resolve(-1)).rejects.toMatchObject({ code: 'INVALID' })
  await expect(resolve(1.5)).rejects.toMatchObject({ code: 'INVALID' })
  await expect(resolve(new Date(Number.NaN))).rejects.toMatchObject({ code: 'INVALID' })
  await expect(resolve(2)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(resolve('tabcd')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('beginnings of ids: unambiguous ones are taken, others name the candidates', async () => {
  made = new TestJournal()
  for (const tx of ['tabcd0000000000a', 'tabcd0000000000b', 'tabce00000000000']) await made.set({ a: tx }, { tx })
  const index = made.index()
  expect(await resolvePoint(index, 'tabce', 0)).toBe(3)
  expect(await resolvePoint(index, 'tabcd0000000000b', 0)).toBe(2)
  await expect(resolvePoint(index, 'tabc', 0)).rejects.toMatchObject({
    code: 'INVALID',
    details: { candidates: ['tabcd0000000000a', 'tabcd0000000000b', 'tabce00000000000'] },
  })
  expect(await resolveTransaction(index, 'tabce')).toBe(3)
  expect(await resolveTransaction(index, 2)).toBe(2)
  await expect(resolveTransaction(index, 0)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await resolveTransaction(index, 'head')).toBe((await index.head()).seq)
})

test('a clock that jumped back leaves times that do not decrease, and the last of equal ones is meant', async () => {
  const resolve = await journal([NOW - 1000, NOW - 500_000, NOW - 400_000, NOW])
  expect(made.commits.map(({ time }) => time)).toEqual([NOW - 1000, NOW - 1000, NOW - 1000, NOW])
  expect(await resolve(new Date(NOW - 1000))).toBe(3)
  expect(await resolve(new Date(NOW - 1001))).toBe(0)
})

import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { exportHistory } from '../../src/history/export.ts'
import { stats } from '../../src/history/stats.ts'
import { collect, TestJournal } from './fixture.ts'

let made: TestJournal
afterEach(() => made.close())

test('everything is in the export, each content once, large ones in pieces', async () => {
  made = new TestJournal()
  const big = 'big '.repeat(500_000)
  await made.set({ a: 'text', b: 'text', big }, { actor: 'ann', message: 'first' })
  const bytes = new Uint8Array([0, 255, 1])
  const { bytes: _, ...state } = made.file(bytes)
  await made.commit([{ op: 'write', path: 'bin', before: null, after: state }], [bytes])
  await made.set({ a: null })
  const lines = (await collect(exportHistory(made.index(), made.source))).map((line) =>
    JSON.parse(JSON.stringify(line)),
  )
  expect(lines[0]).toMatchObject({
    type: 'header',
    version: 1,
    journal: made.journalId,
    seq: 3,
    chain: made.head.chain,
  })
  expect(lines.at(-1)).toEqual({ type: 'end', transactions: 3, chain: made.head.chain })
  const transactions = lines.filter(({ type }) => type === 'transaction')
  expect(transactions.map(({ type, contents, ...commit }) => commit)).toEqual(JSON.parse(JSON.stringify(made.commits)))
  const pieces = lines.filter(({ type }) => type === 'content')
  expect(pieces.length).toBeGreaterThan(1)
  const whole = Buffer.concat(pieces.map(({ base64 }) => Buffer.from(base64, 'base64')))
  expect(createHash('sha256').update(whole).digest('hex')).toBe(made.file(big).hash)
  expect(transactions.map(({ contents }) => contents)).toEqual([
    [
      { hash: made.file('text').hash, utf8: 'text' },
      { hash: made.file(big).hash, size: big.length },
    ],
    [{ hash: state.hash, base64: Buffer.from(bytes).toString('base64') }],
    [],
  ])
})

test('stats count what there is', async () => {
  made = new TestJournal()
  const index = made.index()
  expect(await stats(index, made.source)).toMatchObject({
    transactions: 0,
    paths: 0,
    first: null,
    last: null,
    actors: [],
  })
  await made.set({ a: '1', b: '2' }, { actor: 'bob' })
  await made.set({ a: null }, { actor: 'ann' })
  const [first, last] = made.commits
  expect(await stats(index, made.source)).toMatchObject({
    transactions: 2,
    entries: 3,
    paths: 2,
    actors: ['ann', 'bob'],
    segments: 1,
    blobs: 0,
    first: first?.time,
    last: last?.time,
  })
  expect((await stats(index, made.source)).indexBytes).toBeGreaterThan(0)
})

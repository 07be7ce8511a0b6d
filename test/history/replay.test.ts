import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HistoryIndex } from '../../src/history/history-index.ts'
import { replay } from '../../src/history/replay.ts'
import { TestJournal } from './fixture.ts'

let made: TestJournal
let index: HistoryIndex
beforeEach(() => {
  made = new TestJournal()
  index = made.index()
})
afterEach(() => made.close())

test('files, links, folders and their permissions, at any point', async () => {
  const closed = { kind: 'dir', mode: 0o555 } as const
  await made.set({
    a: '1',
    'deep/down/f': 'f',
    shut: closed,
    'shut/in': 'i',
    'shut.txt': 's',
    link: { kind: 'symlink', target: 'deep/down' },
  })
  await made.set({ a: '2', 'deep/down/f': null, 'shut/in': { ...made.file('i'), mode: 0o4711 } })
  const to = `${made.root}/new/copy`
  expect(await replay(index, made.source, { to: `${to}/`, seq: 1 })).toEqual({ files: 5, bytes: 4, seq: 1 })
  const read = (name: string) => fs.readFileSync(`${to}/${name}`, 'utf8')
  expect([read('a'), read('link/f'), read('shut/in')]).toEqual(['1', 'f', 'i'])
  expect(fs.statSync(`${to}/shut`).mode & 0o7777).toBe(0o555)
  expect(fs.readlinkSync(`${to}/link`)).toBe('deep/down')
  fs.mkdirSync(`${made.root}/empty`)
  await replay(index, made.source, { to: `${made.root}/empty`, seq: 2 })
  expect(fs.readdirSync(`${made.root}/empty`).sort()).toEqual(['a', 'link', 'shut', 'shut.txt'])
  expect(fs.statSync(`${made.root}/empty/shut/in`).mode & 0o7777).toBe(0o4711)
  for (const folder of [to, `${made.root}/empty`]) fs.chmodSync(`${folder}/shut`, 0o755)
})

test('refuses folders that are in use, files, and the journal itself', async () => {
  await made.set({ a: '1' })
  fs.mkdirSync(`${made.root}/used`)
  fs.writeFileSync(`${made.root}/used/x`, '')
  fs.symlinkSync('.journal', `${made.root}/alias`)
  const into = (name: string) => replay(index, made.source, { to: `${made.root}/${name}`, seq: 1 })
  await expect(into('used')).rejects.toMatchObject({ code: 'EXISTS' })
  await expect(into('used/x')).rejects.toMatchObject({ code: 'EXISTS' })
  await expect(into('.journal')).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(into('.journal/new')).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(into('alias/new')).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  expect(fs.existsSync(`${made.directory}/new`)).toBe(false)
})

test('a content that does not hash right is not left behind, and its path is named', async () => {
  await made.set({ a: 'content in the log' })
  const file = made.segments.path(1)
  const bytes = fs.readFileSync(file)
  await index.head()
  bytes.write('CONTENT', bytes.indexOf('content in the log'))
  fs.writeFileSync(file, bytes)
  await expect(replay(index, made.source, { to: `${made.root}/copy`, seq: 1 })).rejects.toMatchObject({
    code: 'CORRUPT',
    path: 'a',
  })
  expect(fs.readdirSync(`${made.root}/copy`)).toEqual([])
})

import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { externalChanges } from '../../src/history/status.ts'
import { TestJournal } from './fixture.ts'

let made: TestJournal
beforeEach(() => {
  made = new TestJournal()
})
afterEach(() => made.close())

test('every kind of difference, by content and not by time', async () => {
  const link = { kind: 'symlink', target: 'x' } as const
  await made.set({
    same: '1',
    edited: '1',
    touched: '1',
    gone: '1',
    mode: '1',
    turned: '1',
    link,
    back: '1',
    'd/f': '1',
    'd-x': '1',
  })
  await made.set({ back: null })
  const write = (name: string, text: string) => {
    fs.writeFileSync(`${made.root}/${name}`, text)
    fs.chmodSync(`${made.root}/${name}`, 0o644)
  }
  for (const name of ['same', 'touched', 'mode', 'back', 'd-x']) write(name, '1')
  write('edited', '2')
  fs.utimesSync(`${made.root}/touched`, 1, 1)
  fs.chmodSync(`${made.root}/mode`, 0o600)
  fs.mkdirSync(`${made.root}/turned`)
  fs.symlinkSync('y', `${made.root}/link`)
  fs.writeFileSync(`${made.root}/d`, 'a file where a folder was')
  fs.writeFileSync(`${made.root}/unknown`, '')
  const changes = externalChanges(made.index(), made.disk, made.root)
  const found: unknown[] = []
  let step = await changes.next()
  for (; step.done !== true; step = await changes.next()) found.push([step.value.path, step.value.change])
  expect(found).toEqual([
    ['back', 'appeared'],
    ['d/f', 'missing'],
    ['edited', 'modified'],
    ['gone', 'missing'],
    ['link', 'modified'],
    ['mode', 'mode'],
    ['turned', 'type'],
  ])
  expect(step.value).toBe(9)
  const some = externalChanges(made.index(), made.disk, made.root, { paths: ['d', 'gone'] })
  const paths: string[] = []
  for await (const { path } of some) paths.push(path)
  expect(paths).toEqual(['d/f', 'gone'])
})

test('what is found has its hash, large files too', async () => {
  const before = made.file('x'.repeat(3_000_000))
  await made.set({ big: 'x'.repeat(3_000_000) })
  fs.writeFileSync(`${made.root}/big`, 'y'.repeat(3_000_000))
  for await (const change of externalChanges(made.index(), made.disk, made.root)) {
    expect(change).toMatchObject({ change: 'modified', recorded: { hash: before.hash } })
    expect(change.found).toMatchObject({ hash: made.file('y'.repeat(3_000_000)).hash, size: 3_000_000 })
  }
})

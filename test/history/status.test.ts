import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import type { HistoryIndex } from '../../src/history/history-index.ts'
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

/** A clock that is far enough behind the files' times for them to tell. */
class LaterDisk extends NodeDisk {
  readonly looked: string[] = []

  override now(): number {
    return super.now() + 10_000
  }

  override open(...given: Parameters<NodeDisk['open']>): number {
    this.looked.push(given[0])
    return super.open(...given)
  }
}

async function changesOf(index: HistoryIndex, disk: LaterDisk): Promise<[string, string][]> {
  const found: [string, string][] = []
  for await (const { path, change } of externalChanges(index, disk, made.root, { stamps: true }))
    found.push([path, change])
  return found
}

const opened = (disk: LaterDisk) => disk.looked.splice(0).map((path) => path.slice(made.root.length + 1))

test('files that are what they were when they were found to be as recorded are not read again', async () => {
  const disk = new LaterDisk()
  const index = made.index()
  await made.set({ a: '1', b: '2', 'd/c': '3' })
  for (const [name, text] of [
    ['a', '1'],
    ['b', '2'],
    ['d/c', '3'],
  ] as const) {
    fs.mkdirSync(`${made.root}/d`, { recursive: true })
    fs.writeFileSync(`${made.root}/${name}`, text)
    fs.chmodSync(`${made.root}/${name}`, 0o644)
  }
  expect(await changesOf(index, disk)).toEqual([])
  expect(opened(disk)).toEqual(['a', 'b', 'd/c'])
  expect(await changesOf(index, disk)).toEqual([])
  expect(opened(disk)).toEqual([])
  // Another content of the same size, and the old time put back.
  const { atime, mtime } = fs.statSync(`${made.root}/b`)
  fs.writeFileSync(`${made.root}/b`, '9')
  fs.utimesSync(`${made.root}/b`, atime, mtime)
  fs.chmodSync(`${made.root}/a`, 0o600)
  expect(await changesOf(index, disk)).toEqual([
    ['a', 'mode'],
    ['b', 'modified'],
  ])
  expect(opened(disk)).toEqual(['a', 'b'])
  fs.chmodSync(`${made.root}/a`, 0o644)
  // What the journal sets anew is looked at anew, and a folder that became a link is not looked through.
  await made.set({ b: '9' })
  fs.renameSync(`${made.root}/d`, `${made.root}/e`)
  fs.symlinkSync('e', `${made.root}/d`)
  expect(await changesOf(index, disk)).toEqual([['d/c', 'missing']])
  expect(opened(disk)).toEqual(['a', 'b'])
  expect(await changesOf(index, disk)).toEqual([['d/c', 'missing']])
  expect(opened(disk)).toEqual([])
})

test('a file that was changed just now is read each time: its times do not tell yet', async () => {
  const disk = new LaterDisk()
  const index = made.index()
  disk.now = () => Date.now() - 10_000
  await made.set({ a: '1' })
  fs.writeFileSync(`${made.root}/a`, '1')
  fs.chmodSync(`${made.root}/a`, 0o644)
  for (let round = 0; round < 3; round += 1) {
    expect(await changesOf(index, disk)).toEqual([])
    expect(opened(disk)).toEqual(['a'])
  }
})

test('without being told to rely on times every file is read', async () => {
  const disk = new LaterDisk()
  const index = made.index()
  await made.set({ a: '1' })
  fs.writeFileSync(`${made.root}/a`, '1')
  fs.chmodSync(`${made.root}/a`, 0o644)
  expect(await changesOf(index, disk)).toEqual([])
  opened(disk)
  for await (const change of externalChanges(index, disk, made.root)) expect(change).toBeNull()
  expect(opened(disk)).toEqual(['a'])
})

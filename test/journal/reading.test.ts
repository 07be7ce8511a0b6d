import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { openReading } from '../../src/reading.ts'
import { failure } from './fixture.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'reading-')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}

it('answers as a journal opened for reading does', async () => {
  const journal = await openJournal(root, { actor: 'one' })
  for (let number = 0; number < 5; number += 1) await journal.write(`f${number % 2}`, String(number))
  await journal.close()
  writeFileSync(join(root, 'f0'), 'by somebody else')
  const reader = await openJournal(root, { readOnly: true })
  const expected = {
    status: await reader.status(),
    all: await all(reader.history()),
    some: await all(reader.history({ path: 'f1', order: 'oldest', limit: 2 })),
  }
  await reader.close()
  expect(expected.status.changed.map(({ path }) => path)).toEqual(['f0'])
  expect(expected.some).toHaveLength(2)
  const reading = await openReading(root, () => {})
  expect(await reading.newest()).toBe(5)
  expect(await reading.status()).toEqual(expected.status)
  expect(await all(reading.history({}))).toEqual(expected.all)
  expect(await all(reading.history({ path: 'f1', order: 'oldest', limit: 2 }))).toEqual(expected.some)
  expect((await failure(() => all(reading.history({ limit: -1 })))).code).toBe('INVALID')
  await reading.close()
})

it('fails as opening a journal does', async () => {
  const open = (path: string) => openReading(path, () => {})
  expect((await failure(() => open(join(root, 'nowhere')))).code).toBe('NOT_FOUND')
  expect((await failure(() => open(root))).code).toBe('NOT_FOUND')
  await (await openJournal(root)).close()
  rmSync(join(root, '.journal/FORMAT'))
  symlinkSync('/etc/hostname', join(root, '.journal/FORMAT'))
  const [ours, theirs] = [await failure(() => open(root)), await failure(() => openJournal(root, { readOnly: true }))]
  expect([ours.code, ours.message, ours.hint]).toEqual([theirs.code, theirs.message, theirs.hint])
})

/** Following a journal through the library: retention, salvage, events of other processes, closing. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type EventOrigin, type FollowGap, type Journal, openJournal, type Receipt } from '../../src/index.ts'
import { failure } from './fixture.ts'

const folders: string[] = []
const open: Journal[] = []
afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'follow-')))
  folders.push(made)
  return made
}

async function opened(root: string, options: Parameters<typeof openJournal>[1] = {}): Promise<Journal> {
  const journal = await openJournal(root, options)
  open.push(journal)
  return journal
}

async function until(ready: () => boolean): Promise<void> {
  for (let turn = 0; turn < 4000 && !ready(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(ready()).toBe(true)
}

async function several(root: string, count: number): Promise<Journal> {
  const journal = await opened(root, { segmentSize: 4096, actor: 'writer' })
  for (let n = 1; n <= count; n += 1) await journal.write('f', `${'x'.repeat(500)}${n}`)
  return journal
}

describe('retention', () => {
  test('drops what was seen, and nobody notices; what was not is an error that says so, or a gap', async () => {
    const root = folder()
    const writer = await several(root, 30)
    const reader = await opened(root, { readOnly: true })
    const seen: number[] = []
    const early = reader.follow({ from: 'beginning' })[Symbol.asyncIterator]()
    for (let n = 1; n <= 30; n += 1) seen.push((await early.next()).value?.seq as number)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
    // Begun, and then overtaken.
    const strict = reader.follow({ from: 'beginning' })[Symbol.asyncIterator]()
    const gaps: FollowGap[] = []
    const lenient = reader.follow({ from: 2, onGap: (gap) => gaps.push(gap) })[Symbol.asyncIterator]()
    expect((await strict.next()).value?.seq).toBe(1)
    expect((await lenient.next()).value?.seq).toBe(3)
    const { horizon } = await writer.compact({ keepTransactions: 5 })
    expect(horizon).toBeGreaterThan(10)
    const { seq } = await writer.write('f', 'after the drop')
    expect((await early.next()).value?.seq).toBe(seq)
    const rest: number[] = []
    // What it had read already it still shows.
    while (rest.at(-1) !== seq) rest.push((await lenient.next()).value?.seq as number)
    const [gap] = gaps
    expect(gaps).toHaveLength(1)
    expect(gap).toMatchObject({ to: horizon, reason: 'dropped' })
    const expected = Array.from({ length: seq - 3 }, (_, n) => n + 4).filter(
      (n) => n < (gap as FollowGap).from || n > (gap as FollowGap).to,
    )
    expect(rest).toEqual(expected)
    const error = await failure(async () => {
      for (;;) if ((await strict.next()).done === true) return
    })
    expect([error.code, error.details?.dropped]).toMatchObject(['NOT_FOUND', { seq: horizon }])
    expect((await failure(() => reader.follow({ from: 1 })[Symbol.asyncIterator]().next())).code).toBe('NOT_FOUND')
    const whole = reader.follow({ from: 'beginning' })[Symbol.asyncIterator]()
    expect((await whole.next()).value?.seq).toBe((horizon as number) + 1)
    for (const each of [early, lenient, whole]) await each.return?.(undefined)
  })
})

describe('events', () => {
  test('what another process commits is heard, with all that the history says', async () => {
    const root = folder()
    const writer = await opened(root)
    await writer.write('before', 'x')
    const reader = await opened(root, { readOnly: true })
    const heard: [Receipt, EventOrigin][] = []
    reader.on('commit', (receipt, origin) => heard.push([receipt, origin]))
    reader.on('commit', () => {})
    const made: Receipt[] = []
    for (let n = 0; n < 20; n += 1)
      made.push(await writer.transact({ actor: 'other', parent: 'p' }, (tx) => tx.write('f', String(n))))
    await until(() => heard.length === 20)
    expect(heard.map(([receipt]) => receipt)).toEqual(made)
    expect(heard[0]?.[1]).toMatchObject({ local: false, commit: { actor: 'other', parent: 'p', kind: 'write' } })
    // Nobody waits for more: the process may end, and so may the journal.
    await reader.close()
    await writer.write('later', 'x')
    expect(heard.length).toBe(20)
  })

  test('what this process commits is heard once, as its own', async () => {
    const writer = await opened(folder())
    const heard: [number, EventOrigin][] = []
    writer.on('commit', ({ seq }, origin) => heard.push([seq, origin]))
    await writer.write('f', '1')
    await writer.undo('head')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(heard).toEqual([
      [1, { local: true }],
      [2, { local: true }],
    ])
  })
})

describe('an open journal', () => {
  test('follows itself, writer or not, until it is closed', async () => {
    const root = folder()
    const writer = await opened(root)
    const seen: number[] = []
    const following = (async () => {
      for await (const { seq } of writer.follow()) seen.push(seq)
    })()
    await writer.write('f', '1')
    await writer.write('f', '2')
    await until(() => seen.length === 2)
    await writer.close()
    await following
    expect(seen).toEqual([1, 2])
    expect((await failure(() => writer.follow())).code).toBe('CLOSED')
  })

  test('what is handed to the system only is followed once it is on stable storage', async () => {
    const writer = await opened(folder(), { durability: 'os' })
    const seen: number[] = []
    const end = new AbortController()
    const following = (async () => {
      for await (const { seq } of writer.follow({ from: 'beginning', signal: end.signal })) seen.push(seq)
    })()
    await writer.write('f', '1')
    await writer.checkpoint()
    await until(() => seen.length === 1)
    end.abort()
    await following
  })

  test('refuses what is no option', async () => {
    const writer = await opened(folder())
    for (const options of [null, 5, { from: {} }, { signal: 'no' }, { onGap: 1 }])
      expect((await failure(() => writer.follow(options as never))).code).toBe('INVALID')
  })
})

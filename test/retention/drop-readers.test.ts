/** Readers take no lock: the beginning of the log may go while they read it. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, JournalError, openJournal } from '../../src/index.ts'
import { newDisk, openOn } from '../journal/fixture.ts'

const OPTIONS = { segmentSize: 8 * 1024 }

let root = ''
let journal: Journal

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'drop-readers-')))
  journal = await openJournal(root, OPTIONS)
})

afterEach(async () => {
  await journal.close()
  rmSync(root, { recursive: true, force: true })
})

async function writeSome(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await journal.write(`f${n % 7}`, `${journal.head.seq} `.repeat(300))
}

describe('a reader beside a writer that drops old transactions', () => {
  it('whose index is of before goes on from the new horizon', async () => {
    await writeSome(20)
    const reader = await openJournal(root, { readOnly: true })
    expect((await reader.history()[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 20 })
    await writeSome(10)
    const { horizon } = await journal.compact({ keepTransactions: 4 })
    expect(horizon).toBeGreaterThan(20)
    const seqs: number[] = []
    for await (const { seq } of reader.history({ order: 'oldest' })) seqs.push(seq)
    expect(seqs).toEqual(Array.from({ length: 30 - horizon }, (_, n) => horizon + 1 + n))
    expect(Buffer.from(await reader.readAt('f5', horizon)).toString()).toBe('25 '.repeat(300))
    await expect(reader.readAt('f5', 6)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { dropped: { seq: horizon } },
    })
    expect(await reader.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [] })
    await reader.close()
  })

  it('that is in the middle of a list says that the rest was dropped, and no worse', async () => {
    await writeSome(120)
    const reader = await openJournal(root, { readOnly: true })
    const list = reader.history({ order: 'oldest' })[Symbol.asyncIterator]()
    expect((await list.next()).value).toMatchObject({ seq: 1 })
    const { horizon } = await journal.compact({ keepTransactions: 5 })
    const seqs: number[] = []
    const error = await (async () => {
      for (let step = await list.next(); !step.done; step = await list.next()) seqs.push(step.value.seq)
    })().catch((thrown: unknown) => thrown as JournalError)
    expect(seqs).toEqual(seqs.map((_, n) => n + 2))
    expect(seqs.length === 119 || error !== undefined).toBe(true)
    if (error !== undefined) expect(error).toMatchObject({ code: 'NOT_FOUND', details: { dropped: { seq: horizon } } })
    await reader.close()
  })

  it('never takes it for corruption, whatever it asks, and whenever', async () => {
    const reader = await openJournal(root, { readOnly: true })
    let writing = true
    const found = { answers: 0, dropped: 0 }
    const asks: readonly (() => Promise<unknown>)[] = [
      async () => (await reader.verify()).problems.map(({ message }) => expect(message).toBe('')),
      async () => {
        for await (const _ of reader.history({ order: 'oldest' }));
      },
      () => reader.readAt('f3'),
      () => reader.readAt('f3', Math.max(0, journal.head.seq - 30)),
      () => reader.status(),
      () => reader.stats(),
      async () => {
        for await (const _ of reader.diff({ from: Math.max(0, journal.head.seq - 20), to: 'head' }));
      },
      () => reader.restore({ to: Math.max(0, journal.head.seq - 15), dryRun: true }),
    ]
    const reading = (async () => {
      for (let n = 0; writing; n += 1) {
        try {
          await asks[n % asks.length]?.()
          found.answers += 1
        } catch (error) {
          if (!(error instanceof JournalError)) throw error
          expect([error.code, error.message, error.stack]).toEqual([
            'NOT_FOUND',
            expect.any(String),
            expect.any(String),
          ])
          found.dropped += 1
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await writeSome(10)
    for (let round = 0; round < 12; round += 1) {
      await writeSome(12)
      await journal.compact({ keepTransactions: 6 })
    }
    writing = false
    await reading
    expect(found.answers).toBeGreaterThan(10)
    expect(await reader.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [] })
    await reader.close()
  }, 60_000)

  it('verifies a log that loses its beginning meanwhile from the new one on', async () => {
    const disk = newDisk()
    const writer = await openOn(disk, OPTIONS)
    for (let n = 0; n < 60; n += 1) await writer.write(`f${n % 7}`, `${n} `.repeat(300))
    const reader = await openOn(disk, { ...OPTIONS, readOnly: true })
    for (let turns = 0; turns < 30; turns += 3) {
      const verifying = reader.verify()
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      const dropping = writer.compact({ keepTransactions: Math.max(0, 50 - 2 * turns) })
      expect((await verifying).problems).toEqual([])
      await dropping
      await writer.write('more', 'more'.repeat(200))
    }
    await reader.close()
    await writer.close()
  })
})

/** History that is dropped by itself, and a journal that stays within a size. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, type OpenOptions, openJournal } from '../../src/index.ts'
import { failure } from '../journal/fixture.ts'

const MIB = 1024 * 1024

let root = ''
const open: Journal[] = []

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'retention-')))
})

afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close()
  rmSync(root, { recursive: true, force: true })
})

async function opened(options: OpenOptions): Promise<Journal> {
  const journal = await openJournal(root, options)
  open.push(journal)
  return journal
}

/** What the limit is about: log, blobs, and what repairs kept. */
function bytesNow(): number {
  let total = 0
  for (const folder of ['log', 'blobs', 'broken']) {
    for (const name of readdirSync(join(root, '.journal', folder), { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(join(root, '.journal', folder, name), { throwIfNoEntry: false })
      if (stat?.isFile()) total += stat.size
    }
  }
  return total
}

describe('retention by itself', () => {
  it('keeps the number of transactions in useful steps, beside commits', async () => {
    const journal = await opened({ retention: { keepTransactions: 50 }, segmentSize: 64 * 1024 })
    let most = 0
    for (let n = 0; n < 600; n += 1) {
      await journal.write(`f${n % 9}`, `${n}\n`.repeat(400))
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      if (n % 50 === 0) most = Math.max(most, (await journal.stats()).transactions)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { transactions, dropped } = await journal.stats()
    expect(transactions + dropped).toBe(600)
    expect(transactions).toBeGreaterThanOrEqual(50)
    expect(transactions).toBeLessThan(250)
    expect(most).toBeLessThan(400)
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [] })
  }, 60_000)

  it('does nothing by itself when told so', async () => {
    const journal = await opened({ retention: { keepTransactions: 5, auto: false }, segmentSize: 8 * 1024 })
    for (let n = 0; n < 60; n += 1) await journal.write('a', `${n}`.repeat(1000))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await journal.stats()).dropped).toBe(0)
    expect((await journal.compact()).transactionsDropped).toBeGreaterThanOrEqual(40)
  })

  it('refuses limits that mean nothing', async () => {
    const invalid = { code: 'INVALID' }
    expect(await failure(() => openJournal(root, { retention: { keepTransactions: -1 } }))).toMatchObject(invalid)
    expect(await failure(() => openJournal(root, { limits: { journalBytes: 1000 } }))).toMatchObject(invalid)
    expect(await failure(() => openJournal(root, { retention: 5 as never }))).toMatchObject(invalid)
    const journal = await opened({})
    expect(await failure(() => journal.compact({ keepDays: -1 }))).toMatchObject(invalid)
  })
})

describe('a limit on the size of the journal', () => {
  it('holds: a commit that would exceed it fails, and changes nothing', async () => {
    const journal = await opened({ limits: { journalBytes: 2 * MIB } })
    let refused = 0
    for (let n = 0; n < 60; n += 1) {
      const before = journal.head.seq
      try {
        await journal.write(`f${n}`, randomBytes(n % 7 === 0 ? 3 * MIB : 60_000))
      } catch (error) {
        expect(error).toMatchObject({ code: 'NO_SPACE', details: { journalBytes: 2 * MIB } })
        expect(journal.head.seq).toBe(before)
        expect(statSync(join(root, `f${n}`), { throwIfNoEntry: false })).toBe(undefined)
        refused += 1
      }
      expect(bytesNow()).toBeLessThanOrEqual(2 * MIB)
    }
    expect(refused).toBeGreaterThan(20)
    expect(journal.head.seq).toBeGreaterThan(15)
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, problems: [], changed: [], orphans: 0 })
    await journal.remove('f1').catch(() => undefined)
    await journal.compact({ keepTransactions: 1 })
    expect(bytesNow()).toBeLessThanOrEqual(2 * MIB)
  })

  it('is made room for by retention, while many commit at once', async () => {
    const limit = 4 * MIB
    const journal = await opened({ retention: { maxBytes: 2 * MIB }, limits: { journalBytes: limit } })
    let most = 0
    for (let n = 0; n < 40; n += 1) {
      await Promise.all(
        Array.from({ length: 4 }, (_, lane) => journal.write(`lane${lane}`, Buffer.alloc(100_000, `${n} ${lane}`))),
      )
      if (n % 10 === 0) await journal.write('large', Buffer.alloc(MIB + 1, n))
      most = Math.max(most, bytesNow())
    }
    expect(most).toBeLessThanOrEqual(limit)
    expect(journal.head.seq).toBe(164)
    const report = await journal.verify({ workspace: true })
    expect(report).toMatchObject({ ok: true, problems: [], changed: [] })
    expect(report.horizon?.reason).toBe('size')
  }, 60_000)
})

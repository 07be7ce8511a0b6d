import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, openJournal } from '../../src/index.ts'
import { collect, failure } from '../journal/fixture.ts'
import { filesWith } from './fixture.ts'

const SECRET = 'hunter2-is-the-secret'
const LARGE = `${SECRET}\n${'x'.repeat(1024 * 1024)}`

let root = ''
let journal: Journal
const directory = () => join(root, '.journal')

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'purge-'))
  journal = await openJournal(root)
})

afterEach(async () => {
  await journal.close()
  rmSync(root, { recursive: true, force: true })
})

async function reopen(): Promise<void> {
  await journal.close()
  journal = await openJournal(root)
}

/** A secret in a content, in the words of an edit and of a patch, and in a blob; other contents before, between and behind. */
async function leak(): Promise<void> {
  await journal.write('other.txt', 'innocent\n')
  await journal.write('.env', `key=${SECRET}\n`)
  await journal.edit('other.txt', [{ oldText: 'innocent', newText: 'still innocent' }])
  await journal.edit('.env', [{ oldText: SECRET, newText: `${SECRET}2` }])
  await journal.patch('.env', `--- a/.env\n+++ b/.env\n@@ -1 +1,2 @@\n key=${SECRET}2\n+more=1\n`)
  await journal.write('.env', LARGE)
  await journal.write('.env', 'key=\n')
  await journal.write('last.txt', 'last\n')
}

describe('purge', () => {
  it('leaves nothing of a secret under .journal, and everything else as it was', async () => {
    await leak()
    await reopen()
    const before = await collect(journal.history())
    await journal.stateAt('.env', 2)
    expect(filesWith(directory(), SECRET)).not.toEqual([])
    const preview = await journal.purge('.env', { dryRun: true })
    expect(preview).toMatchObject({ kept: [], current: ['.env'], blobs: 1, receipt: null })
    expect(preview.hashes).toHaveLength(5)
    const result = await journal.purge('.env', { message: 'leaked', actor: 'keeper' })
    expect({ ...result, receipt: null }).toEqual(preview)
    expect(filesWith(directory(), SECRET)).toEqual([])
    for (const again of [false, true]) {
      if (again) await reopen()
      const report = await journal.verify()
      expect(report.problems).toEqual([])
      expect(report).toMatchObject({ ok: true, purged: 5, transactions: before.length + 1 })
      expect(Buffer.from(await journal.readAt('other.txt', 1)).toString()).toBe('innocent\n')
      expect(Buffer.from(await journal.readAt('last.txt')).toString()).toBe('last\n')
      const after = await collect(journal.history())
      expect(after.map(({ chain }) => chain).slice(1)).toEqual(before.map(({ chain }) => chain))
      expect(after[0]).toMatchObject({ kind: 'purge', message: 'leaked', actor: 'keeper', tx: result.receipt?.tx })
      expect(after[0]?.entries).toMatchObject([{ op: 'purge', path: '.env', hashes: result.hashes }])
      const edits = after.flatMap(({ entries }) => entries.filter(({ op }) => op === 'edit' || op === 'patch'))
      expect(edits.map((entry) => [entry.path, 'edits' in entry && entry.edits !== null])).toEqual([
        ['.env', false],
        ['.env', false],
        ['other.txt', true],
      ])
    }
    expect(readFileSync(join(root, '.env'), 'utf8')).toBe('key=\n')
  })

  it('is said where a purged content is asked for', async () => {
    await leak()
    const { receipt } = await journal.purge('.env')
    for (const again of [false, true]) {
      if (again) await reopen()
      const details = { purgedBy: receipt?.seq }
      const read = await failure(() => journal.readAt('.env', 2))
      expect(read).toMatchObject({ code: 'NOT_FOUND', path: '.env', details })
      expect(read.message).toContain('was purged')
      expect(await failure(() => journal.undo(4))).toMatchObject({ code: 'NOT_FOUND', path: '.env', details })
      expect(await failure(() => journal.restore({ to: 2, paths: ['.env'] }))).toMatchObject({
        code: 'NOT_FOUND',
        path: '.env',
      })
      const to = join(root, `replayed-${again}`)
      expect(await failure(() => journal.replay({ to, at: 2 }))).toMatchObject({ code: 'NOT_FOUND', path: '.env' })
      expect((await collect(journal.diff({ tx: 4 })))[0]?.patch).toContain('purged')
      const exported = await collect(journal.export())
      expect(exported.find(({ seq }) => seq === 2)).toMatchObject({ contents: [{ purged: true }] })
      expect(JSON.stringify(exported)).not.toContain(SECRET)
    }
    expect(await failure(() => journal.undo(receipt?.tx ?? ''))).toMatchObject({ code: 'INVALID' })
  })

  it('covers all five places: log, blobs, staging, what repairs kept, and the files of the index', async () => {
    await leak()
    // All that the index can be made to say, on disk.
    await collect(journal.diff({ from: 0, to: 'head' }))
    await journal.stats()
    writeFileSync(join(directory(), 'broken/torn-1'), SECRET)
    writeFileSync(join(directory(), 'staging/t000000000000000.0'), SECRET)
    await reopen()
    await journal.stats()
    const places = () => [
      ...new Set(filesWith(directory(), SECRET).map((file) => file.slice(root.length).split('/')[2])),
    ]
    // The index never holds contents or words, so there is nothing that LevelDB could keep of them until it compacts.
    expect(places().sort()).toEqual(['blobs', 'broken', 'log'])
    writeFileSync(join(directory(), 'staging/t000000000000000.0'), SECRET)
    expect(places().sort()).toEqual(['blobs', 'broken', 'log', 'staging'])
    await journal.purge('.env')
    expect(places()).toEqual([])
    await reopen()
    await journal.stats()
    expect(places()).toEqual([])
  })

  it('erases what retention carried over, and is not forgotten when its own transaction is dropped', async () => {
    await journal.close()
    journal = await openJournal(root, { segmentSize: 16 * 1024 })
    await journal.write('.env', `key=${SECRET}\n`)
    await journal.write('other.txt', 'innocent\n')
    for (let n = 0; n < 6; n += 1) await journal.write('filler', `${n}`.repeat(3500))
    expect((await journal.compact({ keepTransactions: 1 })).horizon).toBeGreaterThan(2)
    expect(filesWith(directory(), SECRET)).toHaveLength(1)
    const { receipt, hashes } = await journal.purge('.env')
    expect(hashes).toHaveLength(1)
    expect(filesWith(directory(), SECRET)).toEqual([])
    for (let n = 0; n < 6; n += 1) await journal.write('filler', `again ${n}`.repeat(480))
    const { horizon } = await journal.compact({ keepTransactions: 1 })
    expect(horizon).toBeGreaterThan(receipt?.seq ?? 0)
    for (const again of [false, true]) {
      if (again) await reopen()
      expect(await journal.verify()).toMatchObject({ ok: true, problems: [], purged: 1 })
      const read = await failure(() => journal.readAt('.env'))
      expect(read).toMatchObject({ code: 'NOT_FOUND', details: { purgedBy: receipt?.seq } })
      expect(Buffer.from(await journal.readAt('other.txt')).toString()).toBe('innocent\n')
    }
    expect((await journal.purge('.env')).hashes).toEqual([])
  })

  it('lets writing go on, and a content that comes back is kept again', async () => {
    await leak()
    await journal.purge('.env')
    for (const again of [false, true]) {
      if (again) await reopen()
      await journal.write(`again-${again}`, `key=${SECRET}\n`)
      await journal.write(`large-${again}`, LARGE)
      expect(Buffer.from(await journal.readAt(`again-${again}`)).toString()).toBe(`key=${SECRET}\n`)
      expect(Buffer.from(await journal.readAt('.env', 6)).toString()).toBe(LARGE)
    }
    expect((await journal.verify()).problems).toEqual([])
    await journal.purge(['.env', 'again-true', 'again-false', 'large-true', 'large-false'])
    expect(filesWith(directory(), SECRET)).toEqual([])
    expect((await journal.verify()).problems).toEqual([])
  })

  it('keeps a content that another path has too, and reports it, unless both are given', async () => {
    await journal.write('a/key', SECRET)
    await journal.rename('a/key', 'b')
    const first = await journal.purge('a')
    expect(first).toMatchObject({ hashes: [], receipt: null, kept: [{ path: 'b' }] })
    expect(Buffer.from(await journal.readAt('a/key', 1)).toString()).toBe(SECRET)
    const both = await journal.purge(['a', 'b'])
    expect(both).toMatchObject({ kept: [], current: ['b'] })
    expect(both.hashes).toHaveLength(1)
    expect(filesWith(directory(), SECRET)).toEqual([])
    expect((await journal.purge(['a', 'b'])).receipt).toBe(null)
  })

  it('refuses a path that the history does not name, and the whole workspace', async () => {
    await journal.write('a', 'a')
    expect(await failure(() => journal.purge('nothing'))).toMatchObject({ code: 'NOT_FOUND', path: 'nothing' })
    expect(await failure(() => journal.purge('.'))).toMatchObject({ code: 'INVALID' })
    expect(journal.head.seq).toBe(1)
  })

  it('takes what a repair cut off with it, and leaves open transactions their contents', async () => {
    await leak()
    writeFileSync(join(directory(), 'broken/torn-1'), SECRET)
    writeFileSync(join(directory(), 'staging/t000000000000000.0'), SECRET)
    const open = journal.begin()
    await open.write('new', LARGE.replace(SECRET, 'harmless'))
    await journal.purge('.env')
    expect(filesWith(directory(), SECRET)).toEqual([])
    await open.commit()
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
  })

  it('stands still while transactions commit, and loses none of them', async () => {
    await leak()
    const writes = Array.from({ length: 40 }, (_, n) => journal.write(`${n}`, n % 2 === 0 ? `${n}` : `key=${SECRET}\n`))
    const purged = journal.purge('.env')
    const more = Array.from({ length: 40 }, (_, n) => journal.write(`m${n}`, n % 2 === 0 ? `${n}` : `key=${SECRET}\n`))
    await Promise.all([...writes, purged, ...more])
    expect((await journal.verify()).problems).toEqual([])
    for (let n = 0; n < 40; n += 1) await journal.readAt(`m${n}`)
  })
})

describe('compact', () => {
  it('removes a blob of no transaction, leftovers and reserved space, and nothing else', async () => {
    await leak()
    await reopen()
    const name = 'ab'.repeat(32)
    const folder = join(directory(), 'blobs/ab')
    await import('node:fs').then((fs) => fs.mkdirSync(folder, { recursive: true }))
    writeFileSync(join(folder, name.slice(2)), 'orphan')
    writeFileSync(join(directory(), 'staging/t000000000000000.0'), 'left')
    writeFileSync(join(directory(), 'broken/torn-1'), 'cut off')
    const result = await journal.compact()
    expect(result).toMatchObject({ blobsRemoved: 1, filesRemoved: 1 })
    expect(result.bytesFreed).toBeGreaterThan('orphanleft'.length)
    utimesSync(join(directory(), 'broken/torn-1'), 1, 1)
    expect(await journal.compact({ brokenDays: 0 })).toMatchObject({ blobsRemoved: 0, filesRemoved: 1, bytesFreed: 7 })
    expect(await journal.verify()).toMatchObject({ ok: true, blobs: 1, orphans: 0, tornBytes: 0 })
    expect(Buffer.from(await journal.readAt('.env', 6)).toString()).toBe(LARGE)
    await journal.write('after', 'after')
    await reopen()
    expect((await journal.verify()).problems).toEqual([])
  })
})

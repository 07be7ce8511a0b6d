import { beforeEach, expect, test } from 'vitest'
import { type IndexDatabase, openMemory } from '../../src/history/index-database.ts'
import { offsetOf } from '../../src/log/position.ts'
import { collect, failure, openOn, ROOT } from '../journal/fixture.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { bytesOf, files, JOURNAL, SEGMENT, segmentName } from './built.ts'
import { framesOf } from './damages.ts'

let disk: SimDisk
beforeEach(() => {
  disk = SimDisk.create()
  disk.mkdirp(ROOT)
})

function cut(bad: SimDisk, at: number): void {
  bad.writeFile(`${JOURNAL}/${segmentName(1)}`, bytesOf(bad, segmentName(1)).subarray(0, at))
}

/** A database that outlives its closing, as one on a disk does. */
function lasting(): () => Promise<IndexDatabase> {
  const database = openMemory()
  return async () => {
    const opened = await database
    await opened.open()
    return opened
  }
}

// Only a writer and `verify` compared the end of the log with CHECKPOINT. A reader, and with it `journal log`, gave out the shorter history.
test('a reader says when the log ends before the checkpoint that CHECKPOINT names', async () => {
  const journal = await openOn(disk)
  for (const text of ['one', 'two', 'three']) await journal.write('a.txt', text)
  await journal.close()
  const commits = framesOf(disk).filter(({ kind }) => kind === 'commit')
  cut(disk, offsetOf(commits[2]?.position ?? 0))
  const reader = await openOn(disk, { readOnly: true })
  expect(await failure(() => collect(reader.history()))).toMatchObject({ code: 'CORRUPT' })
  expect((await reader.verify()).problems).toMatchObject([{ kind: 'lost' }])
  await reader.close()
})

// A log put back from a backup and written on was long enough for CHECKPOINT, and nobody looked at what stands there.
test('a log that was replaced by an older copy and written on is noticed by the checkpoint that it does not have', async () => {
  const journal = await openOn(disk)
  await journal.write('a.txt', 'one')
  await journal.close()
  const older = disk.crash('process')
  const again = await openOn(disk)
  await again.write('a.txt', 'two')
  await again.close()
  const other = await openOn(older)
  for (let n = 0; n < 9; n += 1) await other.write('b.txt', `${n}`)
  await other.close()
  disk.writeFile(`${JOURNAL}/${segmentName(1)}`, bytesOf(older, segmentName(1)))
  expect(await failure(() => openOn(disk))).toMatchObject({ code: 'CORRUPT' })
  const reader = await openOn(disk, { readOnly: true })
  expect(await reader.verify()).toMatchObject({ ok: false, problems: [{ kind: 'lost' }] })
  await reader.close()
})

// Errors of the file system left the library as they were, without a code of ours and without a hint.
test.each(['a folder', 'a link', 'unreadable'])(
  'a blob that is %s is a typed error, and verify goes on',
  async (what) => {
    const journal = await openOn(disk, { segmentSize: SEGMENT })
    await journal.write('big', new Uint8Array(4000).fill(7))
    await journal.close()
    const blob = `${JOURNAL}/${files(disk).find((name) => name.startsWith('blobs/'))}`
    if (what === 'unreadable') disk.chmod(blob, 0)
    else disk.unlink(blob)
    if (what === 'a folder') disk.mkdirp(blob)
    if (what === 'a link') disk.writeLink(blob, 'nowhere')
    const reader = await openOn(disk, { readOnly: true })
    const error = await failure(() => reader.readAt('big'))
    expect(error.code).toBe(what === 'unreadable' ? 'PERMISSION' : 'CORRUPT')
    expect(await reader.verify()).toMatchObject({ ok: false, problems: [{ kind: 'content', path: 'big' }] })
    await reader.close()
  },
)

test.each(['log', 'log/000000000001.wal', 'blobs', 'CHECKPOINT'])(
  '%s without permissions is a typed error, or none',
  async (name) => {
    const journal = await openOn(disk)
    await journal.write('a.txt', 'one')
    await journal.close()
    disk.chmod(`${JOURNAL}/${name}`, 0)
    const reader = await openOn(disk, { readOnly: true })
    if (name === 'CHECKPOINT') expect(await collect(reader.history())).toHaveLength(1)
    else expect(await failure(() => reader.readAt('a.txt'))).toMatchObject({ code: 'PERMISSION' })
    await reader.close()
  },
)

test('the index knows of transactions that a killed writer had made durable and somebody cut off', async () => {
  const openDatabase = lasting()
  const journal = await openOn(disk, { openDatabase })
  for (const text of ['one', 'two', 'three']) await journal.write('a.txt', text)
  expect(await collect(journal.history())).toHaveLength(3)
  const killed = disk.crash('process')
  const commits = framesOf(killed).filter(({ kind }) => kind === 'commit')
  cut(killed, offsetOf(commits[1]?.position ?? 0))
  const tree = killed.tree(ROOT)
  const lost = { code: 'CORRUPT', details: { lost: { from: 2, to: 3 } } }
  expect(await failure(() => openOn(killed, { openDatabase }))).toMatchObject(lost)
  expect(killed.tree(ROOT)).toEqual(tree)
  for (let look = 0; look < 2; look += 1) {
    const reader = await openOn(killed, { readOnly: true, openDatabase })
    expect(await failure(() => collect(reader.history()))).toMatchObject(lost)
    await reader.close()
  }
  // The index may be deleted at any time: then nothing knows.
  const writer = await openOn(killed)
  expect((await collect(writer.history({ order: 'oldest' }))).map(({ kind }) => kind)).toEqual(['write', 'recovery'])
  await writer.close()
})

test('a journal that was put back whole from an older copy: status and verify name the files that it does not know', async () => {
  const journal = await openOn(disk)
  await journal.write('a.txt', 'one')
  await journal.write('b.txt', 'one')
  await journal.close()
  const older = disk.crash('process')
  const again = await openOn(disk)
  const { chain } = await again.write('a.txt', 'two')
  await again.close()
  for (const name of files(disk)) {
    if (older.exists(`${JOURNAL}/${name}`)) disk.writeFile(`${JOURNAL}/${name}`, bytesOf(older, name))
    else disk.unlink(`${JOURNAL}/${name}`)
  }
  const reader = await openOn(disk, { readOnly: true })
  const changed = [{ path: 'a.txt', change: 'modified' }]
  expect(await reader.status()).toMatchObject({ changed })
  expect(await reader.verify({ workspace: true })).toMatchObject({ ok: true, changed })
  expect(await reader.verify({ head: chain })).toMatchObject({ ok: false, problems: [{ kind: 'head' }] })
  await reader.close()
})

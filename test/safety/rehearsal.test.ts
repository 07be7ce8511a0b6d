import { describe, expect, test } from 'vitest'
import type { Journal, SafetyReport, Transaction } from '../../src/index.ts'
import { newDisk as diskOf, failure, openOn } from '../journal/fixture.ts'

/** A disk of whoever runs the tests. */
const newDisk = () => diskOf({ uid: process.geteuid?.() ?? 1000, gid: process.getegid?.() ?? 1000 })

const WHOLE = { reasons: [], score: 1 }

function checkNamed(report: SafetyReport, name: string) {
  const found = report.checks.find((check) => check.name === name)
  if (found === undefined) throw new Error(`there is no check ${name}`)
  return found
}

/** Checks, and makes sure that nothing at all is different for it. */
async function unchanged(
  disk: ReturnType<typeof newDisk>,
  journal: Journal,
  run: (tx: Transaction) => unknown,
  options = {},
): Promise<SafetyReport> {
  const before = JSON.stringify([...disk.tree('/')])
  const report = await journal.check(run, options)
  expect(JSON.stringify([...disk.tree('/')])).toBe(before)
  return report
}

describe('a check of what a transaction would do', () => {
  test('scores 1 where nothing speaks against it, and writes nothing', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a.json', '{}\n')
    const report = await unchanged(disk, journal, async (tx) => {
      await tx.write('new/b.md', '# B\n')
      await tx.edit('a.json', [{ oldText: '{}', newText: '[]' }])
      expect(Buffer.from(await tx.read('a.json')).toString()).toBe('[]\n')
      await tx.write('large.bin', new Uint8Array(3_000_000))
    })
    expect(report).toMatchObject({ ok: true, score: 1, paths: 4, bytes: 3_000_007 })
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...['path', 'permission', 'space', 'lock', 'encoding', 'syntax', 'dependencies'],
    ])
    expect(await unchanged(disk, journal, () => undefined)).toMatchObject({ ok: true, score: 1, paths: 0 })
    await journal.close()
  })

  test('what a commit would go through with, and is no good, lowers the score and says why', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a.txt', 'one\r\ntwo\r\n')
    await journal.write('b.txt', '\ufeffone\n')
    const report = await unchanged(disk, journal, async (tx) => {
      await tx.write('a.txt', 'one\ntwo')
      await tx.write('b.txt', Buffer.from('on\xe9\n', 'latin1'))
      await tx.write('c.json', '{')
      await tx.write('d.md', '[x](y)\n')
      await tx.write('e.txt', 'fine\n')
    })
    expect(report.ok).toBe(true)
    expect(checkNamed(report, 'path')).toMatchObject(WHOLE)
    expect(checkNamed(report, 'encoding').reasons.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'a.txt: its lines ended with CRLF, and would with LF',
      'a.txt: its last newline would be lost',
    ])
    expect(checkNamed(report, 'encoding').score).toBe(0.8)
    expect(checkNamed(report, 'syntax')).toMatchObject({
      score: 0.8,
      reasons: [{ path: 'c.json', line: 1, column: 2, refuses: false }],
    })
    expect(checkNamed(report, 'dependencies')).toMatchObject({
      score: 0.8,
      reasons: [{ path: 'd.md', line: 1, column: 5 }],
    })
    expect(report.score).toBe(0.94)
    await journal.close()
  })

  test('what validation would refuse is told from what it would let pass', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { validation: 'basic' })
    const run = async (tx: Transaction): Promise<void> => tx.write('a.md', '[x](y)\n')
    expect(await unchanged(disk, journal, run)).toMatchObject({ ok: true, score: 0.9 })
    expect(await unchanged(disk, journal, run, { validation: 'strict' })).toMatchObject({ ok: false, score: 0 })
    const json = async (tx: Transaction): Promise<void> => tx.write('a.json', '{')
    expect(await unchanged(disk, journal, json)).toMatchObject({ ok: false, score: 0 })
    expect(await unchanged(disk, journal, json, { validation: 'off' })).toMatchObject({ ok: true, score: 0.9 })
    const typed = await openOn(newDisk(), { validation: { types: { json: 'strict' } } })
    expect(await typed.check(json, { validation: 'off' })).toMatchObject({ ok: true, score: 0.9 })
    await typed.close()
    expect((await failure(() => journal.check(json, { validation: 'x' as 'off' }))).code).toBe('INVALID')
    expect((await failure(() => journal.check(json.name as unknown as typeof json))).message).toContain(
      'run must be a function',
    )
    await journal.close()
  })

  test('operations that fail are part of the report, and the others are looked at all the same', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const report = await unchanged(disk, journal, async (tx) => {
      const errors: unknown[] = []
      const attempt = (operation: Promise<void>): Promise<unknown> => operation.catch((error) => errors.push(error))
      await attempt(tx.write('../out', ''))
      await attempt(tx.write('.journal/x', ''))
      await attempt(tx.remove('nothing'))
      await attempt(tx.write('a.json', '{'))
      throw new AggregateError(errors)
    })
    expect(report).toMatchObject({ ok: false, score: 0, paths: 1 })
    expect(checkNamed(report, 'path')).toMatchObject({ score: 0.25 })
    expect(checkNamed(report, 'path').reasons.map(({ details }) => details?.code)).toEqual([
      'PATH_OUTSIDE',
      'PATH_OUTSIDE',
      'NOT_FOUND',
    ])
    expect(checkNamed(report, 'syntax').reasons).toHaveLength(1)
    const one = await unchanged(disk, journal, () => {
      throw new TypeError('mine')
    })
    expect(checkNamed(one, 'path').reasons[0]?.message).toContain('mine')
    await journal.close()
  })

  test('who is in the way: another transaction, the writer of another process', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a.txt', 'a')
    const other = journal.begin({ actor: 'other' })
    await other.lock(['a.txt'])
    const run = async (tx: Transaction): Promise<void> => tx.write('a.txt', 'b')
    const held = await unchanged(disk, journal, run)
    expect(held.ok).toBe(false)
    expect(checkNamed(held, 'lock')).toMatchObject({
      score: 0,
      reasons: [{ refuses: true, details: { holder: { actor: 'other' } } }],
    })
    await other.abort()
    expect((await unchanged(disk, journal, run)).ok).toBe(true)
    const reader = await openOn(disk, { readOnly: true })
    const beside = await unchanged(disk, reader, run)
    expect(checkNamed(beside, 'lock').reasons[0]?.message).toMatch(/is writing through the journal/)
    await journal.close()
    expect(await unchanged(disk, reader, run)).toMatchObject({ ok: true, paths: 1 })
    // It can be committed afterwards: nothing is left held.
    await reader.close()
    const again = await openOn(disk)
    await again.check(run)
    await again.transact(run)
    await again.close()
    expect((await failure(() => again.check(run))).code).toBe('CLOSED')
  })

  test.skipIf(process.geteuid === undefined)(
    'folders in which names cannot be changed, and files that cannot be read',
    async () => {
      const disk = newDisk()
      const journal = await openOn(disk)
      await journal.write('locked/a.txt', 'a')
      await journal.write('b.txt', 'b')
      disk.chmod('/ws/locked', 0o555)
      const report = await unchanged(disk, journal, async (tx) => {
        await tx.write('locked/new/c.txt', 'c')
        await tx.remove('locked/a.txt')
        await tx.write('b.txt', 'c')
      })
      expect(report.ok).toBe(false)
      expect(checkNamed(report, 'permission').reasons.map(({ path }) => path)).toEqual([
        ...['locked/new', 'locked/new/c.txt', 'locked/a.txt'],
      ])
      await journal.close()
    },
  )

  test('a disk that is too full', async () => {
    const disk = diskOf({ superuser: true, capacity: 8_000_000 })
    const journal = await openOn(disk, { segmentSize: 65_536 })
    const report = await unchanged(disk, journal, (tx) => tx.write('a.bin', new Uint8Array(7_000_000)))
    expect(report.ok).toBe(false)
    expect(checkNamed(report, 'space')).toMatchObject({
      score: 0,
      reasons: [{ refuses: true, details: { needed: 14_000_000 } }],
    })
    await journal.close()
  })

  test('a validator that fails is a reason, not the end of the check', async () => {
    const disk = newDisk()
    const check = (): never => {
      throw new Error('oops')
    }
    const journal = await openOn(disk, { validation: { validators: [{ name: 'odd', files: '*', check }] } })
    const report = await unchanged(disk, journal, (tx) => tx.write('a.txt', ''))
    expect(report.ok).toBe(false)
    expect(checkNamed(report, 'syntax').reasons[0]?.message).toContain('oops')
    await journal.close()
  })
})

describe('files as they are', () => {
  test('those named, and those in folders, but not what is installed or the journal’s', async () => {
    const disk = newDisk()
    for (const folder of ['/ws/a', '/ws/node_modules/x', '/ws/.git']) disk.mkdirp(folder)
    for (const name of ['a/x.json', 'a/y.json', 'z.json', 'node_modules/x/p.json', '.git/q.json'])
      disk.writeFile(`/ws/${name}`, '{')
    disk.writeFile('/ws/a/y.json', '{}')
    disk.writeLink('/ws/loop', '/ws')
    const journal = await openOn(disk, { validation: { exclude: ['z.*'] } })
    const paths = async (...given: string[]): Promise<string[]> =>
      (await journal.validate(...(given.length === 0 ? [] : [given]))).issues.map(({ path }) => path)
    expect(await paths()).toEqual(['a/x.json'])
    expect(await paths('a/y.json')).toEqual([])
    expect(await paths('a', 'a/x.json', '/ws/a')).toEqual(['a/x.json'])
    expect(await paths('node_modules')).toEqual(['node_modules/x/p.json'])
    expect((await journal.validate(['a'])).checked).toBe(2)
    for (const name of ['none', '.journal', '../etc', '.journal/FORMAT'])
      expect((await failure(() => journal.validate([name]))).code, name).toBe('NOT_FOUND')
    disk.writeFile('/ws/b.md', '[x](nowhere)')
    expect((await journal.validate(['b.md'])).issues).toEqual([])
    expect((await journal.validate(['b.md'], { validation: 'strict' })).issues).toHaveLength(1)
    await journal.close()
  })
})

describe('whether what was meant is what is there', () => {
  test('of files, folders, links, what was moved and removed', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('old', 'o')
    await journal.write('gone', 'g')
    const { tx } = await journal.transact(async (draft) => {
      await draft.write('a', '1')
      await draft.mkdir('d')
      await draft.symlink('l', 'a')
      await draft.rename('old', 'new')
      await draft.remove('gone')
    })
    expect(await journal.confirm(tx)).toEqual({ ok: true, tx, paths: 6, differing: [] })
    const { ino } = disk.lstat('/ws/a') as { ino: bigint }
    disk.writeFile('/ws/a', '2')
    expect((disk.lstat('/ws/a') as { ino: bigint }).ino).toBe(ino)
    disk.removeFile('/ws/l')
    disk.writeLink('/ws/l', 'b')
    disk.writeFile('/ws/gone', 'back')
    disk.removeFile('/ws/new')
    const report = await journal.confirm(tx)
    expect(report.ok).toBe(false)
    expect(report.differing.map(({ path }) => path).sort()).toEqual(['a', 'gone', 'l', 'new'])
    expect((await failure(() => journal.confirm(99))).code).toBe('NOT_FOUND')
    await journal.close()
  })
})

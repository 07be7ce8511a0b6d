import { describe, expect, it } from 'vitest'
import type { Journal, OpenOptions } from '../../src/index.ts'
import { failure, newDisk, openOn, ROOT, staged } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'

/** So small that a file of a few KiB is a large one. */
const SMALL = { segmentSize: 8 * 1024 } as const
const FILE = `${ROOT}/big`
const LINES = 20
const lineOf = (number: number, mark: string) => `${String(number).padStart(4, '0')} ${mark.padEnd(300, '.')}`
const textOf = (marks: Readonly<Record<number, string>> = {}) =>
  Array.from({ length: LINES }, (_, number) => `${lineOf(number, marks[number] ?? '')}\n`).join('')
const swap = (number: number, from: string, to: string) => ({
  oldText: lineOf(number, from),
  newText: lineOf(number, to),
})

/** Differs to its end from what it takes the place of. */
const LONG = 'long'.repeat(75)

/** A journal that has edited the file: from now on it changes it in place. */
async function hot(disk: SimDisk = newDisk(), options: OpenOptions = {}): Promise<{ disk: SimDisk; journal: Journal }> {
  const journal = await openOn(disk, { ...SMALL, ...options })
  await journal.write('big', textOf())
  await journal.edit('big', [swap(0, '', 'hot')])
  return { disk, journal }
}

async function checked(disk: SimDisk, journal: Journal, text: string): Promise<void> {
  expect(disk.readText(FILE) === text).toBe(true)
  expect(Buffer.from(await journal.readAt('big')).toString() === text).toBe(true)
  expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
  expect(await staged(disk)).toEqual([])
}

const inodeOf = (disk: SimDisk, path = FILE) => disk.lstat(path)?.ino

describe('a small change of a large file', () => {
  it('is made in place, by edits and additions, and each state stays in the history', async () => {
    const { disk, journal } = await hot()
    const ino = inodeOf(disk)
    await journal.edit('big', [swap(3, '', 'one'), swap(17, '', 'two')])
    await journal.append('big', 'added\n')
    await journal.edit('big', [swap(3, 'one', 'three')])
    expect(inodeOf(disk)).toBe(ino)
    await checked(disk, journal, `${textOf({ 0: 'hot', 3: 'three', 17: 'two' })}added\n`)
    const before = Buffer.from(await journal.readAt('big', 3)).toString()
    expect(before === textOf({ 0: 'hot', 3: 'one', 17: 'two' })).toBe(true)
    await journal.undo(3, { force: true })
    await journal.undo(6)
    expect(disk.readText(FILE) === `${textOf({ 0: 'hot', 3: 'three', 17: 'two' })}added\n`).toBe(true)
    await journal.close()
    const again = await openOn(disk, SMALL)
    expect(again.recovery).toMatchObject({ replayed: [], conflicts: [] })
    await again.close()
  })

  it('takes little of the journal', async () => {
    const { disk, journal } = await hot()
    const size = () =>
      [...disk.tree(`${ROOT}/.journal`, ['index', 'staging'])].filter(([path]) => path.startsWith('blobs/')).length
    const blobs = size()
    for (let count = 0; count < 20; count += 1) await journal.append('big', `${count}\n`)
    expect(size()).toBe(blobs)
    await journal.close()
  })

  it.each<[string, OpenOptions]>([
    ['is switched off', { limits: { inPlaceBytes: Number.POSITIVE_INFINITY } }],
    ['is for larger files', { limits: { inPlaceBytes: 1024 * 1024 } }],
    ['is an optimization, and those are off', { legacy: true }],
  ])('replaces the file where changing it in place %s', async (_, options) => {
    const { disk, journal } = await hot(newDisk(), options)
    const ino = inodeOf(disk)
    await journal.edit('big', [swap(3, '', 'one')])
    expect(inodeOf(disk)).not.toBe(ino)
    await checked(disk, journal, textOf({ 0: 'hot', 3: 'one' }))
    await journal.close()
  })

  it('replaces a file that has another name, which keeps what it had', async () => {
    const { disk, journal } = await hot()
    disk.link(FILE, `${ROOT}/other`)
    await journal.edit('big', [swap(3, '', 'one')])
    expect(disk.readText(`${ROOT}/other`) === textOf({ 0: 'hot' })).toBe(true)
    await checked(disk, journal, textOf({ 0: 'hot', 3: 'one' }))
    await journal.close()
  })

  it('replaces a file that gets other permissions in the same transaction, or that is edited twice in it', async () => {
    const { disk, journal } = await hot()
    await journal.transact(async (tx) => {
      await tx.edit('big', [swap(3, '', 'one')])
      await tx.chmod('big', 0o600)
    })
    expect(disk.lstat(FILE)?.mode).toBe(0o600)
    await journal.edit('big', [swap(4, '', 'again')])
    await journal.transact(async (tx) => {
      await tx.edit('big', [swap(3, 'one', 'two')])
      await tx.edit('big', [swap(3, 'two', 'three')])
      await tx.append('big', 'end\n')
    })
    await checked(disk, journal, `${textOf({ 0: 'hot', 3: 'three', 4: 'again' })}end\n`)
    await journal.close()
  })

  it('replaces a file with bits that the kernel takes from one that is written to', async () => {
    const { disk, journal } = await hot()
    await journal.chmod('big', 0o4755)
    await journal.edit('big', [swap(3, '', 'one')])
    const ino = inodeOf(disk)
    await journal.edit('big', [swap(3, 'one', 'two')])
    expect(inodeOf(disk)).not.toBe(ino)
    expect(disk.lstat(FILE)?.mode).toBe(0o4755)
    await journal.close()
  })

  it('is none when the edit changes nothing', async () => {
    const { disk, journal } = await hot()
    const ino = inodeOf(disk)
    await journal.edit('big', [swap(3, '', '')])
    await journal.edit('big', [swap(4, '', 'one')])
    expect(inodeOf(disk)).toBe(ino)
    await checked(disk, journal, textOf({ 0: 'hot', 4: 'one' }))
    await journal.close()
  })

  it('replaces a file in which bytes move, and changes it in place again after that', async () => {
    const { disk, journal } = await hot()
    let text = textOf({ 0: 'hot' })
    const edits = [
      { oldText: lineOf(3, ''), newText: 'shorter' },
      { oldText: lineOf(9, ''), newText: `${lineOf(9, '')} and longer` },
      { oldText: 'shorter\n', newText: '' },
    ]
    for (const edit of edits) {
      const ino = inodeOf(disk)
      await journal.edit('big', [edit])
      text = text.replace(edit.oldText, edit.newText)
      expect(inodeOf(disk)).not.toBe(ino)
      await checked(disk, journal, text)
    }
    const ino = inodeOf(disk)
    await journal.edit('big', [swap(12, '', 'one')])
    text = text.replace(lineOf(12, ''), lineOf(12, 'one'))
    expect(inodeOf(disk)).toBe(ino)
    await checked(disk, journal, text)
    await journal.undo(4, { force: true })
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
    await journal.close()
  })

  it('keeps two files with the same content apart', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, SMALL)
    await journal.write('big', textOf())
    await journal.write('twin', textOf())
    await journal.edit('big', [swap(0, '', 'hot')])
    await journal.edit('twin', [swap(0, '', 'hot')])
    const first = journal.begin()
    const second = journal.begin()
    await first.edit('big', [swap(1, '', 'one')])
    await second.edit('twin', [swap(2, '', 'two')])
    await Promise.all([first.commit(), second.commit()])
    await journal.edit('big', [swap(3, '', 'more')])
    await journal.edit('twin', [swap(3, '', 'more')])
    await checked(disk, journal, textOf({ 0: 'hot', 1: 'one', 3: 'more' }))
    expect(disk.readText(`${ROOT}/twin`) === textOf({ 0: 'hot', 2: 'two', 3: 'more' })).toBe(true)
    await journal.close()
  })

  it('is worked out anew when another transaction changed the file first', async () => {
    const { disk, journal } = await hot()
    const ino = inodeOf(disk)
    const transactions = [1, 2, 3, 4].map(async (number) => {
      const tx = journal.begin()
      await tx.edit('big', [swap(number, '', `by ${number}`)])
      await tx.append('big', `${number}\n`).catch(() => undefined)
      return tx.commit()
    })
    await Promise.all(transactions)
    await Promise.all([5, 6, 7].map((number) => journal.edit('big', [swap(number, '', `by ${number}`)])))
    const text = disk.readText(FILE)
    for (const number of [1, 2, 3, 4, 5, 6, 7]) expect(text).toContain(lineOf(number, `by ${number}`))
    await checked(disk, journal, text)
    expect(ino).toBeDefined()
    await journal.close()
  })

  it('finds no text that is not there any more, and refuses as ever', async () => {
    const { disk, journal } = await hot()
    const { details } = await failure(() => journal.edit('big', [swap(3, 'nothing like it', 'one')]))
    expect(details).toMatchObject({ count: 0 })
    const { message } = await failure(() => journal.edit('big', [{ oldText: '....', newText: 'x' }]))
    expect(message).toContain('times in big')
    await checked(disk, journal, textOf({ 0: 'hot' }))
    await journal.close()
  })
})

describe('an edit by somebody', () => {
  const scribble = (disk: SimDisk, at: number, text: string) => {
    const handle = disk.open(FILE, 'write')
    disk.write(handle, Buffer.from(text), at)
    disk.close(handle)
  }

  it.each([0, 5, 100, 5000])('is kept where it is written over, %i ms after the journal wrote', async (laterMs) => {
    const disk = newDisk({ granularityUs: 4000, tickUs: 0 })
    const { journal } = await hot(disk)
    await journal.edit('big', [swap(3, '', 'one')])
    const conflicts: string[] = []
    journal.on('conflict', ({ path }) => conflicts.push(path))
    const at = textOf().indexOf('0003') + 5
    scribble(disk, at, 'ONE')
    disk.setTime(disk.now() + laterMs)
    const done = await journal.edit('big', [swap(3, 'one', 'two')]).then(
      () => true,
      () => false,
    )
    const text = disk.readText(FILE)
    if (done) {
      // Its times did not show it: it was found when the file came to be changed.
      expect(text === textOf({ 0: 'hot', 3: 'two' })).toBe(true)
      expect(conflicts).toEqual(['big'])
      const kept: string[] = []
      for await (const { entries } of journal.history())
        for (const { op, before } of entries) if (op === 'preserve' && before?.kind === 'file') kept.push(before.hash)
      expect(kept).toHaveLength(1)
    } else expect(text === textOf({ 0: 'hot', 3: 'ONE' })).toBe(true)
    expect(await journal.verify()).toMatchObject({ ok: true })
    await journal.close()
  })

  it('elsewhere in the file is never written over', async () => {
    for (const laterMs of [0, 5, 100, 5000]) {
      const disk = newDisk({ granularityUs: 4000, tickUs: 0 })
      const { journal } = await hot(disk)
      await journal.edit('big', [swap(3, '', 'one')])
      scribble(disk, textOf().indexOf('0009'), 'MINE')
      disk.setTime(disk.now() + laterMs)
      await journal.edit('big', [swap(3, 'one', 'two')])
      expect(disk.readText(FILE) === textOf({ 0: 'hot', 3: 'two' }).replace('0009', 'MINE'), `${laterMs} ms`).toBe(true)
      await journal.close()
    }
  })

  it.each<[string, (disk: SimDisk) => void]>([
    [
      'truncates it',
      (disk) => {
        const handle = disk.open(FILE, 'write')
        disk.truncate(handle, 3000)
        disk.close(handle)
      },
    ],
    [
      'replaces it',
      (disk) => {
        disk.writeFile(`${ROOT}/new`, textOf({ 0: 'hot', 5: 'mine' }))
        disk.rename(`${ROOT}/new`, FILE)
      },
    ],
    ['appends to it', (disk) => scribble(disk, textOf().length, 'mine\n')],
    ['removes it', (disk) => disk.unlink(FILE)],
  ])('that %s between the look and the write is kept', async (_, act) => {
    const { disk, journal } = await hot()
    await journal.edit('big', [swap(3, '', 'one')])
    const tx = journal.begin()
    await tx.edit('big', [swap(3, 'one', 'two')])
    let done = false
    let opened = false
    disk.faults.before = ({ kind, path }) => {
      // The log is being written: the look is over.
      if (done || kind !== 'write' || path?.includes('/log/') !== true) return
      opened = true
      done = true
      disk.faults.before = null
      act(disk)
    }
    const left = () => (disk.exists(FILE) ? disk.readText(FILE) : null)
    await tx.commit().catch(() => undefined)
    expect(opened).toBe(true)
    const mine = newDisk()
    mine.writeFile(FILE, textOf({ 0: 'hot', 3: 'one' }))
    const kept = JSON.stringify(await journal.verify())
    expect(kept).toContain('"ok":true')
    // Theirs is in the workspace still, or in the history.
    const preserved: string[] = []
    for await (const { entries } of journal.history())
      for (const { op } of entries) if (op === 'preserve') preserved.push(op)
    const gone = left() === textOf({ 0: 'hot', 3: 'two' })
    if (gone && !_.startsWith('removes')) expect(preserved).toHaveLength(1)
    await journal.close()
  })
})

describe('a change that cannot be finished', () => {
  it('leaves the file as it was, whichever of its writes fails', async () => {
    for (let at = 1; at <= 3; at += 1) {
      const { disk, journal } = await hot()
      await journal.edit('big', [swap(3, '', 'one')])
      let count = 0
      disk.faults.before = ({ kind, path }) => {
        if (kind !== 'write' || disk.withoutPins(path ?? '') !== FILE) return
        count += 1
        if (count === at) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC', syscall: 'write' })
      }
      const edits = [swap(3, 'one', 'two'), swap(8, '', 'two'), swap(17, '', 'two')]
      expect(await failure(() => journal.edit('big', edits))).toMatchObject({ code: 'NO_SPACE' })
      expect(count).toBeGreaterThanOrEqual(at)
      disk.faults.before = null
      expect(disk.readText(FILE) === textOf({ 0: 'hot', 3: 'one' }), `write ${at}`).toBe(true)
      await journal.edit('big', [swap(3, 'one', 'three')])
      await checked(disk, journal, textOf({ 0: 'hot', 3: 'three' }))
      await journal.close()
    }
  })

  it('leaves no part of an addition', async () => {
    const { disk, journal } = await hot(newDisk({ shortWrites: 1 }))
    await journal.edit('big', [swap(3, '', 'one')])
    let count = 0
    disk.faults.before = ({ kind, path }) => {
      if (kind !== 'write' || disk.withoutPins(path ?? '') !== FILE) return
      count += 1
      if (count === 2) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC', syscall: 'write' })
    }
    expect(await failure(() => journal.append('big', 'added '.repeat(100)))).toMatchObject({ code: 'NO_SPACE' })
    expect(count).toBe(2)
    disk.faults.before = null
    await checked(disk, journal, textOf({ 0: 'hot', 3: 'one' }))
    await journal.close()
  })

  it('poisons the journal when it cannot be taken back, and the next opening finishes it', async () => {
    const { disk, journal } = await hot()
    await journal.edit('big', [swap(3, '', 'one')])
    let count = 0
    disk.faults.before = ({ kind, path }) => {
      if (kind !== 'write' || disk.withoutPins(path ?? '') !== FILE) return
      count += 1
      if (count > 1) throw Object.assign(new Error('EIO: broken'), { code: 'EIO', syscall: 'write' })
    }
    const failed = await failure(() => journal.edit('big', [swap(3, 'one', 'two'), swap(8, '', 'two')]))
    expect(failed).toMatchObject({ code: 'POISONED' })
    disk.faults.before = null
    expect(disk.readText(FILE) === textOf({ 0: 'hot', 3: 'two' })).toBe(true)
    await journal.close()
    const again = await openOn(disk, SMALL)
    expect(again.recovery.conflicts).toEqual([])
    await checked(disk, again, textOf({ 0: 'hot', 3: 'two', 8: 'two' }))
    await again.close()
  })
})

describe('a crash', () => {
  it.each(['replay', 'revert'] as const)('between two writes leaves one or the other, by %s', async (recover) => {
    const { disk, journal } = await hot()
    await journal.edit('big', [swap(3, '', 'one')])
    let count = 0
    disk.faults.before = ({ kind, path }) => {
      if (kind === 'write' && disk.withoutPins(path ?? '') === FILE) count += 1
      if (count === 2) disk.faults.crashAt(0)
    }
    await journal.edit('big', [swap(3, 'one', 'two'), swap(8, '', LONG)]).catch(() => undefined)
    const left = disk.crash('process')
    // The second write was under way: a part of it was done.
    const found = left.readText(FILE)
    expect(found).toContain(lineOf(3, 'two'))
    expect(found).not.toContain(`${lineOf(8, LONG)}\n`)
    const again = await openOn(left, { ...SMALL, recover })
    expect(again.recovery.conflicts).toEqual([])
    expect(again.recovery[recover === 'replay' ? 'replayed' : 'reverted']).toHaveLength(1)
    const expected = recover === 'replay' ? { 0: 'hot', 3: 'two', 8: LONG } : { 0: 'hot', 3: 'one' }
    await checked(left, again, textOf(expected))
    await again.close()
  })

  it('of the power in the middle of many is recovered from, whatever of them reached the disk', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { disk, journal } = await hot()
      const marks: Record<number, string> = { 0: 'hot' }
      for (let count = 0; count < 12; count += 1) {
        const number = (seed * 7 + count * 5) % LINES
        await journal.edit('big', [swap(number, marks[number] ?? '', `mark ${count}`)])
        marks[number] = `mark ${count}`
        if (count === 4 && seed % 2 === 0) await journal.checkpoint()
      }
      const left = disk.crash(seed % 3 === 0 ? 'ordered' : 'any', { seed })
      const again = await openOn(left, SMALL)
      expect(again.recovery.conflicts, `seed ${seed}`).toEqual([])
      await checked(left, again, textOf(marks))
      await again.close()
    }
  })
})

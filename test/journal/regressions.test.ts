import { describe, expect, it } from 'vitest'
import { isJournalName } from '../../src/entry/path.ts'
import type { Journal } from '../../src/index.ts'
import { differences } from '../sim/tree.ts'
import { collect, failure, newDisk, openOn, ROOT, staged, workspace } from './fixture.ts'

const MIB = 1024 * 1024
const big = (fill: string, size = 2 * MIB): Uint8Array => Buffer.alloc(size, fill)

describe('faults that were found by reading', () => {
  it('moving files between more than 64 folders', async () => {
    const disk = newDisk()
    for (let i = 0; i < 80; i += 1) {
      disk.mkdirp(`${ROOT}/from${i}`)
      disk.mkdirp(`${ROOT}/to${i}`)
      disk.writeFile(`${ROOT}/from${i}/f`, `content ${i}`)
    }
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      for (let i = 0; i < 80; i += 1) await tx.rename(`from${i}/f`, `to${i}/f`)
    })
    for (let i = 0; i < 80; i += 1) expect(disk.readText(`${ROOT}/to${i}/f`)).toBe(`content ${i}`)
    await journal.close()
  })

  it('taking moves between more than 64 folders back', async () => {
    const disk = newDisk()
    for (let i = 0; i < 80; i += 1) {
      disk.mkdirp(`${ROOT}/from${i}`)
      disk.mkdirp(`${ROOT}/to${i}`)
      disk.writeFile(`${ROOT}/from${i}/f`, `content ${i}`)
    }
    const journal = await openOn(disk)
    const before = workspace(disk)
    disk.faults.before = ({ kind, to }) => {
      if (kind === 'link' && to?.endsWith('to79/f')) throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
    }
    let count = 0
    disk.faults.before = ({ kind }) => {
      if (kind === 'link') count += 1
      if (count === 79) {
        count += 1
        throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
      }
    }
    const error = await failure(() =>
      journal.transact(async (tx) => {
        for (let i = 0; i < 80; i += 1) await tx.rename(`from${i}/f`, `to${i}/f`)
      }),
    )
    disk.faults.heal()
    expect(error.code).toBe('PERMISSION')
    expect(differences(before, workspace(disk))).toEqual([])
    await journal.close()
  })

  it('a folder that is another file system', async () => {
    const disk = newDisk()
    disk.mount(`${ROOT}/mnt`)
    disk.writeFile(`${ROOT}/mnt/old`, 'old')
    disk.writeFile(`${ROOT}/mnt/gone`, 'gone')
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      await tx.write('mnt/new', 'new')
      await tx.write('mnt/old', 'changed')
      await tx.remove('mnt/gone')
    })
    expect([...disk.tree(`${ROOT}/mnt`).keys()]).toEqual(['new', 'old'])
    expect(disk.readText(`${ROOT}/mnt/old`)).toBe('changed')
    await journal.close()
  })

  it('a long name of wide letters in a folder that is another file system', async () => {
    const disk = newDisk()
    disk.mount(`${ROOT}/mnt`)
    const name = '語'.repeat(85)
    const journal = await openOn(disk)
    const names: string[] = []
    disk.faults.before = ({ kind, path }) => {
      if (kind === 'create' && path !== undefined) names.push(path.slice(path.lastIndexOf('/') + 1))
    }
    await journal.write(`mnt/${name}`, 'x')
    await journal.write(`mnt/${name}`, 'y')
    for (const made of names) expect(Buffer.byteLength(made)).toBeLessThanOrEqual(255)
    await journal.close()
  })

  it('a transaction too large for a frame does not poison the journal', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'x')
    const journal = await openOn(disk)
    const large = 'y'.repeat(40 * MIB)
    const error = await failure(() =>
      journal.transact(async (tx) => {
        await tx.edit('a', [{ oldText: 'x', newText: large }])
        await tx.edit('a', [{ oldText: large, newText: 'z' }])
      }),
    )
    expect(error.code).toBe('INVALID')
    await journal.write('b', 'still alive')
    await journal.close()
  })

  it('a large content is written to a file that may not be written', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'x', 0o444)
    const journal = await openOn(disk)
    await journal.write('a', big('a'))
    expect(disk.lstat(`${ROOT}/a`)?.mode).toBe(0o444)
    expect(disk.readFile(`${ROOT}/a`).byteLength).toBe(2 * MIB)
    await journal.close()
  })

  it('a log whose FORMAT is missing is not thrown away', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'x')
    await journal.close()
    disk.unlink(`${ROOT}/.journal/FORMAT`)
    const log = disk.tree(`${ROOT}/.journal/log`)
    expect((await failure(() => openOn(disk))).code).toBe('CORRUPT')
    expect(differences(log, disk.tree(`${ROOT}/.journal/log`))).toEqual([])
    expect([...disk.tree(`${ROOT}/.journal/broken`).keys()]).toEqual([])
  })

  it.each([1, 2])('segment %i is missing', async (segment) => {
    const disk = newDisk()
    const options = { segmentSize: 16 * 1024 }
    const journal = await openOn(disk, options)
    for (let i = 0; i < 12; i += 1) await journal.write('a', `${i}`.repeat(3000).slice(0, 3500))
    await journal.close()
    disk.unlink(`${ROOT}/.journal/log/00000000000${segment}.wal`)
    disk.unlink(`${ROOT}/.journal/CHECKPOINT`)
    const log = disk.tree(`${ROOT}/.journal/log`)
    expect((await failure(() => openOn(disk, options))).code).toBe('CORRUPT')
    expect(differences(log, disk.tree(`${ROOT}/.journal/log`))).toEqual([])
  })

  it('a cancelled commit leaves nothing in staging, and no locks', async () => {
    const disk = newDisk()
    const stop = new AbortController()
    const journal = await openOn(disk, { signal: stop.signal })
    const error = await failure(() =>
      journal.transact(async (tx) => {
        await tx.write('a', big('a'))
        stop.abort()
      }),
    )
    expect(error.code).toBe('ABORTED')
    expect(await staged(disk)).toEqual([])
    await journal.close()
  })

  it('a file is replaced by a folder just before it is removed', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'x')
    const journal = await openOn(disk)
    let done = false
    disk.faults.before = ({ kind, to }) => {
      if (done || kind !== 'rename' || to?.includes('/staging/') !== true) return
      done = true
      disk.faults.before = null
      disk.unlink(`${ROOT}/a`)
      disk.mkdirp(`${ROOT}/a`)
      disk.writeFile(`${ROOT}/a/mine`, 'precious')
    }
    const error = await failure(() => journal.remove('a'))
    expect(done).toBe(true)
    expect(error.code).toBe('CONFLICT')
    expect(disk.readText(`${ROOT}/a/mine`)).toBe('precious')
    expect(await staged(disk)).toEqual([])
    await journal.close()
  })

  it('a file is replaced by a symbolic link out of the workspace just before its mode is changed', async () => {
    const disk = newDisk()
    disk.writeFile('/outside', 'x', 0o600)
    disk.writeFile(`${ROOT}/a`, 'x', 0o600)
    const journal = await openOn(disk)
    disk.faults.before = ({ kind }) => {
      if (kind !== 'chmod') return
      disk.faults.before = null
      disk.unlink(`${ROOT}/a`)
      disk.writeLink(`${ROOT}/a`, '/outside')
    }
    await journal.chmod('a', 0o777).catch(() => undefined)
    expect(disk.lstat('/outside')?.mode).toBe(0o600)
    await journal.close()
  })

  it('a name of a new file cannot be taken away from staging', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const before = workspace(disk)
    disk.faults.before = ({ kind, path }) => {
      if (kind !== 'unlink' || path?.includes('/staging/') !== true) return
      disk.faults.before = null
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    }
    const error = await failure(() => journal.write('a', 'x'))
    expect(['IO', 'POISONED']).toContain(error.code)
    if (!disk.exists(`${ROOT}/a`)) expect(differences(before, workspace(disk))).toEqual([])
    const seq = journal.head.seq
    // What the history says and what is there must agree.
    const state = await journal.stateAt('a', seq)
    expect(disk.exists(`${ROOT}/a`)).toBe(state !== null)
    await journal.close()
  })

  it('a file that cannot be read at the commit is a typed error', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'x')
    const journal = await openOn(disk)
    const tx = journal.begin()
    await tx.write('a', 'y')
    disk.writeFile(`${ROOT}/a`, 'changed')
    disk.faults.failAt(1, 'EACCES', { kinds: ['open'] })
    expect((await failure(() => tx.commit())).code).toBe('PERMISSION')
    disk.faults.heal()
    await journal.close()
  })

  it('names of folders that differ only in case on a folding file system', async () => {
    const disk = newDisk({ folding: true })
    const journal = await openOn(disk)
    await journal.write('dir/a', 'x')
    expect((await failure(() => journal.write('DIR/a', 'y'))).code).toBe('INVALID')
    expect((await failure(() => journal.write('Dir/b', 'y'))).code).toBe('INVALID')
    await journal.close()
  })

  it.each(['\u034f', '\u061c', '\u115f', '\u180b', '\u3164', '\u{e0001}'])(
    'an invisible letter in the name of the journal (%j)',
    (letter) => {
      expect(isJournalName(`.jour${letter}nal`)).toBe(true)
    },
  )

  it('the journal of a workspace inside the workspace is not removed with its folder', async () => {
    const disk = newDisk()
    disk.mkdirp(`${ROOT}/sub/.journal/log`)
    disk.writeFile(`${ROOT}/sub/.journal/FORMAT`, 'x')
    const journal = await openOn(disk)
    const before = workspace(disk)
    expect((await failure(() => journal.remove('sub', { recursive: true }))).code).toBe('PATH_OUTSIDE')
    expect((await failure(() => journal.rename('sub', 'other'))).code).toBe('PATH_OUTSIDE')
    expect(differences(before, workspace(disk))).toEqual([])
    await journal.close()
  })

  it('a blob that rotted is not written into the workspace by an undo', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const first = await journal.write('a', big('1'))
    const second = await journal.write('a', big('2'))
    const hash = first.files[0]?.after as string
    disk.writeFile(`${ROOT}/.journal/blobs/${hash.slice(0, 2)}/${hash.slice(2)}`, big('x'))
    const before = workspace(disk)
    expect((await failure(() => journal.undo(second.tx))).code).toBe('CORRUPT')
    expect(differences(before, workspace(disk))).toEqual([])
    await journal.close()
  })

  it('the kept content of a file that was put back after a failure is the journal’s alone', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, big('1'))
    const journal = await openOn(disk)
    disk.faults.failAt(1, 'EACCES', { kinds: ['exchange'] })
    expect((await failure(() => journal.write('a', big('2')))).code).toBe('PERMISSION')
    disk.faults.heal()
    disk.writeFile(`${ROOT}/a`, big('edited in place'))
    const report = await journal.verify()
    expect(report.problems).toEqual([])
    await journal.close()
  })

  it('the log does not fill the disk with zeros', async () => {
    const disk = newDisk({ capacity: 3 * MIB })
    const journal = await openOn(disk)
    const stored: string[] = []
    for (let i = 0; i < 400; i += 1) {
      try {
        await journal.write(`f${i % 4}`, `${i} `.repeat(1000))
        stored.push(`${i}`)
      } catch (error) {
        expect((error as { code: string }).code).toBe('NO_SPACE')
        break
      }
    }
    // A disk of 3 MiB holds some hundred transactions of 4 KiB.
    expect(stored.length).toBeGreaterThan(250)
    await journal.close()
  })

  it('a folder becomes a file, and the process is killed in between', async () => {
    for (let k = 1; k < 60; k += 1) {
      const disk = newDisk()
      disk.mkdirp(`${ROOT}/d`)
      const journal = await openOn(disk)
      await journal.write('d/x', '1')
      await journal.checkpoint()
      const before = workspace(disk)
      disk.faults.crashAtChange(k)
      const done = await journal
        .transact(async (tx) => {
          await tx.remove('d', { recursive: true })
          await tx.write('d', 'a file')
        })
        .then(
          () => true,
          () => false,
        )
      const left = disk.crash('process')
      const again = await openOn(left)
      const tree = workspace(left)
      if (tree.get('d')?.kind === 'dir') expect(differences(before, tree), `k=${k}`).toEqual([])
      else expect(tree.get('d'), `k=${k}`).toMatchObject({ kind: 'file', content: 'a file' })
      expect(again.recovery.conflicts, `k=${k}`).toEqual([])
      await again.close()
      if (done) break
    }
  })

  it('a file becomes a folder, and the recovery is killed in between', async () => {
    for (let k = 1; k < 60; k += 1) {
      const disk = newDisk()
      const journal = await openOn(disk)
      await journal.write('d', '1')
      await journal.checkpoint()
      disk.faults.before = ({ kind, path }) => {
        if (kind === 'rename' && path?.endsWith('/d')) disk.faults.crashAt(1)
      }
      await journal
        .transact(async (tx) => {
          await tx.remove('d')
          await tx.write('d/x', 'deep')
        })
        .catch(() => undefined)
      const second = disk.crash('process')
      second.faults.crashAtChange(k)
      const recovered = await openOn(second).then(
        () => true,
        () => false,
      )
      const third = second.crash('process')
      const again = await openOn(third)
      expect(again.recovery.conflicts, `k=${k}`).toEqual([])
      expect(workspace(third).get('d/x'), `k=${k}`).toMatchObject({ kind: 'file', content: 'deep' })
      await again.close()
      if (recovered) break
    }
  })

  it('status works on a read-only medium', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'x')
    await journal.close()
    Object.assign(disk.options, { readOnly: true })
    const reader = await openOn(disk, { readOnly: true })
    expect((await reader.status()).seq).toBe(1)
    await reader.close()
  })

  it('an endless lock timeout is no timeout at all', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { lockTimeoutMs: Number.POSITIVE_INFINITY })
    const holder = journal.begin()
    await holder.lock(['a'])
    const waiting = journal.write('a', 'x')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await holder.abort()
    await waiting
    await journal.close()
  })

  it('an expectation that is no text is INVALID', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const code = (await failure(() => journal.write('a', 'x', { expect: 5 as unknown as string }))).code
    expect(['INVALID', 'CONFLICT']).toContain(code)
    await journal.close()
  })

  it('a power cut brings a removed file back into staging: its transaction was committed, not discarded', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const { tx } = await journal.write('a', 'x')
    await journal.close()
    disk.writeFile(`${ROOT}/.journal/staging/${tx}.0`, 'what stood there before')
    disk.writeFile(`${ROOT}/.journal/staging/tzzzzzzzzzzzzzzz.0`, 'never committed')
    const broken = `${ROOT}/.journal/broken`
    const again = await openOn(disk, { salvage: true })
    expect(again.recovery.discarded).toEqual(['tzzzzzzzzzzzzzzz'])
    expect(await staged(disk)).toEqual([])
    expect(disk.readDirectory(broken).map(({ name }) => name)).toEqual(['tzzzzzzzzzzzzzzz.0'])
    await again.close()
  })

  it.each<[string, (journal: Journal) => unknown]>([
    ['history', (journal) => collect(journal.history())],
    ['show', (journal) => journal.show(1)],
    ['readAt', (journal) => journal.readAt('a', 1)],
    ['streamAt', async (journal) => collect(await journal.streamAt('a', 1))],
    ['diff', (journal) => collect(journal.diff({ tx: 2 }))],
    ['undo', (journal) => journal.undo(1, { force: true })],
    ['redo', (journal) => journal.redo(1)],
    ['restore', (journal) => journal.restore({ to: 1 })],
    ['status', (journal) => journal.status()],
    ['verify', (journal) => journal.verify({ workspace: true })],
    ['export', (journal) => collect(journal.export())],
    ['stats', (journal) => journal.stats()],
    ['adopt', (journal) => journal.adopt()],
    ['anchor', (journal) => journal.anchor()],
    ['purge', (journal) => journal.purge('b', { dryRun: true })],
    ['compact', (journal) => journal.compact()],
  ])('%s beside too many open files fails with a JournalError or not at all', async (_, read) => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'first')
    await journal.write('a', big('x'))
    await journal.write('b', big('y'))
    disk.faults.failAt(1, 'EMFILE', { kinds: ['open', 'anchor'] })
    const error = await Promise.resolve(read(journal)).then(
      () => null,
      (cause: unknown) => cause,
    )
    disk.faults.heal()
    if (error !== null) expect(error, (error as Error).stack).toMatchObject({ name: 'JournalError', code: 'IO' })
    await journal.close()
    expect(disk.openHandles).toEqual([])
  })

  it('a checkpoint that fails does not go on syncing behind the back of its caller', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      for (let count = 0; count < 40; count += 1) await tx.write(`f${count}`, 'x')
    })
    disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    expect((await failure(() => journal.checkpoint())).code).toBe('IO')
    expect(disk.openHandles.filter((path) => path.startsWith(`${ROOT}/f`))).toEqual([])
    await journal.close()
  })

  it('what cannot be removed from staging does not hide why a transaction was aborted', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    disk.faults.failAt(1, 'EIO', { kinds: ['unlink'], persistent: true })
    const aborted = journal.transact(async (tx) => {
      await tx.write('big', big('x'))
      throw new Error('mine')
    })
    await expect(aborted).rejects.toThrow('mine')
    disk.faults.heal()
    await journal.close()
    await (await openOn(disk)).close()
    expect(await staged(disk)).toEqual([])
  })

  it('what cannot be removed from staging does not keep a durable commit out of the workspace', async () => {
    const disk = newDisk()
    const old = Array.from({ length: 12 }, (_, index) => `old${index}`)
    for (const path of old) disk.writeFile(`${ROOT}/${path}`, big(path, MIB - 64))
    const journal = await openOn(disk)
    disk.faults.before = ({ kind, path }) => {
      if (kind === 'unlink' && /\.b\d+$/.test(String(path))) throw Object.assign(new Error('EIO: no'), { code: 'EIO' })
    }
    await journal.transact(async (tx) => {
      for (const path of old) await tx.write(path, 'new')
    })
    disk.faults.heal()
    for (const path of old) expect(disk.readText(`${ROOT}/${path}`)).toBe('new')
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
    await journal.close()
  })

  it('a compensation that finds no room in the log poisons the journal', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, '1')
    const journal = await openOn(disk)
    disk.faults.before = ({ kind }) => {
      if (kind !== 'exchange') return
      // The disk is full from now on, and the exchange fails.
      Object.assign(disk.options, { capacity: 1 })
      throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
    }
    const error = await failure(() => journal.write('a', '2'.repeat(60_000)))
    disk.faults.heal()
    Object.assign(disk.options, { capacity: 2 ** 40 })
    expect(disk.readText(`${ROOT}/a`)).toBe('1')
    const next = await journal.write('b', 'x').catch((failed: { code: string }) => failed.code)
    await journal.close().catch(() => undefined)
    const again = await openOn(disk)
    // Told that it failed, while later commits went on: then it must not come back.
    if (next !== 'POISONED') expect(disk.readText(`${ROOT}/a`), `${error.code}`).toBe('1')
    await again.close()
  })
})

describe('faults that a long life showed', () => {
  it('an undo that finds its folder there already said that nothing had been there, and taking it back removed the folder', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.mkdir('box')
    const { tx } = await journal.rmdir('box')
    const made = await journal.mkdir('box')
    const undone = await journal.undo(tx)
    expect((await journal.show(undone.tx)).entries).toEqual([])
    expect((await failure(() => journal.undo(undone.tx))).code).toBe('INVALID')
    expect(disk.lstat(`${ROOT}/box`)?.kind).toBe('dir')
    await journal.undo(made.tx)
    expect(disk.lstat(`${ROOT}/box`)).toBe(null)
    await journal.close()
  })
})

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { type Journal, openJournal } from '../../src/index.ts'
import { buildEngine, kill, startChild } from '../journal/child.ts'
import { collect, failure, newDisk, openOn, refused } from '../journal/fixture.ts'

const roots: string[] = []

function tempRoot(): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'leases-')))
  roots.push(root)
  return root
}

afterAll(() => {
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true })
})

async function opened(
  files: Record<string, string> = {},
): Promise<{ disk: ReturnType<typeof newDisk>; journal: Journal }> {
  const disk = newDisk()
  const journal = await openOn(disk, { actor: 'other' })
  for (const [name, text] of Object.entries(files)) await journal.write(name, text)
  return { disk, journal }
}

describe('a lease', () => {
  it('keeps all but its holder from a file, and from all below a folder', async () => {
    const { disk, journal } = await opened({ 'src/a': '1', 'src/deep/b': '1', 'srcs/c': '1', d: '1' })
    const lease = await journal.leases.acquire(['src', 'd'], {}, { actor: 'builder' })
    const writes: [string, () => Promise<unknown>][] = [
      ['src/a', () => journal.write('src/a', '2')],
      ['src/deep/b', () => journal.edit('src/deep/b', [{ oldText: '1', newText: '2' }])],
      ['src/new/file', () => journal.write('src/new/file', '2')],
      ['src/a', () => journal.remove('src/a')],
      ['src/a', () => journal.rename('src/a', 'elsewhere')],
      ['src/e', () => journal.rename('srcs/c', 'src/e')],
      ['src/a', () => journal.chmod('src/a', 0o600)],
      ['src', () => journal.chmod('src', 0o700)],
      ['d', () => journal.append('d', 'x')],
      ['src/l', () => journal.symlink('src/l', '../d')],
      ['src/a', () => journal.rename('src', 'moved')],
    ]
    for (const [where, write] of writes) {
      const error = await refused(disk, 'LOCKED', write)
      expect(error).toMatchObject({
        details: { holder: { actor: 'builder', pid: process.pid }, lease: { token: lease.token, paths: ['d', 'src'] } },
      })
      expect(error.message).toContain('builder')
      expect(error.hint).toContain(`{ lease: ${lease.token} }`)
      expect([where, path.posix.dirname(where)]).toContain(error.path)
    }
    await journal.write('srcs/c', 'a name that begins alike')
    const receipt = await journal.write('src/a', '2', { actor: 'builder', lease: lease.token })
    await refused(disk, 'LOCKED', () => journal.undo(receipt.tx))
    await journal.transact({ lease: [lease.token] }, async (tx) => tx.remove('src', { recursive: true }))
    await refused(disk, 'LOCKED', () => journal.restore({ to: 2, paths: ['src/a'] }))
    await lease.release()
    await journal.restore({ to: 2, paths: ['src/a'] })
    await lease.release()
    await journal.close()
  })

  it('counts for its holder when it goes back, too', async () => {
    const { journal } = await opened({ a: '1' })
    const { tx } = await journal.write('a', '2')
    const { token } = await journal.leases.acquire('a')
    expect((await failure(() => journal.undo(tx))).code).toBe('LOCKED')
    await journal.undo(tx, { lease: token })
    await journal.redo(tx, { lease: token })
    await journal.restore({ to: 1, lease: token })
    expect(Buffer.from(await journal.readAt('a')).toString()).toBe('1')
    await journal.close()
  })

  it('on what is not there yet keeps the folder above it where it is', async () => {
    const { disk, journal } = await opened({ 'src/a': '1' })
    await journal.leases.acquire('src/later/file')
    await refused(disk, 'LOCKED', () => journal.remove('src', { recursive: true }))
    await refused(disk, 'LOCKED', () => journal.rename('src', 'moved'))
    await refused(disk, 'LOCKED', () => journal.write('src/later', 'a file where a folder was to be'))
    await journal.chmod('src', 0o700)
    await journal.close()
  })

  it('is where a symbolic link leads, whichever way it is reached', async () => {
    const { disk, journal } = await opened({ 'real/a': '1' })
    await journal.symlink('link', 'real')
    const lease = await journal.leases.acquire('link/a')
    expect(lease.paths).toEqual(['real/a'])
    for (const way of ['link/a', 'real/a', './real/../real/a'])
      await refused(disk, 'LOCKED', () => journal.write(way, '2'))
    await journal.close()
  })

  it('excludes every other that it would overlap with, until it is released', async () => {
    const { disk, journal } = await opened({ 'src/a': '1' })
    const lease = await journal.leases.acquire(['src/a', 'src/b', 'new/folder'])
    for (const paths of [['src/a'], ['src'], ['new/folder/below'], ['z', 'src/b']])
      await refused(disk, 'LOCKED', () => journal.leases.acquire(paths))
    const beside = await journal.leases.acquire('src/c')
    expect(beside.token).toBeGreaterThan(lease.token)
    expect((await journal.leases.list()).map(({ token }) => token)).toEqual([lease.token, beside.token])
    await lease.release()
    const next = await journal.leases.acquire('src/a')
    expect(next.token).toBeGreaterThan(beside.token)
    await journal.close()
  })

  it('of one of many that ask at the same moment', async () => {
    const { journal } = await opened()
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => journal.leases.acquire('one')))
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of asked) if (one.status === 'rejected') expect(one.reason.code).toBe('LOCKED')
    await journal.close()
  })

  it('that is over fences its holder: the old token is refused, also where nobody else has one', async () => {
    const { disk, journal } = await opened({ a: '1' })
    const old = await journal.leases.acquire('a', { ttlMs: 1 })
    await pause(30)
    expect(await journal.leases.list()).toEqual([])
    const error = await refused(disk, 'LOCKED', () => journal.write('a', 'late', { lease: old.token }))
    expect(error.details).toEqual({ lease: { token: old.token } })
    await refused(disk, 'LOCKED', () => old.renew())
    await refused(disk, 'LOCKED', () => journal.write('a', 'a token from nowhere', { lease: 12345 }))
    const fresh = await journal.leases.acquire('a')
    expect(fresh.token).toBeGreaterThan(old.token)
    await refused(disk, 'LOCKED', () => journal.write('a', 'late', { lease: old.token }))
    await old.release()
    await journal.write('a', 'in time', { lease: fresh.token })
    await journal.close()
  })

  it('is waited for as long as is asked, and no longer', async () => {
    const { journal } = await opened()
    const first = await journal.leases.acquire('a', {}, { actor: 'first' })
    expect((await failure(() => journal.leases.acquire('a', { wait: 30 }))).code).toBe('LOCKED')
    const waiting = journal.leases.acquire('a', { wait: 60_000 })
    await first.release()
    const second = await waiting
    expect(second.token).toBeGreaterThan(first.token)
    const cancel = new AbortController()
    const cancelled = failure(() => journal.leases.acquire('a', { wait: 60_000, signal: cancel.signal }))
    cancel.abort()
    expect((await cancelled).code).toBe('ABORTED')
    await journal.close()
  })

  it('stands longer when it is renewed, and keeps its token', async () => {
    const { journal } = await opened()
    const lease = await journal.leases.acquire('a', { ttlMs: 600_000 }, { actor: 'builder' })
    await lease.renew(3_600_000)
    const [info] = await journal.leases.list()
    expect(info).toMatchObject({ id: lease.id, token: lease.token, actor: 'builder', paths: ['a'], pid: process.pid })
    expect(info?.expiresInMs).toBeGreaterThan(600_000)
    await journal.write('a', '1', { lease: lease.token })
    await journal.close()
  })

  it.each([
    ['no paths', [], {}, 'INVALID'],
    ['a path that is none', [7], {}, 'INVALID'],
    ['a path that leads out', ['../x'], {}, 'PATH_OUTSIDE'],
    ['the workspace itself', ['.'], {}, 'INVALID'],
    ['the journal', ['.journal/log'], {}, 'PATH_OUTSIDE'],
    ['too many paths', Array.from({ length: 1001 }, (_, n) => `f${n}`), {}, 'INVALID'],
    ['no time', ['a'], { ttlMs: 0 }, 'INVALID'],
    ['a time that is none', ['a'], { ttlMs: Number.NaN }, 'INVALID'],
    ['more than a day', ['a'], { ttlMs: 86_400_001 }, 'INVALID'],
    ['a wait that is none', ['a'], { wait: -1 }, 'INVALID'],
    ['a process that is none', ['a'], { pid: 0 }, 'INVALID'],
    ['a process that there is not', ['a'], { pid: 2 ** 31 - 1 }, 'INVALID'],
  ])('of %s is refused', async (_, paths, options, code) => {
    const { disk, journal } = await opened()
    await refused(disk, code as 'INVALID', () => journal.leases.acquire(paths as string[], options))
    await journal.close()
  })

  it.each([['a text'], [0], [1.5], [[0]], [{}]])('has no token like %j', async (lease) => {
    const { disk, journal } = await opened()
    await refused(disk, 'INVALID', () => journal.write('a', '1', { lease: lease as number }))
    await journal.close()
  })

  it('is not made up: notes of the journal itself are not taken from callers', async () => {
    const { disk, journal } = await opened()
    for (const topic of ['lease', 'intent', 'breach'])
      await refused(disk, 'INVALID', () => journal.transact((tx) => tx.note(topic, { do: 'acquire', paths: ['a'] })))
    for (const [topic, value] of [
      ['Bad topic', {}],
      ['', {}],
      ['ok', 7],
      ['ok', { a: () => 1 }],
      ['ok', { a: 'x'.repeat(300_000) }],
    ])
      await refused(disk, 'INVALID', () => journal.transact((tx) => tx.note(topic as string, value as never)))
    await journal.transact(async (tx) => {
      await tx.write('a', '1')
      await tx.note('work', { by: 'builder' })
    })
    expect((await journal.show(1)).entries).toMatchObject([{ op: 'write' }, { op: 'note', topic: 'work' }])
    await journal.leases.acquire('a')
    await refused(disk, 'INVALID', () => journal.undo(2))
    await journal.close()
  })

  it('is found again by who opens the journal next, and so is its end', async () => {
    const { disk, journal } = await opened({ a: '1', b: '1' })
    const kept = await journal.leases.acquire('a', {}, { actor: 'builder' })
    const released = await journal.leases.acquire('b')
    await released.release()
    await journal.close()
    const again = await openOn(disk, { actor: 'later' })
    await refused(disk, 'LOCKED', () => again.write('a', '2'))
    await again.write('b', '2')
    await again.write('a', '2', { lease: kept.token })
    const reader = await openOn(disk, { readOnly: true })
    expect(await reader.leases.list()).toMatchObject([{ token: kept.token, actor: 'builder' }])
    expect((await failure(() => reader.leases.acquire('z'))).code).toBe('INVALID')
    await reader.close()
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    const kinds = (await collect(again.history({ order: 'oldest' }))).map(({ kind }) => kind)
    expect(kinds).toEqual(['write', 'write', 'note', 'note', 'note', 'write', 'write'])
    await again.close()
  })

  it('that retention dropped is over with the next opening, and one that was renewed since is not', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { segmentSize: 4096 })
    const dropped = await journal.leases.acquire('a')
    const renewed = await journal.leases.acquire('b')
    for (let turn = 0; turn < 40; turn += 1) await journal.write('c', `${turn}`.repeat(500))
    await renewed.renew()
    expect((await journal.compact({ keepTransactions: 1 })).transactionsDropped).toBeGreaterThan(2)
    await journal.close()
    const again = await openOn(disk)
    expect((await again.leases.list()).map(({ token }) => token)).toEqual([renewed.token])
    await refused(disk, 'LOCKED', () => again.write('a', '1', { lease: dropped.token }))
    await refused(disk, 'LOCKED', () => again.write('b', '1'))
    await again.write('b', '1', { lease: renewed.token })
    await again.write('a', '1')
    await again.close()
  })

  it('does not keep what a person did from being taken into the history', async () => {
    const { disk, journal } = await opened({ a: '1' })
    await journal.leases.acquire('a')
    disk.writeFile('/ws/a', 'by hand')
    expect(await journal.adopt()).not.toBeNull()
    await journal.close()
  })
})

describe('the process that holds a lease', () => {
  it('takes it along when it dies, and not before', async () => {
    const root = tempRoot()
    const engine = buildEngine()
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      const child = await startChild(`
        import { openJournal } from ${JSON.stringify(engine.index)}
        const journal = await openJournal(${JSON.stringify(root)}, { actor: 'killed' })
        await journal.write('a', '1')
        await journal.leases.acquire('a')
        await journal.leases.acquire('b', { pid: ${holder.pid} })
        await journal.leases.acquire('c', { pid: null })
        await journal.intents.announce({ paths: ['d'] })
        console.log('ready')
        setInterval(() => {}, 1000)
      `)
      const reader = await openJournal(root, { readOnly: true })
      expect((await reader.leases.list()).map(({ paths }) => paths[0])).toEqual(['a', 'b', 'c'])
      await kill(child)
      expect((await reader.leases.list()).map(({ paths }) => paths[0])).toEqual(['b', 'c'])
      expect(await reader.intents.list()).toEqual([])
      await reader.close()
      const journal = await openJournal(root, { actor: 'next' })
      await journal.write('a', '2')
      expect((await failure(() => journal.write('b', '2'))).code).toBe('LOCKED')
      expect((await failure(() => journal.write('c', '2'))).code).toBe('LOCKED')
      await kill(holder)
      await journal.write('b', '2')
      await journal.close()
    } finally {
      holder.kill('SIGKILL')
      engine.remove()
    }
  }, 60_000)
})

import { describe, expect, it } from 'vitest'
import type { OpenOptions, RecoveryReport } from '../../src/index.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'
import type { Operation } from '../sim/faults.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { killedBefore, restarted } from './fixture.ts'

const placing =
  (path: string) =>
  ({ kind, to }: Operation): boolean =>
    (kind === 'exchange' || kind === 'link' || kind === 'rename') && to?.endsWith(`/${path}`) === true

/** Recovers; twice, since the second time there must be nothing left to do. */
async function recovered(disk: SimDisk, recover: OpenOptions['recover'] = 'replay'): Promise<RecoveryReport> {
  const journal = await openOn(disk, { recover })
  const { problems, changed } = await journal.verify({ workspace: true })
  expect(problems).toEqual([])
  if (journal.recovery.conflicts.length === 0) expect(changed).toEqual([])
  await journal.close()
  const again = await openOn(disk, { recover: 'manual' })
  expect(again.recovery).toMatchObject({ replayed: [], reverted: [], conflicts: [] })
  await again.close()
  return journal.recovery
}

/** A folder with a file becomes a file, or the other way; killed when the path has neither. */
async function crossing(disk: SimDisk, to: 'file' | 'folder'): Promise<SimDisk> {
  const journal = await openOn(disk)
  if (to === 'file') await journal.mkdir('x')
  else await journal.write('x', 'a file')
  await journal.checkpoint()
  let gone = false
  const left = await killedBefore(
    disk,
    ({ kind, path }) => {
      const now = gone
      if (kind === (to === 'file' ? 'removeDirectory' : 'rename') && path?.endsWith('/x') === true) gone = true
      return now
    },
    () =>
      journal.transact(async (tx) => {
        await tx.remove('x', { recursive: true })
        await tx.write(to === 'file' ? 'x' : 'x/y', 'new')
      }),
  )
  expect(left.exists(`${ROOT}/x`)).toBe(false)
  return left
}

describe('what is found', () => {
  it('is known when somebody had put it there before the transaction', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    disk.writeFile(`${ROOT}/a`, 'by a person')
    const left = await killedBefore(disk, placing('a'), () => journal.write('a', 'two'))
    expect(left.readText(`${ROOT}/a`)).toBe('by a person')
    expect((await recovered(left)).conflicts).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('two')
  })

  it('is known when a power cut brought back what a transaction wrote before somebody edited it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    disk.writeFile(`${ROOT}/a`, 'by a person')
    await journal.write('a', 'two')
    const left = restarted(disk.crash('process'))
    left.writeFile(`${ROOT}/a`, 'one')
    expect((await recovered(left)).conflicts).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('two')
  })

  it('is known when a folder has not got its permissions yet', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const left = await killedBefore(
      disk,
      ({ kind }) => kind === 'chmod',
      () =>
        journal.transact(async (tx) => {
          await tx.mkdir('x')
          await tx.write('x/y', 'inside')
          await tx.chmod('x', 0o500)
        }),
    )
    expect(left.lstat(`${ROOT}/x`)?.mode).not.toBe(0o500)
    expect((await recovered(left)).conflicts).toEqual([])
    expect(left.lstat(`${ROOT}/x`)?.mode).toBe(0o500)
  })

  it('is somebody’s when only the permissions of a file differ, but known when a power cut may have lost them', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'text', { mode: 0o640 })
    const killed = disk.crash('process')
    killed.chmod(`${ROOT}/a`, 0o600)
    const cut = restarted(killed.copy())
    expect((await recovered(killed)).conflicts).toMatchObject([{ path: 'a' }])
    expect(killed.lstat(`${ROOT}/a`)?.mode).toBe(0o600)
    expect((await recovered(cut)).conflicts).toEqual([])
    expect(cut.lstat(`${ROOT}/a`)?.mode).toBe(0o640)
  })

  it('is known when a power cut lost permissions that somebody had given before the transaction', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    await journal.checkpoint()
    disk.chmod(`${ROOT}/a`, 0o600)
    const killed = await killedBefore(disk, placing('a'), () => journal.write('a', 'two'))
    const left = restarted(killed)
    left.chmod(`${ROOT}/a`, 0o644)
    expect((await recovered(left)).conflicts).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('two')
    expect(left.lstat(`${ROOT}/a`)?.mode).toBe(0o600)
  })

  it.each(['file', 'folder'] as const)('is known when nothing stands where a %s was about to come', async (to) => {
    const left = await crossing(newDisk(), to)
    expect((await recovered(left)).conflicts).toEqual([])
    expect(left.readText(`${ROOT}/${to === 'file' ? 'x' : 'x/y'}`)).toBe('new')
  })

  it('is somebody’s when a file is missing that took the place of a folder by their hand', async () => {
    const disk = newDisk()
    disk.mkdirp(`${ROOT}/x`)
    const journal = await openOn(disk)
    await journal.transact((tx) => tx.chmod('x', 0o700))
    disk.removeDirectory(`${ROOT}/x`)
    disk.writeFile(`${ROOT}/x`, 'by a person')
    await journal.write('x', 'new')
    const left = disk.crash('process')
    left.removeFile(`${ROOT}/x`)
    expect((await recovered(left)).conflicts).toMatchObject([{ path: 'x' }])
    expect(left.exists(`${ROOT}/x`)).toBe(false)
  })

  it('is known when a recovery was killed that had moved it aside', async () => {
    let killed = 0
    for (let k = 1; k < 60; k += 1) {
      const left = await crossing(newDisk(), 'folder')
      // Back at its place, so that the recovery moves it.
      const [gone] = left.tree(`${ROOT}/.journal/staging`).keys()
      left.rename(`${ROOT}/.journal/staging/${gone}`, `${ROOT}/x`)
      left.faults.crashAtChange(k)
      const done = await openOn(left).then(
        () => true,
        () => false,
      )
      if (done) break
      const second = left.crash('process')
      if (!second.exists(`${ROOT}/x`)) killed += 1
      expect((await recovered(second)).conflicts, `k=${k}`).toEqual([])
      expect(second.readText(`${ROOT}/x/y`), `k=${k}`).toBe('new')
    }
    expect(killed).toBeGreaterThan(0)
  })

  it('is written anew after a failed sync, though it reads back right', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'text')
    const left = disk.crash('process')
    const { ino } = left.lstat(`${ROOT}/a`) ?? {}
    left.writeFile(`${ROOT}/.journal/SUSPECT`, '{}\n')
    await recovered(left)
    expect(left.readText(`${ROOT}/a`)).toBe('text')
    expect(left.lstat(`${ROOT}/a`)?.ino).not.toBe(ino)
  })
})

it('finishes a transaction and its undo, when a power cut lost both', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  const written = await journal.write('a', 'text')
  const undone = await journal.undo(written.tx)
  const left = restarted(disk.crash('process'))
  left.writeFile(`${ROOT}/a`, '')
  expect((await recovered(left)).replayed).toEqual([written.tx, undone.tx])
  expect(left.exists(`${ROOT}/a`)).toBe(false)
})

describe('what was acknowledged is not taken back', () => {
  it('when it is wholly in the workspace', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'text')
    const left = disk.crash('process')
    expect((await recovered(left, 'revert')).reverted).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('text')
  })

  it('when somebody edited a file of it, and it is not reported as finished either', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      await tx.write('a', 'text')
      await tx.write('b', 'text')
    })
    const left = disk.crash('process')
    left.writeFile(`${ROOT}/a`, 'by a person')
    expect(await recovered(left, 'revert')).toMatchObject({ reverted: [], replayed: [], conflicts: [{ path: 'a' }] })
    expect(left.readText(`${ROOT}/b`)).toBe('text')
  })

  it('when a later one, which is, knows it to be done, whatever somebody did to its files since', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const first = await journal.write('a', 'text')
    disk.removeFile(`${ROOT}/a`)
    const left = await killedBefore(disk, placing('b'), () => journal.write('b', 'text'))
    const { reverted, replayed } = await recovered(left, 'revert')
    expect(reverted).toHaveLength(1)
    expect(replayed).toEqual([first.tx])
    expect(left.readText(`${ROOT}/a`)).toBe('text')
    expect(left.exists(`${ROOT}/b`)).toBe(false)
  })

  it('when a later one was about to replace its folder by a file, and an older one is not done yet', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    let acknowledged = ''
    let gone = false
    const left = await killedBefore(
      disk,
      ({ kind, path }) => {
        const now = gone
        if (kind === 'removeDirectory' && path?.endsWith('/x') === true) gone = true
        return now
      },
      async () => {
        const older = journal.transact(async (tx) => {
          for (let at = 0; at < 700; at += 1) await tx.write(`older/${at}`, 'text')
        })
        while (journal.head.seq === 0) await new Promise((resolve) => setImmediate(resolve))
        acknowledged = (await journal.mkdir('x')).tx
        const newer = journal.transact(async (tx) => {
          await tx.rmdir('x')
          await tx.write('x', 'a file')
        })
        await Promise.all([older, newer])
      },
    )
    expect(acknowledged).not.toBe('')
    expect(left.exists(`${ROOT}/x`)).toBe(false)
    expect(left.exists(`${ROOT}/older/699`)).toBe(false)
    const { reverted } = await recovered(left, 'revert')
    expect(reverted).toHaveLength(1)
    expect(reverted).not.toContain(acknowledged)
    expect(left.lstat(`${ROOT}/x`)?.kind).toBe('dir')
    expect(left.exists(`${ROOT}/older/699`)).toBe(true)
  })

  it('after a power cut, which may have lost it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      await tx.write('a', 'text')
      await tx.write('b', 'text')
    })
    const left = restarted(disk.crash('process'))
    left.removeFile(`${ROOT}/a`)
    expect(await recovered(left, 'revert')).toMatchObject({ reverted: [], conflicts: [] })
    expect(left.readText(`${ROOT}/a`)).toBe('text')
    expect(left.readText(`${ROOT}/b`)).toBe('text')
  })

  it('after a failed sync, which may have lost it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    await journal.checkpoint()
    await journal.write('a', 'two')
    const left = disk.crash('process')
    left.writeFile(`${ROOT}/a`, 'one')
    left.writeFile(`${ROOT}/.journal/SUSPECT`, '{}\n')
    expect((await recovered(left, 'revert')).reverted).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('two')
  })
})

describe('what is taken back', () => {
  it('leaves what somebody had put there before it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    disk.writeFile(`${ROOT}/a`, 'by a person')
    const left = await killedBefore(disk, placing('b'), () =>
      journal.transact(async (tx) => {
        await tx.write('a', 'two')
        await tx.write('b', 'two')
      }),
    )
    expect((await recovered(left, 'revert')).reverted).toHaveLength(1)
    expect(left.readText(`${ROOT}/a`)).toBe('by a person')
    expect(left.exists(`${ROOT}/b`)).toBe(false)
  })

  it('is not reported as finished by a recovery after one that was killed', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const first = await killedBefore(disk, placing('b'), () =>
      journal.transact(async (tx) => {
        await tx.write('a', 'text')
        await tx.write('b', 'text')
      }),
    )
    const second = await killedBefore(
      first,
      ({ kind, path }) => kind === 'rename' && path?.endsWith('/a') === true,
      () => openOn(first, { recover: 'revert' }),
    )
    const left = restarted(second)
    left.writeFile(`${ROOT}/a`, '')
    const { replayed, reverted, conflicts } = await recovered(left)
    expect({ reverted, conflicts }).toEqual({ reverted: [], conflicts: [] })
    expect(left.exists(`${ROOT}/a`)).toBe(false)
    const again = await openOn(left)
    expect(replayed).toHaveLength(1)
    expect(await again.show(replayed[0] ?? '')).toMatchObject({ kind: 'revert' })
    await again.close()
  })

  it('is so in the history too', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    const left = await killedBefore(disk, placing('a'), () => journal.write('a', 'two'))
    const { reverted } = await recovered(left, 'revert')
    const again = await openOn(left)
    expect(await again.show(again.head.seq)).toMatchObject({ kind: 'revert', of: reverted[0] })
    expect(Buffer.from(await again.readAt('a', again.head.seq)).toString()).toBe('one')
    await again.close()
  })
})

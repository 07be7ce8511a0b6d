import { describe, expect, it } from 'vitest'
import type { JournalError, Transaction } from '../../src/index.ts'
import { newDisk, openOn, ROOT, staged, workspace } from '../journal/fixture.ts'
import type { OperationKind, SimOptions } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

const DISKS: Readonly<Record<string, Partial<SimOptions>>> = {
  'with everything': {},
  'without exchange': { exchange: false },
  'without hard links': { link: false },
  'with neither': { exchange: false, link: false },
  'whose names fold': { folding: true },
  'as the superuser': { superuser: true },
}

/** Kinds of things that follow each other at one path, and each other way round. */
const THINGS: Readonly<Record<string, (tx: Transaction, path: string) => Promise<void>>> = {
  nothing: async () => undefined,
  'a file': (tx, path) => tx.write(path, `file ${path}`),
  'another file': (tx, path) => tx.write(path, 'another', { mode: 0o600 }),
  'a large file': (tx, path) => tx.write(path, Buffer.alloc(1024 * 1024 + 1, 'L')),
  'a link': (tx, path) => tx.symlink(path, 'target'),
  'an empty folder': (tx, path) => tx.mkdir(path, { mode: 0o750 }),
  'a full folder': async (tx, path) => {
    await tx.write(`${path}/in/side`, 'deep')
    await tx.symlink(`${path}/link`, 'in')
  },
}

async function clear(tx: Transaction, path: string): Promise<void> {
  await tx.remove(path, { recursive: true }).catch((error: JournalError) => {
    if (error.code !== 'NOT_FOUND') throw error
  })
}

describe('materializing', () => {
  for (const [where, options] of Object.entries(DISKS)) {
    it(`makes anything of anything on a disk ${where}`, async () => {
      for (const mounted of [false, true]) {
        const disk = newDisk(options)
        if (mounted) disk.mount(`${ROOT}/at`)
        const journal = await openOn(disk)
        for (const [from, first] of Object.entries(THINGS)) {
          for (const [to, second] of Object.entries(THINGS)) {
            const note = `${from} to ${to}${mounted ? ' on a mount' : ''}`
            await journal.transact(async (tx) => {
              await clear(tx, 'at/x')
              await first(tx, 'at/x')
              await tx.write('count', note)
            })
            const before = workspace(disk)
            const receipt = await journal.transact(async (tx) => {
              await clear(tx, 'at/x')
              await second(tx, 'at/x')
              await tx.write('count', `${note}!`)
            })
            const after = workspace(disk)
            await journal.undo(receipt.tx)
            expect(differences(before, workspace(disk)), note).toEqual([])
            await journal.redo(receipt.tx)
            expect(differences(after, workspace(disk)), note).toEqual([])
          }
        }
        expect((await journal.verify({ workspace: true })).problems).toEqual([])
        await journal.close()
        expect(await staged(disk)).toEqual([])
        expect(disk.openHandles).toEqual([])
      }
    }, 60_000)

    it(`takes everything back when a step fails on a disk ${where}`, async () => {
      const kinds: OperationKind[] = [
        'rename',
        'exchange',
        'link',
        'chmod',
        'makeDirectory',
        'removeDirectory',
        'symlink',
        'unlink',
      ]
      for (const mounted of [false, true]) {
        for (let k = 1; k < 200; k += 1) {
          const disk = newDisk(options)
          if (mounted) disk.mount(`${ROOT}/at`)
          else disk.mkdirp(`${ROOT}/at`)
          const journal = await openOn(disk)
          await journal.transact(async (tx) => {
            for (const name of ['a', 'b', 'c', 'd/x', 'e/y']) await tx.write(`at/${name}`, name)
            await tx.write('other', 'other')
          })
          const before = workspace(disk)
          disk.faults.failAt(k, 'EIO', { kinds })
          const note = `k=${k}${mounted ? ', on a mount' : ''}`
          const error = await journal
            .transact(async (tx) => {
              await tx.write('at/a', 'A')
              await tx.remove('at/b')
              await tx.rename('at/c', 'at/moved/c')
              await tx.rename('other', 'at/other')
              await tx.remove('at/d', { recursive: true })
              await tx.write('at/d', 'now a file')
              await tx.chmod('at/e/y', 0o600)
              await tx.rename('at/e', 'at/f')
              await tx.symlink('at/l', 'a')
            })
            .then(
              () => null,
              (cause: JournalError) => cause,
            )
          disk.faults.heal()
          if (error !== null) {
            expect(error.code, `${note}: ${error.message}`).toBe('IO')
            expect(differences(before, workspace(disk)), note).toEqual([])
          } else expect(disk.readText(`${ROOT}/at/a`), note).toBe('A')
          expect((await journal.verify({ workspace: true })).problems, note).toEqual([])
          await journal.close()
          expect(disk.openHandles, note).toEqual([])
          const again = await openOn(disk)
          expect(await staged(disk), note).toEqual([])
          if (error !== null) expect(differences(before, workspace(disk)), note).toEqual([])
          await again.close()
          if (error === null) break
        }
      }
    }, 60_000)
  }

  it('never shows a path without a file while one is replaced', async () => {
    for (const options of [{}, { exchange: false }, { exchange: false, link: false }]) {
      const disk = newDisk(options)
      const journal = await openOn(disk)
      await journal.write('a', 'old')
      const seen = new Set<string>()
      disk.faults.before = () => seen.add(disk.exists(`${ROOT}/a`) ? disk.readText(`${ROOT}/a`) : 'missing')
      await journal.write('a', 'new content')
      disk.faults.heal()
      expect([...seen, disk.readText(`${ROOT}/a`)].filter((text) => text !== 'old' && text !== 'new content')).toEqual(
        [],
      )
      await journal.close()
    }
  })

  it('never reuses an inode that was seen in the workspace', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const inodes = new Set<bigint>()
    for (let i = 0; i < 5; i += 1) {
      await journal.write('a', `${i}`)
      inodes.add(disk.lstat(`${ROOT}/a`)?.ino ?? 0n)
    }
    expect(inodes.size).toBe(5)
    await journal.close()
  })

  it('touches nothing in the workspace before the commit is durable', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'old')
    const journal = await openOn(disk)
    await journal.write('warm', 'up')
    const before = workspace(disk)
    let open: () => void = () => undefined
    disk.syncGate = () => new Promise((resolve) => (open = resolve))
    const writing = journal.transact(async (tx) => {
      await tx.write('a', 'new')
      await tx.write('b/c', 'new')
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(differences(before, workspace(disk))).toEqual([])
    disk.syncGate = null
    open()
    await writing
    expect(disk.readText(`${ROOT}/b/c`)).toBe('new')
    await journal.close()
  })
})

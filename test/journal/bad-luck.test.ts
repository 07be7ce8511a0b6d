import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Journal, JournalError, openJournal } from '../../src/index.ts'
import type { OperationKind, SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'
import { buildEngine, kill, startChild } from './child.ts'
import { collect, failure, history, newDisk, openOn, ROOT, refused, staged, workspace } from './fixture.ts'
import { realTree } from './real-tree.ts'

const MIB = 1024 * 1024
/** Operations between two versions that somebody writes during a commit. */
const NEARBY = 3
const roots: string[] = []
const cleanings: (() => void)[] = []

function tempRoot(): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bad-luck-')))
  roots.push(root)
  return root
}

afterAll(() => {
  for (const clean of cleanings.reverse()) clean()
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true })
})

interface Scene {
  readonly prepare: (disk: SimDisk) => void
  /** Committed before the disk begins to fail. */
  readonly before: (journal: Journal) => Promise<unknown>
  readonly run: (journal: Journal) => Promise<unknown>
}

const nothing = async (): Promise<void> => undefined

const SCENES: Readonly<Record<string, Scene>> = {
  'a batch of every operation': {
    prepare: (disk) => {
      disk.mkdirp(`${ROOT}/src`)
      for (const name of ['a', 'b', 'c', 'd', 'e']) disk.writeFile(`${ROOT}/src/${name}`, `${name} `.repeat(300))
    },
    before: (journal) => journal.write('src/known', 'known'),
    run: (journal) =>
      journal.transact({ message: 'all' }, async (tx) => {
        await tx.write('src/a', 'A'.repeat(5000))
        await tx.write('new/deep/file', 'new')
        await tx.append('src/b', ' more')
        await tx.edit('src/c', [{ oldText: 'c ', newText: 'C ', all: true }])
        await tx.remove('src/d')
        await tx.rename('src/e', 'moved/e')
        await tx.rename('src/known', 'src/renamed')
        await tx.chmod('src/b', 0o600)
        await tx.symlink('link', 'src/a')
        await tx.mkdir('empty')
      }),
  },
  'a large content over a large one': {
    prepare: (disk) => disk.writeFile(`${ROOT}/big`, Buffer.alloc(2 * MIB, 'old')),
    before: nothing,
    run: (journal) => journal.write('big', Buffer.alloc(2 * MIB, 'new')),
  },
  'an undo': {
    prepare: (disk) => disk.writeFile(`${ROOT}/a`, 'first'),
    before: async (journal) => {
      await journal.transact(async (tx) => {
        await tx.write('a', 'second')
        await tx.write('b/c', 'third')
      })
      await journal.write('big', Buffer.alloc(2 * MIB, 'x'))
      await journal.write('big', 'small')
    },
    run: async (journal) => {
      await journal.undo(1)
      await journal.undo(3)
    },
  },
  'a checkpoint': {
    prepare: (disk) => disk.mkdirp(`${ROOT}/d`),
    before: async (journal) => {
      for (let i = 0; i < 8; i += 1) await journal.write(`d/${i}`, `${i}`)
    },
    run: (journal) => journal.checkpoint(),
  },
}

/** The states of the workspace that a run goes through. */
async function stages(scene: Scene): Promise<Tree[]> {
  const disk = newDisk()
  scene.prepare(disk)
  const journal = await openOn(disk)
  await scene.before(journal)
  const seen = [workspace(disk)]
  journal.on('commit', () => seen.push(workspace(disk)))
  await scene.run(journal)
  await journal.close()
  return seen
}

function isOneOf(trees: readonly Tree[], found: Tree, note: string): number {
  const at = trees.findIndex((tree) => differences(tree, found).length === 0)
  const nearest = trees.map((tree) => differences(tree, found)).sort((a, b) => a.length - b.length)[0]
  expect(at, `${note}: neither before nor after: ${nearest?.join('; ')}`).toBeGreaterThanOrEqual(0)
  return at
}

/** Operations that may need room, or may be refused. */
const CHANGING: readonly OperationKind[] = [
  'create',
  'write',
  'truncate',
  'makeDirectory',
  'rename',
  'exchange',
  'link',
  'symlink',
  'chmod',
  'clone',
  'sync',
  'syncDirectory',
]

async function failEverywhere(
  scene: Scene,
  code: string,
  expected: readonly string[],
  persistent: boolean,
): Promise<void> {
  const trees = await stages(scene)
  for (let k = 1; k < 500; k += 1) {
    const note = `${code} at operation ${k}${persistent ? ' and ever after' : ''}`
    const disk = newDisk()
    scene.prepare(disk)
    const journal = await openOn(disk)
    await scene.before(journal)
    const from = journal.head.seq
    disk.faults.failAt(k, code, { persistent, kinds: CHANGING })
    const error = await scene.run(journal).then(
      () => null,
      (cause: unknown) => cause,
    )
    if (error !== null) {
      expect(error, `${note}: an untyped error: ${(error as Error).stack}`).toBeInstanceOf(JournalError)
      const typed = error as JournalError
      expect([...expected, 'POISONED'], `${note}: ${typed.message}`).toContain(typed.code)
      expect(typed.hint, note).not.toBe('')
    }
    // Where taking back fails too, the journal says so, and the next opening completes the transaction.
    const half = error instanceof JournalError && error.code === 'POISONED'
    if (!half) isOneOf(trees, workspace(disk), `${note}, after the failure`)
    disk.faults.heal()
    const closing = await journal.close().then(
      () => null,
      (cause: unknown) => cause,
    )
    if (closing !== null) expect(closing, `${note}: closing`).toBeInstanceOf(JournalError)
    expect(disk.openHandles, note).toEqual([])
    const again = await openOn(disk)
    const at = isOneOf(trees, workspace(disk), `${note}, after opening again`)
    if (error === null) expect(at, note).toBe(trees.length - 1)
    expect(again.recovery.conflicts, note).toEqual([])
    const report = await again.verify({ workspace: true })
    expect(report.problems, note).toEqual([])
    expect(await staged(disk), note).toEqual([])
    expect(again.head.seq, note).toBeGreaterThanOrEqual(from)
    await again.write('afterwards', 'works')
    await again.close()
    if (error === null) return
  }
  throw new Error('the run never passed')
}

describe('a disk that is full at any point', () => {
  for (const [name, scene] of Object.entries(SCENES)) {
    it(`${name}, once`, () => failEverywhere(scene, 'ENOSPC', ['NO_SPACE'], false))
    it(`${name}, from then on`, () => failEverywhere(scene, 'ENOSPC', ['NO_SPACE'], true))
  }

  it('opening', async () => {
    for (let k = 1; k < 200; k += 1) {
      const disk = newDisk()
      disk.writeFile(`${ROOT}/a`, 'mine')
      disk.faults.failAt(k, 'ENOSPC', { kinds: CHANGING, persistent: true })
      const opened = await openOn(disk).catch((error: unknown) => error)
      disk.faults.heal()
      if (opened instanceof Error) {
        expect(opened, `k=${k}`).toBeInstanceOf(JournalError)
        expect((opened as JournalError).code).toBe('NO_SPACE')
        expect(disk.openHandles, `k=${k}`).toEqual([])
        const journal = await openOn(disk)
        await journal.write('a', 'x')
        expect((await journal.verify()).problems).toEqual([])
        await journal.close()
      } else {
        await (opened as Journal).close()
        return
      }
    }
    throw new Error('never opened')
  })

  it('recovering', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'old')
    const journal = await openOn(disk)
    let exchanged = 0
    disk.faults.before = ({ kind }) => {
      if (kind === 'link' || kind === 'exchange') exchanged += 1
      if (exchanged === 2) disk.faults.crashAt(1)
    }
    await journal
      .transact(async (tx) => {
        for (const name of ['a', 'b', 'c', 'd']) await tx.write(name, 'new')
      })
      .catch(() => undefined)
    for (let k = 1; k < 200; k += 1) {
      const left = disk.crash('process')
      left.faults.failAt(k, 'ENOSPC', { kinds: CHANGING, persistent: true })
      const opened = await openOn(left).catch((error: unknown) => error)
      left.faults.heal()
      if (opened instanceof Error) {
        expect((opened as JournalError).code, `k=${k}, ${opened.stack}`).toBe('NO_SPACE')
        expect(left.openHandles, `k=${k}`).toEqual([])
      } else await (opened as Journal).close()
      const again = await openOn(left)
      for (const name of ['a', 'b', 'c', 'd']) expect(left.readText(`${ROOT}/${name}`), `k=${k}`).toBe('new')
      expect(again.recovery.conflicts).toEqual([])
      expect((await again.verify({ workspace: true })).problems).toEqual([])
      await again.close()
      if (!(opened instanceof Error)) return
    }
    throw new Error('never recovered')
  })

  it.each([200, 900, 1500, 2300])('a disk of %i KiB', async (size) => {
    const disk = newDisk({ capacity: size * 1024, shortWrites: 0.2 })
    const journal = await openOn(disk)
    let tree = workspace(disk)
    let refusals = 0
    for (let i = 0; i < 60; i += 1) {
      try {
        await journal.transact(async (tx) => {
          await tx.write(`f${i % 5}`, randomBytes(i % 7 === 0 ? 300_000 : 9000))
          await tx.append('log', `${i}\n`)
        })
        tree = workspace(disk)
      } catch (error) {
        expect(['NO_SPACE', 'POISONED'], (error as JournalError).message).toContain((error as JournalError).code)
        expect(differences(tree, workspace(disk))).toEqual([])
        refusals += 1
      }
    }
    expect(refusals).toBeGreaterThan(0)
    await journal.close().catch((error: unknown) => expect(error).toBeInstanceOf(JournalError))
    expect(disk.openHandles).toEqual([])
    Object.assign(disk.options, { capacity: 2 ** 30 })
    const again = await openOn(disk)
    expect(differences(tree, workspace(disk))).toEqual([])
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.close()
  })
})

describe('a folder that may not be written', () => {
  for (const name of ['a batch of every operation', 'a large content over a large one', 'an undo']) {
    it(`EACCES at any operation: ${name}`, () => failEverywhere(SCENES[name] as Scene, 'EACCES', ['PERMISSION'], false))
  }

  it('is PERMISSION, and nothing changes', async () => {
    const disk = newDisk()
    disk.mkdirp(`${ROOT}/locked`)
    disk.writeFile(`${ROOT}/locked/a`, 'x')
    const journal = await openOn(disk)
    disk.chmod(`${ROOT}/locked`, 0o555)
    const before = workspace(disk)
    for (const attempt of [
      () => journal.write('locked/a', 'y'),
      () => journal.write('locked/new', 'y'),
      () => journal.remove('locked/a'),
      () => journal.rename('locked/a', 'elsewhere'),
      () => journal.mkdir('locked/sub'),
      () =>
        journal.transact(async (tx) => {
          await tx.write('first', 'x')
          await tx.write('locked/a', 'y')
          await tx.write('last', 'x')
        }),
    ]) {
      const error = await failure(attempt)
      expect(error.code).toBe('PERMISSION')
      expect(differences(before, workspace(disk))).toEqual([])
      expect(await staged(disk)).toEqual([])
    }
    // What the history says and what is there agree.
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
    disk.chmod(`${ROOT}/locked`, 0o755)
    await journal.write('locked/a', 'y')
    await journal.close()
  })

  it('a file that may not be read', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/secret`, 'x', 0o000)
    const journal = await openOn(disk)
    await refused(disk, 'PERMISSION', () => journal.write('secret', 'y'))
    await refused(disk, 'PERMISSION', () => journal.remove('secret'))
    await journal.close()
  })

  it('a file system mounted read-only', async () => {
    const disk = newDisk({ readOnly: true })
    expect((await failure(() => openOn(disk))).code).toBe('PERMISSION')
    expect(disk.exists(`${ROOT}/.journal`)).toBe(false)
    expect(disk.openHandles).toEqual([])
  })

  it('on a real file system', async (context) => {
    const root = tempRoot()
    fs.mkdirSync(`${root}/locked`)
    fs.writeFileSync(`${root}/locked/a`, 'x')
    const asRoot = process.geteuid?.() === 0
    if (asRoot) {
      try {
        execFileSync('chattr', ['+i', `${root}/locked`], { stdio: 'ignore' })
      } catch {
        context.skip('neither an ordinary user nor immutable folders here')
      }
      cleanings.push(() => execFileSync('chattr', ['-i', `${root}/locked`]))
    } else fs.chmodSync(`${root}/locked`, 0o555)
    const journal = await openJournal(root)
    const before = realTree(root)
    expect((await failure(() => journal.write('locked/new', 'y'))).code).toBe('PERMISSION')
    expect((await failure(() => journal.remove('locked/a'))).code).toBe('PERMISSION')
    expect((await failure(() => journal.write('locked/a', 'y'))).code).toBe('PERMISSION')
    expect(realTree(root)).toEqual(before)
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
    await journal.close()
    if (!asRoot) fs.chmodSync(`${root}/locked`, 0o755)
  })
})

describe('a real disk of 3 MiB', () => {
  it('fills up and goes on', async (context) => {
    const root = tempRoot()
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', root], { stdio: 'ignore' })
    } catch {
      context.skip('no right to mount here')
    }
    cleanings.push(() => execFileSync('umount', [root]))
    const journal = await openJournal(root)
    let tree = realTree(root)
    let refusals = 0
    for (let i = 0; i < 120; i += 1) {
      try {
        await journal.transact(async (tx) => {
          await tx.write(`f${i % 6}`, randomBytes(40_000 + i))
          await tx.append('log', `${i}\n`)
        })
        tree = realTree(root)
      } catch (error) {
        expect(['NO_SPACE', 'POISONED']).toContain((await failure(() => Promise.reject(error))).code)
        expect(realTree(root)).toEqual(tree)
        refusals += 1
      }
    }
    expect(refusals).toBeGreaterThan(0)
    await journal.close().catch((error: unknown) => expect(error).toBeInstanceOf(JournalError))
    execFileSync('mount', ['-o', 'remount,size=20m', root])
    const again = await openJournal(root)
    expect(realTree(root)).toEqual(tree)
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.write('log', 'room again')
    await again.close()
  })
})

describe('behind the back of the journal', () => {
  const replacements: Readonly<Record<string, (disk: SimDisk) => void>> = {
    removed: (disk) => disk.unlink(`${ROOT}/a`),
    'replaced by a folder': (disk) => {
      disk.unlink(`${ROOT}/a`)
      disk.mkdirp(`${ROOT}/a`)
      disk.writeFile(`${ROOT}/a/mine`, 'precious')
    },
    'replaced by a link': (disk) => {
      disk.unlink(`${ROOT}/a`)
      disk.writeLink(`${ROOT}/a`, 'b')
    },
    edited: (disk) => disk.writeFile(`${ROOT}/a`, 'mine'),
  }

  it.each(Object.entries(replacements))('a file is %s before an undo', async (_, change) => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      await tx.write('a', '1')
      await tx.write('b', '1')
    })
    const second = await journal.transact(async (tx) => {
      await tx.write('a', '2')
      await tx.write('b', '2')
    })
    change(disk)
    const error = await refused(disk, 'CONFLICT', () => journal.undo(second.tx))
    expect(error.details?.conflicts).toMatchObject([{ path: 'a' }])
    expect(error.tx).toBe(second.tx)
    await journal.close()
  })

  it.each(Object.entries(replacements))(
    'a file is %s before a forced undo: what was there is kept',
    async (what, change) => {
      const disk = newDisk()
      const journal = await openOn(disk)
      await journal.write('a', '1')
      const second = await journal.write('a', '2')
      change(disk)
      if (what === 'replaced by a folder') {
        await refused(disk, 'CONFLICT', () => journal.undo(second.tx, { force: true }))
      } else {
        await journal.undo(second.tx, { force: true })
        expect(disk.readText(`${ROOT}/a`)).toBe('1')
      }
      if (what === 'edited') {
        const kept = await collect(journal.export())
        expect(JSON.stringify(kept)).toContain('mine')
      }
      await journal.close()
    },
  )

  it.each(Object.entries(replacements))(
    'a file is %s between staging and commit of a conditional write',
    async (_, change) => {
      const disk = newDisk()
      const journal = await openOn(disk)
      const first = await journal.write('a', '1')
      const tx = journal.begin()
      await tx.write('b', 'x')
      await tx.write('a', '2', { expect: first.files[0]?.after as string })
      change(disk)
      await refused(disk, 'CONFLICT', () => tx.commit())
      expect(await staged(disk)).toEqual([])
      await journal.close()
    },
  )

  it.each(Object.entries(replacements))('a file is %s between staging and commit of an edit', async (_, change) => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one text')
    const tx = journal.begin()
    await tx.edit('a', [{ oldText: 'one text', newText: 'another' }])
    change(disk)
    await refused(disk, 'CONFLICT', () => tx.commit())
    await journal.close()
  })

  it('an edit made between staging and commit is kept in the history', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', '1')
    const tx = journal.begin()
    await tx.write('a', '2')
    await new Promise(setImmediate)
    disk.writeFile(`${ROOT}/a`, 'mine')
    const receipt = await tx.commit()
    const entry = (await journal.show(receipt.tx)).entries[0]
    const hash = entry?.before?.kind === 'file' ? entry.before.hash : ''
    expect(receipt.files[0]?.before).toBe(hash)
    await journal.undo(receipt.tx)
    expect(disk.readText(`${ROOT}/a`)).toBe('mine')
    await journal.close()
  })

  it('an edit made in the very turn of the event loop in which a file is staged and committed is kept in the history', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', '1')
    const tx = journal.begin()
    await tx.write('a', '2')
    disk.writeFile(`${ROOT}/a`, 'mine')
    await tx.commit()
    expect(disk.readText(`${ROOT}/a`)).toBe('2')
    const found = createHash('sha256').update('mine').digest('hex')
    const kept = []
    for await (const { kind, tx } of journal.history({ path: 'a' }))
      if (kind === 'recovery') kept.push(...(await journal.show(tx)).entries)
    expect(kept).toMatchObject([{ op: 'preserve', path: 'a', after: { hash: found } }])
    await journal.close()
  })

  it.each(['a', 'big'])('an edit at any moment of a commit is never lost (%s)', async (name) => {
    const old = name === 'a' ? 'old' : Buffer.alloc(MIB + 4096, 'old').toString()
    for (let k = 1; k < 300; k += 1) {
      const disk = newDisk()
      disk.writeFile(`${ROOT}/${name}`, old)
      const journal = await openOn(disk)
      const tx = journal.begin()
      await tx.write(name, 'new')
      let left = k
      disk.faults.before = () => {
        left -= 1
        if (left !== 0) return
        disk.faults.before = null
        // As editors do: a new file in place of the old one.
        if (disk.exists(`${ROOT}/${name}`)) disk.unlink(`${ROOT}/${name}`)
        disk.writeFile(`${ROOT}/${name}`, 'precious')
      }
      const error = await tx.commit().then(
        () => null,
        (cause: unknown) => cause,
      )
      disk.faults.heal()
      if (error !== null) expect(error, `k=${k}: ${(error as Error).stack}`).toBeInstanceOf(JournalError)
      const exported = JSON.stringify(await collect(journal.export()))
      const safe = disk.readText(`${ROOT}/${name}`) === 'precious' || exported.includes('precious')
      expect(safe || left > 0, `k=${k}`).toBe(true)
      await journal.close()
      if (left > 0) return
    }
    throw new Error('the commit has no end')
  })

  for (const how of ['made', 'replaced', 'removed', 'moved', 'made by a move', 'made as a link']) {
    for (const fails of [false, true]) {
      for (const way of ['in place', 'by rename']) {
        const title = `two versions at any moments of a commit that ${fails ? 'fails' : 'succeeds'} are never lost`
        it(`${title} (a file that is ${how}, written ${way})`, async () => {
          const at = `${ROOT}/a`
          let longest = 0
          for (let k = 1, last = Number.POSITIVE_INFINITY; k <= last; k += 1) {
            for (let j = 1; j <= NEARBY; j += 1) {
              const disk = newDisk()
              if (!how.startsWith('made')) disk.writeFile(at, 'old')
              disk.writeFile(`${ROOT}/b`, 'old')
              const journal = await openOn(disk)
              await journal.write('warm', 'up')
              const tx = journal.begin()
              if (how === 'made' || how === 'replaced') await tx.write('a', 'new')
              if (how === 'made as a link') await tx.symlink('a', 'b')
              if (how === 'removed') await tx.remove('a')
              if (how === 'moved') await tx.rename('a', 'x')
              if (how === 'made by a move') await tx.rename('warm', 'a')
              if (fails) await tx.rename('b', 'c')
              const versions: string[] = []
              const write = (version: string): void => {
                const made = disk.lstat(at)?.kind
                // Both are one step for whoever looks on.
                if (made !== undefined && (way === 'by rename' || made === 'symlink')) disk.unlink(at)
                disk.writeFile(at, version)
                versions.push(version)
              }
              const standing = (): string => (disk.lstat(at)?.kind === 'file' ? disk.readText(at) : '')
              let left = k
              let done = 0
              const before: typeof disk.faults.before = ({ kind, path }) => {
                disk.faults.before = null
                if (fails && kind === 'rename' && path?.endsWith('/b')) disk.writeFile(`${ROOT}/b`, 'changed')
                left -= 1
                done += 1
                if (left === 0) write('first version')
                // A version takes the place of another of its author's only when that has gone: else it is they who overwrite it.
                if (left === -j && standing() !== 'first version') write('second version')
                disk.faults.before = before
              }
              disk.faults.before = before
              const error = await tx.commit().then(
                () => null,
                (cause: unknown) => cause,
              )
              disk.faults.heal()
              longest = Math.max(longest, done)
              if (error !== null) expect(error, `k=${k}: ${(error as Error).stack}`).toBeInstanceOf(JournalError)
              else expect(fails && left > 0, `k=${k}`).toBe(false)
              await journal.close()
              // What cannot be taken back is finished by the next opening.
              const again = await openOn(disk)
              const safe = `${standing()} ${JSON.stringify(await collect(again.export()))}`
              expect(
                versions.filter((version) => !safe.includes(version)),
                `k=${k}, j=${j}`,
              ).toEqual([])
              expect(await staged(disk), `k=${k}, j=${j}`).toEqual([])
              await again.close()
              if (left > 0) last = k
            }
          }
          expect(longest).toBeGreaterThan(NEARBY)
        })
      }
    }
  }

  it('a pipe, a socket or a device stands there', async (context) => {
    if (process.platform === 'win32') context.skip('no pipes in the file system')
    const root = tempRoot()
    execFileSync('mkfifo', [`${root}/pipe`])
    const journal = await openJournal(root)
    for (const attempt of [
      () => journal.write('pipe', 'x'),
      () => journal.remove('pipe'),
      () => journal.rename('pipe', 'x'),
      () => journal.chmod('pipe', 0o600),
    ]) {
      expect((await failure(attempt)).code).toBe('INVALID')
    }
    expect(journal.head.seq).toBe(0)
    await journal.close()
  })
})

describe('a journal that is not for us', () => {
  it('was written by a newer version', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'x')
    await journal.close()
    const format = JSON.parse(disk.readText(`${ROOT}/.journal/FORMAT`)) as object
    disk.writeFile(`${ROOT}/.journal/FORMAT`, JSON.stringify({ ...format, version: 6 }))
    const whole = disk.tree(ROOT)
    for (const options of [{}, { readOnly: true }, { rebind: true }, { recover: 'revert' }] as const) {
      const error = await failure(() => openOn(disk, options))
      expect(error.code).toBe('NEWER_FORMAT')
      expect(error.details).toEqual({ found: 6, known: 5 })
    }
    expect(differences(whole, disk.tree(ROOT))).toEqual([])
    expect(disk.openHandles).toEqual([])
  })

  it.each([
    '',
    '{',
    '[]',
    '{"format":"other","version":1}',
    '{"format":"write-journal","version":1,"journal":"x"}',
    'null',
  ])('has a FORMAT that says %j', async (text) => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'x')
    await journal.close()
    disk.writeFile(`${ROOT}/.journal/FORMAT`, text)
    const log = disk.tree(`${ROOT}/.journal`, ['LOCK', 'WORKSPACE'])
    expect((await failure(() => openOn(disk))).code).toBe('CORRUPT')
    expect(differences(log, disk.tree(`${ROOT}/.journal`, ['LOCK', 'WORKSPACE']))).toEqual([])
  })

  it('was copied from another workspace', async () => {
    const base = tempRoot()
    fs.mkdirSync(`${base}/one`)
    fs.mkdirSync(`${base}/two`)
    const first = await openJournal(`${base}/one`)
    await first.write('a', 'x')
    const { id } = first
    await first.close()
    fs.cpSync(`${base}/one/.journal`, `${base}/two/.journal`, { recursive: true })
    const error = await failure(() => openJournal(`${base}/two`))
    expect(error.code).toBe('FOREIGN')
    expect(error.message).toContain(`${base}/one`)
    expect(error.hint).toContain('rebind')
    expect(fs.existsSync(`${base}/two/a`)).toBe(false)
    const taken = await openJournal(`${base}/two`, { rebind: true })
    expect(taken.id).toBe(id)
    await taken.write('b', 'y')
    await taken.close()
    await (await openJournal(`${base}/two`)).close()
    await (await openJournal(`${base}/one`)).close()
  })

  it('was moved with its workspace', async () => {
    const base = tempRoot()
    fs.mkdirSync(`${base}/one`)
    const first = await openJournal(`${base}/one`)
    await first.write('a', 'x')
    await first.close()
    fs.renameSync(`${base}/one`, `${base}/two`)
    const moved = await openJournal(`${base}/two`)
    await moved.write('a', 'y')
    expect(fs.readFileSync(`${base}/two/a`, 'utf8')).toBe('y')
    await moved.close()
  })

  it('is not there, and may not be made', async () => {
    const disk = newDisk()
    for (const options of [{ create: false }, { readOnly: true }] as const) {
      expect((await failure(() => openOn(disk, options))).code).toBe('NOT_FOUND')
    }
    expect(disk.exists(`${ROOT}/.journal`)).toBe(false)
  })

  it('is a file', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/.journal`, 'mine')
    await failure(() => openOn(disk))
    expect(disk.readText(`${ROOT}/.journal`)).toBe('mine')
  })
})

describe('two writers', () => {
  it('on one disk: the second is told who the first is', async () => {
    const disk = newDisk()
    const first = await openOn(disk)
    const error = await refused(disk, 'LOCKED', () => openOn(disk))
    expect(error.details).toMatchObject({ holder: { pid: process.pid } })
    expect(error.message).toContain(String(process.pid))
    const reader = await openOn(disk, { readOnly: true })
    await first.write('a', 'x')
    expect(Buffer.from(await reader.readAt('a')).toString()).toBe('x')
    await reader.close()
    await first.close()
    await (await openOn(disk)).close()
    expect(disk.openHandles).toEqual([])
  })

  it('in two processes that do not share: LOCKED with the holder, and free at once when it is killed', async () => {
    const engine = buildEngine()
    cleanings.push(engine.remove)
    const root = tempRoot()
    const child = await startChild(`
      const { openJournal } = await import(${JSON.stringify(engine.index)})
      const journal = await openJournal(${JSON.stringify(root)})
      await journal.write('a', 'from the child')
      console.log('ready')
      setInterval(() => undefined, 1000)
    `)
    try {
      const before = realTree(root)
      const error = await failure(() => openJournal(root, { shared: false }))
      expect(error.code).toBe('LOCKED')
      expect(error.details).toMatchObject({ holder: { pid: child.pid } })
      expect(error.message).toContain(String(child.pid))
      expect(realTree(root)).toEqual(before)
      const reader = await openJournal(root, { readOnly: true })
      expect((await reader.status()).writer?.pid).toBe(child.pid)
      await reader.close()
    } finally {
      await kill(child)
    }
    const killed = performance.now()
    const journal = await openJournal(root)
    expect(performance.now() - killed).toBeLessThan(2000)
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('from the child')
    await journal.write('a', 'from the parent')
    expect(journal.head.seq).toBe(2)
    await journal.close()
  }, 60_000)
})

describe('a clock that jumps', () => {
  it('backwards: times never decrease, and points in time stay right', async () => {
    const disk = newDisk()
    const start = disk.now()
    const journal = await openOn(disk)
    const receipts = [await journal.write('a', '1')]
    disk.setTime(start + 60_000)
    receipts.push(await journal.write('a', '2'))
    disk.setTime(start - 3_600_000)
    receipts.push(await journal.write('a', '3'))
    await journal.close()
    disk.setTime(start - 7_200_000)
    const again = await openOn(disk)
    receipts.push(await again.write('a', '4'))
    disk.setTime(start + 120_000)
    receipts.push(await again.write('a', '5'))
    const times = (await collect(again.history({}))).map(({ time }) => time).reverse()
    expect(times).toEqual([...times].sort((a, b) => a - b))
    for (const [index, { tx, seq }] of receipts.entries()) {
      expect(Buffer.from(await again.readAt('a', tx)).toString()).toBe(String(index + 1))
      expect(Buffer.from(await again.readAt('a', seq)).toString()).toBe(String(index + 1))
    }
    const at = async (ms: number): Promise<string> =>
      Buffer.from(await again.readAt('a', new Date(ms).toISOString())).toString()
    expect(await at((times[0] as number) + 1)).toBe('1')
    expect(await at(start + 30_000)).toBe('1')
    // The third and the fourth were made when the clock said less; they count as made at the time of the second.
    expect(await at(start + 61_000)).toBe('4')
    expect(await at(start + 130_000)).toBe('5')
    expect((await failure(() => again.readAt('a', new Date(start - 10).toISOString()))).code).toBe('NOT_FOUND')
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.close()
  })

  it('backwards: an edit made under the wrong time is seen', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'one')
    disk.setTime(disk.now() + 600_000)
    const second = await journal.write('a', 'two')
    disk.setTime(disk.now() - 600_000)
    disk.writeFile(`${ROOT}/a`, 'own')
    await refused(disk, 'CONFLICT', () => journal.undo(second.tx))
    expect((await journal.status()).changed).toMatchObject([{ path: 'a', change: 'modified' }])
    await journal.close()
  })
})

describe('a disk that fails', () => {
  for (const name of ['a batch of every operation', 'a large content over a large one']) {
    it(`EIO at any operation: ${name}`, () => failEverywhere(SCENES[name] as Scene, 'EIO', ['IO'], false))
  }

  it('while it is read: nothing changes', async () => {
    const scene = SCENES['a batch of every operation'] as Scene
    const trees = await stages(scene)
    const kinds: OperationKind[] = [
      'open',
      'read',
      'stat',
      'lstat',
      'attributes',
      'anchor',
      'readLink',
      'readDirectory',
      'freeSpace',
    ]
    for (let k = 1; k < 2000; k += 3) {
      const disk = newDisk()
      scene.prepare(disk)
      const journal = await openOn(disk)
      await scene.before(journal)
      disk.faults.failAt(k, 'EIO', { kinds })
      const error = await scene.run(journal).then(
        () => null,
        (cause: unknown) => cause,
      )
      disk.faults.heal()
      if (error !== null) expect(error, `k=${k}: ${(error as Error).stack}`).toBeInstanceOf(JournalError)
      isOneOf(trees, workspace(disk), `EIO at reading ${k}`)
      await journal.close().catch((closing: unknown) => expect(closing, `k=${k}`).toBeInstanceOf(JournalError))
      expect(disk.openHandles, `k=${k}: ${String(error)}`).toEqual([])
      const again = await openOn(disk)
      isOneOf(trees, workspace(disk), `EIO at reading ${k}, opened again`)
      expect((await again.verify({ workspace: true })).problems, `k=${k}`).toEqual([])
      await again.close()
      if (error === null) return
    }
  })

  it('keeps the history as it was when it poisons', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', '1')
    const log = history(disk)
    disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    const tree = workspace(disk)
    expect((await failure(() => journal.write('a', '2'))).code).toBe('IO')
    expect(differences(tree, workspace(disk))).toEqual([])
    expect((await failure(() => journal.write('b', '3'))).code).toBe('POISONED')
    expect((await failure(() => journal.checkpoint())).code).toBe('POISONED')
    await journal.close()
    expect(log.size).toBeGreaterThan(0)
    const again = await openOn(disk)
    expect(['1', '2']).toContain(disk.readText(`${ROOT}/a`))
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.close()
  })
})

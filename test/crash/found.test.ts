import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { type Journal, openJournal } from '../../src/index.ts'
import { differences, Ledger, treeOf } from './ledger.ts'
import { Victim } from './victim.ts'

/** What the suites here once found, each as the shortest story that shows it. */

let home: string
let root: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wj-found-'))
  root = `${home}/workspace`
  mkdirSync(root)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

async function unlike(journal: Journal): Promise<string[]> {
  const ledger = new Ledger()
  return [...(await ledger.read(journal)), ...differences(ledger.tree, treeOf(root))]
}

/** Every content in the history, as text. */
async function textsOf(journal: Journal): Promise<string[]> {
  const texts: string[] = []
  for await (const { contents } of journal.export()) {
    for (const { utf8 } of (contents ?? []) as { utf8?: string }[]) if (utf8 !== undefined) texts.push(utf8)
  }
  return texts
}

/** Node's file system, with something that happens around calls. */
function disk(around: { readonly [name in keyof Disk]?: (call: () => unknown, ...given: string[]) => unknown }): Disk {
  return new Proxy(new NodeDisk(), {
    get(target, name) {
      // So that every sync of the log goes through the hook.
      if (name === 'syncNow') return undefined
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const hook = (around as Record<PropertyKey, ((call: () => unknown, ...given: string[]) => unknown) | undefined>)[
        name
      ]
      return (...given: string[]) => {
        const call = () => value.apply(target, given)
        return hook === undefined ? call() : hook(call, ...given)
      }
    },
  })
}

function byRename(path: string, text: string): void {
  writeFileSync(`${home}/draft`, text)
  renameSync(`${home}/draft`, `${root}/${path}`)
}

function refused(): never {
  throw Object.assign(new Error('EIO: as the test wants it'), { code: 'EIO' })
}

describe('a folder that another transaction fills between the operation and the commit', () => {
  test.each(['rmdir', 'remove', 'rename'] as const)('%s', async (how) => {
    await using journal = await openJournal(root)
    await journal.mkdir('x')
    const tx = journal.begin()
    if (how === 'rmdir') await tx.rmdir('x')
    if (how === 'remove') await tx.remove('x', { recursive: true })
    if (how === 'rename') await tx.rename('x', 'z')
    await journal.write('x/y.txt', 'filled')
    await tx.commit().catch((error) => expect(error).toMatchObject({ code: 'CONFLICT' }))
    expect(await unlike(journal)).toEqual([])
  })
})

test("somebody's version, kept as a blob by a process that died before it recorded it, is still taken into the history", async () => {
  {
    await using journal = await openJournal(root)
    await journal.write('a.txt', 'first')
  }
  const child = new Victim('surprise.mjs', { root, path: 'a.txt', text: 'by a person' }, `${home}/told.jsonl`)
  expect((await child.ended).signal).toBe('SIGKILL')
  await using journal = await openJournal(root)
  expect(readFileSync(`${root}/a.txt`, 'utf8')).toBe('by the journal')
  expect(await textsOf(journal)).toContain('by a person')
})

describe("somebody's version that arrives while a transaction is put in place, which then fails and is taken back", () => {
  test.each([
    ['over a file that was exchanged', 'write'],
    ['over a file that was made', 'make'],
    ['where a file was removed', 'remove'],
  ] as const)('%s', async (_, how) => {
    let armed = false
    const arrive = (call: () => unknown): unknown => {
      const done = call()
      if (!armed) return done
      armed = false
      byRename('a.txt', 'by a person')
      return done
    }
    const broken = disk({
      exchange: (call, _from, to) => (to?.endsWith('/z.txt') === true ? refused() : arrive(call)),
      unlink: (call, path) => (how === 'make' && armed && path?.includes('/staging/') === true ? arrive(call) : call()),
      rename: (call, from) => (how === 'remove' && from?.endsWith('/a.txt') === true ? arrive(call) : call()),
    })
    {
      await using journal = await openJournal(root, { disk: broken })
      await journal.write('z.txt', 'z')
      if (how !== 'make') await journal.write('a.txt', 'first')
      const tx = journal.begin()
      if (how === 'remove') await tx.remove('a.txt')
      else await tx.write('a.txt', 'second')
      await tx.write('z.txt', 'z again')
      armed = true
      await expect(tx.commit()).rejects.toThrow()
      expect(armed).toBe(false)
    }
    await using journal = await openJournal(root)
    const there = existsSync(`${root}/a.txt`) ? readFileSync(`${root}/a.txt`, 'utf8') : null
    expect([...(await textsOf(journal)), there]).toContain('by a person')
  })
})

test('an acknowledged transaction is not taken back because somebody edited one of its files after it', async () => {
  const crashed = `${home}/crashed`
  {
    await using journal = await openJournal(root)
    await journal.transact(async (tx) => {
      await tx.write('a.txt', 'acknowledged')
      await tx.write('b.txt', 'acknowledged')
    })
    // What a process leaves that dies now.
    cpSync(root, crashed, { recursive: true, preserveTimestamps: true })
  }
  writeFileSync(`${crashed}/a.txt`, 'by a person')
  await using journal = await openJournal(crashed, { recover: 'revert', rebind: true })
  expect(readFileSync(`${crashed}/a.txt`, 'utf8')).toBe('by a person')
  expect(readFileSync(`${crashed}/b.txt`, 'utf8')).toBe('acknowledged')
  expect(journal.recovery.reverted).toEqual([])
})

test('a transaction that an acknowledged one follows is completed, not taken back: what remains is a prefix of the history', async ({
  skip,
}) => {
  const crashed = `${home}/crashed`
  let first = ''
  let second = ''
  {
    await using journal = await openJournal(root)
    await journal.transact(async (tx) => {
      await tx.write('a.txt', 'before')
      await tx.write('b.txt', 'before')
    })
    const both = await Promise.all(['a.txt', 'b.txt'].map((path) => journal.write(path, 'after')))
    const [older, newer] = both.toSorted((a, b) => a.seq - b.seq).map(({ files }) => files[0]?.path ?? '')
    first = older ?? ''
    second = newer ?? ''
    // The second was committed while the first was not in the workspace yet.
    skip((await journal.show(3)).done !== 1, 'the two did not go into the log together')
    cpSync(root, crashed, { recursive: true, preserveTimestamps: true })
  }
  // As if the process had died after the second was done and before the first.
  writeFileSync(`${crashed}/${first}`, 'before')
  await using journal = await openJournal(crashed, { recover: 'revert', rebind: true })
  expect(readFileSync(`${crashed}/${second}`, 'utf8')).toBe('after')
  expect(readFileSync(`${crashed}/${first}`, 'utf8')).toBe('after')
  expect(journal.recovery.reverted).toEqual([])
})

describe("somebody's versions of a moved file", () => {
  test('one before the move and one after it, when the move is taken back', async () => {
    let step = 0
    const around = (call: () => unknown): unknown => {
      const done = call()
      if (step === 2 && !existsSync(`${root}/a.txt`)) {
        step = 3
        byRename('a.txt', 'second by a person')
      }
      return done
    }
    // Between the log and the workspace.
    const sync = async (call: () => unknown): Promise<void> => {
      await call()
      if (step !== 1) return
      step = 2
      byRename('a.txt', 'first by a person')
    }
    await using journal = await openJournal(root, {
      disk: disk({ link: around, rename: around, unlink: around, sync }),
    })
    await journal.write('a.txt', 'by the journal')
    const tx = journal.begin()
    await tx.rename('a.txt', 'b.txt')
    step = 1
    await tx.commit().catch((error) => expect(error).toMatchObject({ code: 'CONFLICT' }))
    expect(step).toBe(3)
    const found = [...(await textsOf(journal)), ...workspaceTexts()]
    expect(found).toContain('first by a person')
    expect(found).toContain('second by a person')
  })

  test('one in the middle of the move', async () => {
    let armed = false
    const around = (call: () => unknown, from?: string): unknown => {
      const done = call()
      if (armed && from?.endsWith('/a.txt') === true) {
        armed = false
        byRename('a.txt', 'by a person')
      }
      return done
    }
    await using journal = await openJournal(root, { disk: disk({ link: around, rename: around }) })
    await journal.write('a.txt', 'by the journal')
    const tx = journal.begin()
    await tx.rename('a.txt', 'b.txt')
    armed = true
    await tx.commit().catch((error) => expect(error).toMatchObject({ code: 'CONFLICT' }))
    expect(armed).toBe(false)
    expect([...(await textsOf(journal)), ...workspaceTexts()]).toContain('by a person')
  })
})

function workspaceTexts(): string[] {
  return ['a.txt', 'b.txt']
    .filter((path) => existsSync(`${root}/${path}`))
    .map((path) => readFileSync(`${root}/${path}`, 'utf8'))
}

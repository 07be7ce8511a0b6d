import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JournalError } from '../../src/errors.ts'
import type { Journal } from '../../src/index.ts'
import { built } from '../crash/built.ts'
import { differences, treeOf } from '../crash/ledger.ts'
import { home, raze } from './cleaning.ts'
import { noMount, noShim } from './ground.ts'
import { WHOLE } from './rounds.ts'
import { compileShim, ShimPage } from './shim.ts'
import { dieMidway, reopened } from './sweep.ts'

const KIB = 1024
/** What is left free; the last is enough for everything. */
const FREE = (WHOLE ? [0, 4, 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048, 3072, 4096, 8192] : [0, 64, 512, 8192]).map(
  (size) => size * KIB,
)

let folder: string
let disk: string
let openJournal: typeof import('../../src/index.ts').openJournal

beforeAll(async () => {
  if (noMount() !== null) return
  openJournal = (await built()).openJournal
  folder = home()
  disk = `${folder}/disk`
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', disk])
})
afterAll(() => {
  if (folder !== undefined) raze(folder)
})

function fill(left: number): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(`${disk}/ballast`, Buffer.alloc(Math.max(0, bavail * bsize - left), 'x'))
}

function empty(): void {
  rmSync(`${disk}/ballast`, { force: true })
}

/** The code of a refusal, which must be ours; null when there was none. */
async function codeOf(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    expect((error as Error).name, (error as Error).stack).toBe(JournalError.name)
    return (error as JournalError).code
  }
}

async function base(journal: Journal): Promise<void> {
  await journal.transact(async (tx) => {
    await tx.write('a.txt', 'a\n')
    await tx.write('b/c.txt', 'c'.repeat(5000))
    await tx.write('big.bin', Buffer.alloc(1536 * KIB, 'old'))
  })
}

function mixed(journal: Journal): Promise<unknown> {
  return journal.transact(async (tx) => {
    await tx.write('a.txt', 'changed\n')
    await tx.write('big.bin', Buffer.alloc(1536 * KIB, 'new'))
    await tx.rename('b/c.txt', 'd/e/c.txt')
    for (let count = 0; count < 5; count += 1) await tx.write(`many/${count}`, Buffer.alloc(30 * KIB, `${count}`))
  })
}

test('a full disk: NO_SPACE, nothing changed, and once there is space again the same journal works on', async ({
  skip,
}) => {
  const reason = noMount()
  if (reason !== null) skip(reason)
  const codes = new Set<string | null>()
  for (const free of FREE) {
    const root = `${disk}/work-${free}`
    mkdirSync(root)
    const journal = await openJournal(root)
    await base(journal)
    const before = treeOf(root)
    fill(free)
    const code = await codeOf(() => mixed(journal))
    codes.add(code)
    if (code !== null) {
      expect(code, `${free} bytes free`).toBe('NO_SPACE')
      expect(differences(before, treeOf(root)), `${free} bytes free`).toEqual([])
    }
    empty()
    if (code !== null) expect(await codeOf(() => mixed(journal)), `${free} bytes were free`).toBe(null)
    await journal.close()
    expect(await reopened(root, []), `${free} bytes were free`).toEqual([])
    rmSync(root, { recursive: true })
  }
  expect([...codes].sort()).toEqual(['NO_SPACE', null].sort())
}, 60_000)

test('a disk that is full while a journal is opened or closed: a typed error or none, and nothing is lost', async ({
  skip,
}) => {
  const reason = noMount()
  if (reason !== null) skip(reason)
  for (const free of FREE) {
    const root = `${disk}/work-${free}`
    mkdirSync(root)
    fill(free)
    const first = await codeOf(async () => (await openJournal(root)).close())
    expect([null, 'NO_SPACE'], `opened new with ${free} bytes free`).toContain(first)
    empty()
    const journal = await openJournal(root)
    await base(journal)
    fill(free)
    await codeOf(() => journal.close())
    const again = await codeOf(async () => (await openJournal(root)).close())
    expect([null, 'NO_SPACE'], `opened with ${free} bytes free`).toContain(again)
    empty()
    expect(await reopened(root, []), `${free} bytes were free`).toEqual([])
    rmSync(root, { recursive: true })
  }
}, 60_000)

test('a disk that is full while a killed process is recovered from: the next opening with space finishes it', async ({
  skip,
}) => {
  const reason = noMount() ?? noShim()
  if (reason !== null) skip(reason)
  const page = new ShimPage(compileShim(folder), `${folder}/shim`, `${disk}/work`)
  await dieMidway(page, disk, `${folder}/dying.jsonl`)
  const codes = new Set<string | null>()
  for (const free of FREE) {
    const root = `${disk}/work`
    cpSync(`${disk}/template`, root, { recursive: true, verbatimSymlinks: true })
    fill(free)
    const code = await codeOf(async () => (await openJournal(root)).close())
    codes.add(code)
    expect([null, 'NO_SPACE'], `recovered with ${free} bytes free`).toContain(code)
    empty()
    expect(await reopened(root, []), `${free} bytes were free`).toEqual([])
    rmSync(root, { recursive: true })
  }
  expect([...codes].sort()).toEqual(['NO_SPACE', null].sort())
}, 60_000)

/** Contents that are kept as changes of others, and a horizon between them. */
import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

const OPTIONS = { segmentSize: 16 * 1024 }
const LINES = 60

const lineOf = (number: number, said: string) => `line ${number}, which says ${said}, and some words more\n`
const TEXT = Array.from({ length: LINES }, (_, number) => lineOf(number, 'nothing yet')).join('')

/** Edits two texts in turn; gives what each transaction made of which. */
async function edited(
  journal: Journal,
  texts: Map<string, string>,
  from: number,
  count: number,
  all: Map<number, [string, string]>,
) {
  for (let n = from; n < from + count; n += 1) {
    const path = `text ${n % 2}`
    const number = (n * 7) % LINES
    const before = texts.get(path) ?? TEXT
    const after = before.replace(new RegExp(`line ${number}, which says .*`), lineOf(number, `${n}`).trimEnd())
    if (n % 3 === 0) await journal.write(path, after)
    else {
      const [old = ''] = new RegExp(`line ${number}, which says .*`).exec(before) ?? []
      await journal.edit(path, [{ oldText: old, newText: lineOf(number, `${n}`).trimEnd() }])
    }
    texts.set(path, after)
    all.set(journal.head.seq, [path, after])
  }
}

async function check(journal: Journal, all: ReadonlyMap<number, readonly [string, string]>): Promise<number> {
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  expect(report.changed).toEqual([])
  const horizon = report.horizon?.seq ?? 0
  for (const [seq, [path, text]] of all) {
    if (seq <= horizon || seq > journal.head.seq) continue
    expect(Buffer.from(await journal.readAt(path, seq)).toString(), `${path} at ${seq}`).toBe(text)
  }
  return horizon
}

async function prepared(): Promise<{
  disk: SimDisk
  journal: Journal
  texts: Map<string, string>
  all: Map<number, [string, string]>
}> {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  const texts = new Map<string, string>()
  const all = new Map<number, [string, string]>()
  for (const path of ['text 0', 'text 1']) {
    await journal.write(path, TEXT)
    all.set(journal.head.seq, [path, TEXT])
  }
  await edited(journal, texts, 0, 90, all)
  return { disk, journal, texts, all }
}

describe('a drop between a content and what it is a change of', () => {
  it('leaves every version that is kept, drop after drop, with and without an index', async () => {
    const { disk, journal: first, texts, all } = await prepared()
    let journal = first
    let before = 0
    for (let round = 1; round <= 4; round += 1) {
      const { horizon } = await journal.compact({ keepTransactions: 20 })
      expect(horizon).toBeGreaterThan(before)
      before = horizon
      await check(journal, all)
      await edited(journal, texts, 90 * round, 40, all)
      expect(await check(journal, all)).toBe(before)
      await journal.undo(journal.head.seq)
      const undone = disk.readText(`${ROOT}/text 1`)
      all.set(journal.head.seq, ['text 1', undone])
      texts.set('text 1', undone)
      await journal.close()
      // The index is in memory here: each opening makes it anew.
      journal = await openOn(disk, OPTIONS)
      await check(journal, all)
    }
    await journal.purge('text 0')
    for (const [seq, [path]] of all) if (path === 'text 0') all.delete(seq)
    await check(journal, all)
    await journal.compact({ keepTransactions: 5 })
    await check(journal, all)
    await journal.close()
  })

  it('goes on beside edits that make changes of what is about to go', async () => {
    const { journal, texts, all } = await prepared()
    const dropping = journal.compact({ keepTransactions: 20 })
    await edited(journal, texts, 90, 30, all)
    await dropping
    await edited(journal, texts, 120, 10, all)
    expect(await check(journal, all)).toBeGreaterThan(0)
    await journal.close()
  })

  it.each(['process', 'any'] as const)('wherever it crashes: %s', { timeout: 300_000 }, async (model) => {
    for (let crash = 1; ; crash += 3) {
      const { disk, journal, all } = await prepared()
      const tree = workspace(disk)
      disk.faults.crashAtChange(crash)
      await journal.compact({ keepTransactions: 20 }).catch(() => undefined)
      const completed = !disk.faults.crashed
      await journal.close().catch(() => undefined)
      const left = disk.crash(model, { seed: crash })
      const again = await openOn(left, OPTIONS)
      expect(differences(tree, workspace(left))).toEqual([])
      await check(again, all)
      await again.close()
      expect(left.exists(`${ROOT}/text 0`)).toBe(true)
      if (completed) break
    }
  })
})

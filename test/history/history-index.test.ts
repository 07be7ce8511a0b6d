import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { HistoryIndex } from '../../src/history/history-index.ts'
import { openLevel, openMemory } from '../../src/history/index-database.ts'
import { history } from '../../src/history/log.ts'
import { stats } from '../../src/history/stats.ts'
import { knownPathsAt } from '../../src/history/tree.ts'
import { collect, TestJournal } from './fixture.ts'

const journals: TestJournal[] = []
function journal(segmentSize?: number): TestJournal {
  const made = new TestJournal(segmentSize)
  journals.push(made)
  return made
}
afterEach(async () => {
  for (const made of journals.splice(0)) await made.close()
})

const PATHS = ['a', 'a.txt', 'a/b', 'a/b/c', 'a-b', 'é', 'z/z']

/** Everything that the index can be asked. */
async function answers(index: HistoryIndex, made: TestJournal): Promise<unknown> {
  const head = await index.head()
  const trees: unknown[] = []
  for (let seq = 0; seq <= head.seq; seq += 1) trees.push(await collect(knownPathsAt(index, seq)))
  const logs: unknown[] = []
  for (const path of PATHS) logs.push(await collect(history(index, { path }, 0)))
  for (const actor of ['ann', 'bob']) logs.push(await collect(history(index, { actor, order: 'oldest' }, 0)))
  const { indexBytes: _, ...sizes } = await stats(index, made.source)
  const places = await Promise.all(
    [...made.states.values()].map((state) => (state?.kind === 'file' ? index.locate(state.hash) : null)),
  )
  return { head, trees, logs, sizes, places, all: await collect(history(index, {}, 0)) }
}

describe('the index is a projection', () => {
  test('deleted, rubbish, cut or in part: the answers are those of a rebuild, and of a plain fold of the log', async () => {
    const change = fc.record({
      path: fc.constantFrom(...PATHS),
      text: fc.option(fc.constantFrom('1', '2', '3'), { nil: null }),
      actor: fc.constantFrom('ann', 'bob'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 12 }),
        fc.array(change, { maxLength: 6 }),
        fc.constantFrom('nothing', 'delete', 'rubbish', 'cut', 'lose'),
        async (first, second, harm) => {
          const made = journal(64 * 1024)
          for (const { path, text, actor } of first) await made.set({ [path]: text }, { actor })
          const early = made.index()
          await answers(early, made)
          await early.close()
          for (const { path, text, actor } of second) await made.set({ [path]: text }, { actor })
          spoil(`${made.directory}/index`, harm)
          const index = made.index()
          const found = await answers(index, made)
          expect(index.volatile).toBe(false)
          const rebuilt = made.index({ openDatabase: openMemory })
          expect(found).toEqual(await answers(rebuilt, made))
          expect((found as { all: unknown }).all).toEqual(made.commits.toReversed())
          const states = new Map(
            (await collect(knownPathsAt(index, made.head.seq))).map(({ path, state }) => [path, state]),
          )
          expect(states).toEqual(made.states)
          await index.close()
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)

  test('an index of a log that lost its end is not believed', async () => {
    const made = journal()
    await made.set({ a: '1' })
    await made.set({ a: '2' })
    const size = lastByte(made)
    await made.set({ b: '3' })
    const index = made.index()
    expect((await index.head()).seq).toBe(3)
    await index.close()
    // No frame says that the last one was ever durable: a power cut may take it.
    fs.truncateSync(made.segments.path(1), size)
    const again = made.index()
    expect((await again.head()).seq).toBe(2)
    expect((await again.current('b')) === null).toBe(true)
  })

  test('an index of a log that lost what had been durable says so, each time it is asked', async () => {
    const made = journal()
    await made.set({ a: '1' })
    const size = lastByte(made)
    await made.set({ a: '2' })
    await made.set({ b: '3' })
    const index = made.index()
    expect((await index.head()).seq).toBe(3)
    await index.close()
    fs.truncateSync(made.segments.path(1), size)
    for (let look = 0; look < 2; look += 1) {
      const again = made.index()
      await expect(again.head()).rejects.toMatchObject({ code: 'CORRUPT', details: { lost: { from: 2, to: 2 } } })
      await again.close()
    }
  })

  test('another holder of the index: the history was held in memory; now a folder holds it, gone at the close', async () => {
    const made = journal()
    await made.set({ a: '1' })
    fs.mkdirSync(`${made.directory}/index`)
    const holder = await openLevel(`${made.directory}/index`)
    const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'wj-scratch-'))
    vi.stubEnv('TMPDIR', temporary)
    try {
      const index = made.index()
      expect((await index.head()).seq).toBe(1)
      expect(index.volatile).toBe(true)
      expect(fs.readdirSync(temporary)).toHaveLength(1)
      await made.set({ a: '2' })
      expect((await index.head()).seq).toBe(2)
      // What a killed process left goes; what is in use stays.
      await (await openLevel(`${temporary}/write-journal-index-killed`)).close()
      fs.utimesSync(`${temporary}/write-journal-index-killed`, 1, 1)
      const other = made.index()
      expect((await other.head()).seq).toBe(2)
      expect(fs.readdirSync(temporary)).toHaveLength(2)
      expect(fs.existsSync(`${temporary}/write-journal-index-killed`)).toBe(false)
      await index.close()
      await other.close()
      expect(fs.readdirSync(temporary)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      fs.rmSync(temporary, { recursive: true })
    }
    await holder.put('still', new Uint8Array([1]))
    await holder.close()
  })

  test('an idle index is let go, and comes back by itself', async () => {
    const made = journal()
    await made.set({ a: '1' })
    const index = made.index({ idleMs: 20 })
    await index.head()
    await new Promise((resolve) => setTimeout(resolve, 150))
    const other = made.index()
    expect((await other.head()).seq).toBe(1)
    expect(other.volatile).toBe(false)
    await other.close()
    await made.set({ a: '2' })
    expect((await index.head()).seq).toBe(2)
    expect(index.volatile).toBe(false)
  })

  test('after a new start of the machine only an index that was synced is believed', async () => {
    const made = journal()
    await made.set({ a: '1' })
    const open = async (location: string) => {
      const database = await openLevel(location)
      opened.push(database)
      return database
    }
    const opened: Awaited<ReturnType<typeof openLevel>>[] = []
    const index = made.index({ openDatabase: open })
    await index.head()
    // The process dies without closing; some of what it wrote never reached the disk.
    await opened[0]?.del('fa')
    await opened[0]?.close()
    Object.defineProperty(made.disk, 'bootId', { value: 'another' })
    const later = made.index()
    expect((await later.current('a'))?.seq).toBe(1)
  })

  test('beside a writer at work: every answer is a beginning of the history, and the newest one is soon there', async () => {
    const made = journal(256 * 1024)
    const index = made.index()
    let stop = false
    const writing = (async () => {
      for (let n = 0; n < 1500; n += 1) await made.set({ [`f${n % 9}`]: `${n} `.repeat(200) })
      stop = true
    })()
    let last = 0
    for (; !stop; await new Promise((resolve) => setImmediate(resolve))) {
      const { seq, chain } = await index.head()
      expect(seq).toBeGreaterThanOrEqual(last)
      if (seq > 0) expect(chain).toBe(made.commits[seq - 1]?.chain ?? chain)
      last = seq
    }
    await writing
    expect(made.segments.list().length).toBeGreaterThan(3)
    expect(await index.head()).toEqual(made.head)
  }, 30_000)

  test('damage in the middle of the log is said, and with tolerance what stands before it can be read', async () => {
    const made = journal()
    for (const text of ['1', '2', '3']) await made.set({ a: text })
    await made.term()
    const bytes = fs.readFileSync(made.segments.path(1))
    const at = bytes.indexOf(made.commits[1]?.tx as string)
    bytes[at] = (bytes[at] as number) ^ 1
    fs.writeFileSync(made.segments.path(1), bytes)
    await expect(made.index().head()).rejects.toMatchObject({ code: 'CORRUPT' })
    expect((await made.index({ openDatabase: openMemory, tolerant: true }).head()).seq).toBe(1)
  })
})

function spoil(folder: string, harm: string): void {
  if (harm === 'delete') fs.rmSync(folder, { recursive: true, force: true })
  for (const name of harm === 'delete' ? [] : fs.readdirSync(folder)) {
    const file = `${folder}/${name}`
    if (harm === 'rubbish') fs.writeFileSync(file, 'rubbish that is no LevelDB')
    if (harm === 'cut') fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))
    if (harm === 'lose' && /^(MANIFEST|.*\.ldb)/.test(name)) fs.rmSync(file)
  }
}

function lastByte(made: TestJournal): number {
  const bytes = fs.readFileSync(made.segments.path(1))
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return Math.ceil(end / 8) * 8
}

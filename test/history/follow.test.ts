/** Following a journal: what is shown, when, and from where. */
import fs from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeCommit, pack } from '../../src/entry/codec.ts'
import type { ChainedCommit } from '../../src/entry/commit.ts'
import { encodeCheckpoint } from '../../src/entry/control.ts'
import { type FollowOptions, follow } from '../../src/history/follow.ts'
import type { HistorySource } from '../../src/history/source.ts'
import { writeHint } from '../../src/store/checkpoint-hint.ts'
import { DurableNote, readDurableNote } from '../../src/store/durable-note.ts'
import { Layout } from '../../src/store/layout.ts'
import { failure } from '../journal/fixture.ts'
import { TestJournal } from './fixture.ts'

let made: TestJournal
const ends: AbortController[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) end.abort()
  await made.close()
})

/** What a follower has been shown so far. */
class Shown {
  readonly seqs: number[] = []
  readonly commits: ChainedCommit[] = []
  readonly ended: Promise<void>
  readonly #end = new AbortController()

  constructor(options: FollowOptions = {}, source: HistorySource = made.source) {
    ends.push(this.#end)
    const host = { signal: this.#end.signal, holds: true }
    this.ended = this.#run(follow(source, made.index(), options, host))
    this.ended.catch(() => undefined)
  }

  async #run(commits: AsyncIterable<ChainedCommit>): Promise<void> {
    for await (const commit of commits) {
      this.seqs.push(commit.seq)
      this.commits.push(commit)
    }
  }

  async reaches(seq: number): Promise<void> {
    for (let turn = 0; turn < 2000 && this.seqs.at(-1) !== seq; turn += 1) await pause(5)
    expect(this.seqs.at(-1)).toBe(seq)
  }

  end(): Promise<void> {
    this.#end.abort()
    return this.ended
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** Long enough for several looks. */
const LOOKS_MS = 700

describe('what no crash can take back', () => {
  test('a later frame proves it; until then it is not shown', async () => {
    made = new TestJournal()
    const shown = new Shown({ from: 'beginning' })
    await made.set({ a: '1' })
    await pause(LOOKS_MS)
    expect(shown.seqs).toEqual([])
    await made.set({ a: '2' })
    await shown.reaches(1)
    await pause(LOOKS_MS)
    expect(shown.seqs).toEqual([1])
    await made.term()
    await shown.reaches(2)
    expect(shown.commits).toEqual(made.commits)
  })

  test('the note of the writer proves it, and no note that is damaged or of another journal', async () => {
    made = new TestJournal()
    const { disk, journalId, root, directory } = made
    const layout = new Layout(root)
    await made.set({ a: '1' })
    const end = made.end
    const other = new DurableNote(disk, layout, 'f'.repeat(32))
    other.synced(end)
    other.close()
    expect(readDurableNote(disk, layout, journalId)).toBe(0)
    const note = new DurableNote(disk, layout, journalId)
    const shown = new Shown({ from: 'beginning' })
    await pause(LOOKS_MS)
    expect(shown.seqs).toEqual([])
    note.synced(end - 8)
    await pause(LOOKS_MS)
    expect(shown.seqs).toEqual([])
    note.synced(end)
    await shown.reaches(1)
    note.close()
    const text = fs.readFileSync(`${directory}/DURABLE`, 'latin1')
    expect(text).toMatch(/^\d{22} [0-9a-f]{16}\n$/)
    for (const broken of [`1${text.slice(1)}`, text.slice(1), '', `${text}x`.slice(2), 'rubbish'.repeat(9)]) {
      fs.writeFileSync(`${directory}/DURABLE`, broken)
      expect(readDurableNote(disk, layout, journalId)).toBe(0)
    }
    fs.rmSync(`${directory}/DURABLE`)
    expect(readDurableNote(disk, layout, journalId)).toBe(0)
  })

  test('a checkpoint that is named proves what is before it', async () => {
    made = new TestJournal()
    await made.set({ a: '1' })
    const at = made.end
    const record = { redo: at, ...made.head, boot: 'boot', clean: true }
    await made.append([{ kind: 'checkpoint', payload: encodeCheckpoint(record) }])
    // The frame itself says that what is before it was durable: to be told by the hint alone, nobody may read it.
    await writeHint(made.disk, new Layout(made.root), made.journalId, at)
    const shown = new Shown({ from: 'beginning' })
    await shown.reaches(1)
  })

  test('the writer knows it in its own process', async () => {
    made = new TestJournal()
    let durable = 0
    const shown = new Shown({ from: 'beginning' }, { ...made.source, durable: () => durable })
    await made.set({ a: '1' })
    await pause(LOOKS_MS)
    expect(shown.seqs).toEqual([])
    durable = made.end
    await shown.reaches(1)
  })

  test('a torn end is waited for, and gone on behind when it was cut off', async () => {
    made = new TestJournal()
    await made.set({ a: '1' })
    await made.term()
    const shown = new Shown({ from: 'beginning' })
    await shown.reaches(1)
    const path = made.segments.path(1)
    const { size } = fs.statSync(path)
    const at = Number(made.end % 2 ** 32)
    const handle = fs.openSync(path, 'r+')
    fs.writeSync(handle, 'WJF1 and half of a frame', at)
    await pause(LOOKS_MS)
    fs.writeSync(handle, new Uint8Array(24), 0, 24, at)
    fs.closeSync(handle)
    expect(fs.statSync(path).size).toBeGreaterThanOrEqual(size)
    await made.set({ a: '2' })
    await made.term()
    await shown.reaches(2)
    expect(shown.seqs).toEqual([1, 2])
  })

  test('what was proven and cannot be read is corruption', async () => {
    made = new TestJournal()
    const ends: number[] = []
    for (let n = 1; n <= 5; n += 1) {
      await made.set({ a: String(n) })
      ends.push(Number(made.end % 2 ** 32))
    }
    const handle = fs.openSync(made.segments.path(1), 'r+')
    // In the commit of the third; contents are none of a follower's business.
    fs.writeSync(handle, 'x', (ends[2] as number) - 40)
    fs.closeSync(handle)
    const shown = new Shown({ from: 'beginning' })
    const note = new DurableNote(made.disk, new Layout(made.root), made.journalId)
    note.synced(made.end)
    note.close()
    expect((await failure(() => shown.ended)).code).toBe('CORRUPT')
    expect(shown.seqs).toEqual([1, 2])
  })
})

describe('from where', () => {
  async function ten(): Promise<void> {
    made = new TestJournal(4096)
    for (let n = 1; n <= 10; n += 1) await made.set({ a: 'x'.repeat(900) + n })
    await made.term()
  }

  test.each([
    ['beginning', 1],
    [0, 1],
    [4, 5],
    ['t000000000000004', 5],
    ['t00000000000000a', null],
    ['head', null],
    [new Date(1_750_000_003_500), 4],
  ] as const)('%s', async (from, first) => {
    await ten()
    const shown = new Shown({ from })
    if (first === null) await pause(LOOKS_MS)
    else await shown.reaches(10)
    await made.set({ b: '11' })
    await made.term()
    await shown.reaches(11)
    const start = first ?? 11
    expect(shown.seqs).toEqual(Array.from({ length: 12 - start }, (_, n) => start + n))
  })

  test('now means when it was asked for; each follower has a place of its own', async () => {
    await ten()
    const source = made.source
    const host = { signal: new AbortController().signal, holds: true }
    const early = follow(source, made.index(), {}, host)
    await made.set({ b: '11' })
    await made.term()
    const late = follow(source, made.index(), { from: 'now' }, host)
    await made.set({ b: '12' })
    await made.term()
    expect((await early.next()).value?.seq).toBe(11)
    expect((await late.next()).value?.seq).toBe(12)
    expect((await early.next()).value?.seq).toBe(12)
    await early.return(undefined)
    await late.return(undefined)
  })

  test('what there is not is refused', async () => {
    await ten()
    for (const [from, code] of [
      [99, 'NOT_FOUND'],
      ['tzzzz', 'NOT_FOUND'],
      ['whenever', 'INVALID'],
    ] as const)
      expect((await failure(() => new Shown({ from }).ended)).code).toBe(code)
  })

  test('the signal ends it, also while it waits', async () => {
    await ten()
    const shown = new Shown({ from: 'now' })
    await pause(20)
    await shown.end()
    expect(shown.seqs).toEqual([])
    const given = AbortSignal.abort()
    const none = new Shown({ from: 'beginning', signal: given })
    await none.ended
    expect(none.seqs).toEqual([])
  })

  test('who is slow holds nothing up, and misses nothing', async () => {
    await ten()
    const host = { signal: new AbortController().signal, holds: true }
    const slow = follow(made.source, made.index(), { from: 'beginning' }, host)
    expect((await slow.next()).value?.seq).toBe(1)
    for (let n = 11; n <= 40; n += 1) await made.set({ a: 'y'.repeat(900) + n })
    await made.term()
    for (let n = 2; n <= 40; n += 1) expect((await slow.next()).value?.seq).toBe(n)
    await slow.return(undefined)
  })

  test('one that does not follow the one before by its chain value is refused', async () => {
    await ten()
    const shown = new Shown({ from: 9 })
    await shown.reaches(10)
    const payload = pack(['x'.repeat(32), encodeCommit({ ...(made.commits[9] as ChainedCommit), seq: 11 }).body, []])
    await made.append([{ kind: 'commit', payload }])
    await made.term()
    expect((await failure(() => shown.ended)).code).toBe('CORRUPT')
  })
})

import { describe, expect, it, vi } from 'vitest'
import { JournalError } from '../../src/errors.ts'
import { LOG_START, offsetOf, segmentOf } from '../../src/log/position.ts'
import { commit, TestLog } from './fixture.ts'

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: JournalError) => {
      expect(error).toBeInstanceOf(JournalError)
      expect(error.hint).not.toBe('')
      return error.code
    },
  )

const syncs = (log: TestLog): number => log.disk.faults.trace?.filter(({ kind }) => kind === 'sync').length ?? 0

describe('the log writer', () => {
  it('gives back where each append ends, and the reader finds them', async () => {
    const log = new TestLog()
    const writer = log.writer()
    const ends = [await writer.append(commit('one')), await writer.append(commit('two'))]
    expect(ends[0]).toBeLessThan(ends[1] as number)
    expect(writer.end).toBe(ends[1])
    expect(writer.durable).toBe(ends[1])
    expect(writer.acknowledged).toBe(ends[1])
    expect(log.texts()).toEqual(['one', 'two'])
    expect(log.read().frames[0]?.kind).toBe('segment')
    expect(log.read().end).toMatchObject({ position: ends[1], unread: false })
    await writer.close()
    expect(log.disk.openHandles).toEqual([])
  })

  it('says in each frame how much was durable before it', async () => {
    const log = new TestLog()
    const writer = log.writer()
    const first = await writer.append(commit('one'))
    await writer.append(commit('two', 'os'))
    await writer.append(commit('three'))
    const [, one, two, three] = log.read().frames
    expect([one?.durable, two?.durable, three?.durable]).toEqual([LOG_START, first, first])
    await writer.close()
  })

  it('lets appends that arrive during a sync share the next one', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('warm'))
    await writer.append(commit('up'))
    let open: () => void = () => undefined
    log.disk.faults.trace = []
    log.disk.syncGate = () => new Promise((resolve) => (open = resolve))
    const first = writer.append(commit('first'))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(syncs(log)).toBe(1)
    const others = Array.from({ length: 50 }, (_, i) => writer.append(commit(`other ${i}`)))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(syncs(log)).toBe(1)
    log.disk.syncGate = null
    open()
    await Promise.all([first, ...others])
    expect(syncs(log)).toBe(2)
    expect(log.disk.faults.trace.filter(({ kind }) => kind === 'write')).toHaveLength(2)
    expect(log.texts()).toHaveLength(53)
    await writer.close()
  })

  it('shares one sync among appends of the same moment', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('warm'))
    log.disk.faults.trace = []
    await Promise.all([writer.append(commit('a')), writer.append(commit('b')), writer.append(commit('c'))])
    expect(syncs(log)).toBe(1)
    await writer.close()
  })

  it('begins without any delay', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('warm'))
    const timers = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setImmediate')]
    try {
      await writer.append(commit('at once'))
      for (const timer of timers) expect(timer).not.toHaveBeenCalled()
    } finally {
      for (const timer of timers) timer.mockRestore()
    }
    await writer.close()
  })

  it('makes no sync for what need not be durable, and covers it with the next', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('warm'))
    const durable = writer.durable
    log.disk.faults.trace = []
    await writer.append(commit('soft', 'os'))
    expect(syncs(log)).toBe(0)
    expect(writer.durable).toBe(durable)
    expect(writer.acknowledged).toBe(writer.end)
    await writer.append(commit('hard'))
    expect(syncs(log)).toBe(1)
    expect(writer.durable).toBe(writer.end)
    await writer.close()
  })

  it('acknowledges only what a power cut leaves', async () => {
    const log = new TestLog()
    const writer = log.writer(undefined, 8192)
    for (let i = 0; i < 20; i += 1) {
      await writer.append(commit(`${i} `.repeat(100)))
      for (const model of ['ordered', 'any'] as const) {
        const left = new TestLog(log.disk.crash(model, { seed: i + 1 }))
        expect(left.texts().length, `${model} ${i}`).toBeGreaterThanOrEqual(i + 1)
      }
    }
    await writer.close()
  })

  it('writes all of it where the disk takes only parts', async () => {
    const log = new TestLog({ shortWrites: 0.9, shortReads: 0.9 })
    const writer = log.writer()
    const texts = Array.from({ length: 30 }, (_, i) => `${i} `.repeat(i * 20 + 1))
    for (const text of texts) await writer.append(commit(text))
    expect(log.texts()).toEqual(texts)
    await writer.close()
  })

  it('is poisoned by a failed sync, and never syncs again', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('good'))
    const { acknowledged, durable } = writer
    log.disk.faults.trace = []
    log.disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    const codes = await Promise.all([codeOf(writer.append(commit('a'))), codeOf(writer.append(commit('b')))])
    expect(codes).toEqual(['IO', 'POISONED'])
    expect(syncs(log)).toBe(1)
    expect(writer.poison?.code).toBe('IO')
    expect(await codeOf(writer.append(commit('c')))).toBe('POISONED')
    expect(await codeOf(writer.append(commit('d', 'os')))).toBe('POISONED')
    await writer.close()
    expect(syncs(log)).toBe(1)
    expect([writer.acknowledged, writer.durable]).toEqual([acknowledged, durable])
    expect(log.disk.openHandles).toEqual([])
  })

  it('is poisoned by a failed write, and what waited is turned away', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('good'))
    log.disk.faults.trace = []
    log.disk.faults.failAt(1, 'EIO', { kinds: ['write'] })
    const first = codeOf(writer.append(commit('a')))
    expect(await first).toBe('IO')
    expect(await codeOf(writer.append(commit('b')))).toBe('POISONED')
    expect(syncs(log)).toBe(0)
    await writer.close()
    expect(log.texts()).toEqual(['good'])
  })

  it('turns away those that queue up behind a failing sync', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('good'))
    log.disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    const first = codeOf(writer.append(commit('a')))
    await null
    await null
    const second = codeOf(writer.append(commit('b')))
    expect(await first).toBe('IO')
    expect(await second).toBe('POISONED')
    await writer.close()
  })

  it('refuses what there is no room for, and goes on when there is', async () => {
    const log = new TestLog({ capacity: 400 * 1024 })
    const writer = log.writer()
    await writer.append(commit('good'))
    const large = commit('x'.repeat(600 * 1024))
    expect(await codeOf(writer.append(large))).toBe('NO_SPACE')
    expect(writer.poison).toBeNull()
    await writer.append(commit('still good'))
    Object.assign(log.disk.options, { capacity: 2 ** 30 })
    await writer.append(large)
    expect(log.texts()).toEqual(['good', 'still good', 'x'.repeat(600 * 1024)])
    await writer.close()
  })

  it('writes ahead of its end, so that a sync need not change the size of the file', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('warm'))
    await writer.append(commit('up'))
    const size = log.segments.size(1)
    expect(size).toBeGreaterThan(offsetOf(writer.end))
    for (let i = 0; i < 100; i += 1) await writer.append(commit('small'))
    expect(log.segments.size(1)).toBe(size)
    expect(log.read().end).toMatchObject({ position: writer.end, unread: false })
    await writer.close()
  })

  it('rolls over to a new segment, in which frames go on in order', async () => {
    const log = new TestLog()
    const writer = log.writer(undefined, 8192)
    const texts = Array.from({ length: 40 }, (_, i) => `${i} `.repeat(200))
    for (const text of texts) await writer.append(commit(text))
    expect(log.segments.list().length).toBeGreaterThan(2)
    expect(log.texts()).toEqual(texts)
    for (const segment of log.segments.list()) {
      expect(log.segments.size(segment)).toBeLessThanOrEqual(8192)
      const first = log.reader.frameAt(segment * 2 ** 32)
      expect(first?.kind).toBe('segment')
      expect(Buffer.from(first?.payload ?? []).toString()).toBe(`segment ${segment}`)
    }
    const sequences = log.read().frames.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, i) => i + 1))
    await writer.close()
  })

  it('spreads one append over several segments', async () => {
    const log = new TestLog()
    const writer = log.writer(undefined, 8192)
    const frames = Array.from({ length: 10 }, (_, i) => ({
      kind: 'commit' as const,
      payload: Buffer.alloc(3000, `${i}`),
    }))
    const end = await writer.append({ frames, size: 31_000, durability: 'full' })
    expect(segmentOf(end)).toBeGreaterThan(3)
    expect(log.texts()).toHaveLength(10)
    await writer.close()
  })

  it('goes on where another one ended', async () => {
    const log = new TestLog()
    const first = log.writer()
    await first.append(commit('one'))
    await first.close()
    const { end } = log.read()
    const state = { end: end.position, sequence: end.last?.sequence ?? 0, term: 2, durable: end.position }
    const second = log.writer(state)
    await second.append(commit('two'))
    await second.close()
    expect(log.texts()).toEqual(['one', 'two'])
    expect(log.read().frames.map(({ term }) => term)).toEqual([1, 1, 2])
  })

  it('refuses a frame larger than a segment', async () => {
    const log = new TestLog()
    const writer = log.writer(undefined, 8192)
    expect(await codeOf(writer.append(commit('x'.repeat(9000))))).toBe('INVALID')
    await writer.close()
  })

  it('tells where a frame will stand before it is written', async () => {
    const log = new TestLog()
    const writer = log.writer()
    const positions: number[] = []
    const placed = (position: number): void => {
      positions.push(position)
    }
    await writer.append({
      frames: [
        { kind: 'content', payload: Buffer.from('content'), placed },
        { kind: 'commit', payload: Buffer.from('commit'), placed },
      ],
      size: 200,
      durability: 'full',
    })
    expect(positions.map((position) => log.reader.frameAt(position)?.kind)).toEqual(['content', 'commit'])
    await writer.close()
  })
})

import { describe, expect, it } from 'vitest'
import { HEADER_SIZE } from '../../src/log/frame.ts'
import { offsetOf, type Position, positionOf } from '../../src/log/position.ts'
import { corruptionError, cutTail, judgeTail } from '../../src/log/tail.ts'
import { commit, TestLog } from './fixture.ts'

/** Three durable commits, then one batch of two that may not be. */
async function written(): Promise<{ log: TestLog; positions: Position[] }> {
  const log = new TestLog()
  const writer = log.writer()
  for (const text of ['one', 'two', 'three']) await writer.append(commit(text.repeat(100)))
  await Promise.all([writer.append(commit('four'.repeat(100))), writer.append(commit('five'.repeat(100)))])
  await writer.close()
  return { log, positions: log.read().frames.map(({ position }) => position) }
}

function hit(log: TestLog, position: Position): void {
  log.damage(offsetOf(position) + HEADER_SIZE, (bytes) => {
    bytes[0] = (bytes[0] as number) ^ 1
  })
}

describe('what is no valid frame', () => {
  it.each([1, 2])('is corruption where later frames prove that it was durable (commit %i)', async (which) => {
    const { log, positions } = await written()
    const position = positions[which] as Position
    hit(log, position)
    const { end } = log.read()
    expect(end).toMatchObject({ position, unread: true })
    const verdict = judgeTail(log.reader, position)
    expect(verdict).toMatchObject({ verdict: 'corrupt', intactBehind: positions.length - which - 1 })
    expect(verdict.evidence).toBeGreaterThan(position)
    const error = corruptionError(position, verdict)
    expect(error.code).toBe('CORRUPT')
    expect(error.details).toMatchObject({ position: [1, offsetOf(position)] })
  })

  it.each([4, 5])('is torn where nothing proves it (frame %i, of the last batch)', async (which) => {
    const { log, positions } = await written()
    const position = positions[which] as Position
    hit(log, position)
    expect(judgeTail(log.reader, position)).toMatchObject({ verdict: 'torn', evidence: null, intactBehind: 5 - which })
  })

  it('is torn at every length of an unfinished write', async () => {
    const { log, positions } = await written()
    const whole = log.disk.readFile(log.path())
    const from = offsetOf(positions[4] as Position)
    const { end } = log.read()
    for (let length = from + 1; length < offsetOf(end.position); length += 7) {
      const copy = new TestLog(log.disk.copy())
      copy.disk.writeFile(copy.path(), whole.subarray(0, length))
      const found = copy.read()
      if (!found.end.unread) continue
      expect(judgeTail(copy.reader, found.end.position).verdict, `length ${length}`).toBe('torn')
      const kept = found.frames.length
      await cutTail(copy.reader, found.end.position, '/broken', 'torn')
      const again = copy.read()
      expect(again.end).toMatchObject({ position: found.end.position, unread: false })
      expect(again.frames).toHaveLength(kept)
      const [name] = copy.disk.tree('/broken').keys()
      const copied = copy.disk.readFile(`/broken/${name}`)
      const cut = whole.subarray(offsetOf(found.end.position), length)
      expect(Buffer.compare(copied, cut.subarray(0, copied.length))).toBe(0)
      expect(cut.subarray(copied.length).every((byte) => byte === 0)).toBe(true)
    }
  })

  it('of several segments is cut as a whole, and a crash in between does no harm', async () => {
    const log = new TestLog()
    const writer = log.writer(undefined, 8192)
    await writer.append(commit('kept'))
    const end = writer.end
    const frames = Array.from({ length: 8 }, (_, i) => ({
      kind: 'content' as const,
      payload: Buffer.alloc(3000, `${i}`),
    }))
    await writer.append({ frames, size: 25_000, durability: 'os' })
    await writer.close()
    const segments = log.segments.list().length
    expect(segments).toBeGreaterThan(2)
    log.damage(offsetOf(end) + HEADER_SIZE, (bytes) => bytes.fill(7, 0, 10))
    // Rolling over syncs, so that later frames would prove the loss: those are taken away.
    for (const segment of log.segments.list().slice(1))
      log.disk.writeFile(log.path(segment), new Uint8Array(100).fill(9))
    expect(judgeTail(log.reader, end).verdict).toBe('torn')
    for (let k = 1; k < 100; k += 1) {
      const copy = new TestLog(log.disk.copy())
      copy.disk.faults.crashAtChange(k)
      const done = await cutTail(copy.reader, end, '/broken', 'torn').then(
        () => true,
        () => false,
      )
      const left = new TestLog(copy.disk.crash('any', { seed: k }))
      const state = left.read().end
      expect(state.position, `k=${k}`).toBe(end)
      if (state.unread) {
        expect(judgeTail(left.reader, end).verdict).toBe('torn')
        await cutTail(left.reader, end, '/broken', 'torn')
      }
      expect(left.read().end).toMatchObject({ position: end, unread: false })
      expect(left.segments.list()).toEqual([1])
      if (done) return
    }
    throw new Error('never done')
  })

  it('is cut from its end on, so that no number of a segment is ever missing', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('kept'))
    const { end } = writer
    await writer.close()
    log.damage(offsetOf(end), (bytes) => bytes.fill(7, 0, 10))
    for (const segment of [2, 3, 4]) log.disk.writeFile(log.path(segment), new Uint8Array(100).fill(9))
    for (let k = 1; k < 100; k += 1) {
      const copy = new TestLog(log.disk.copy())
      copy.disk.faults.crashAtChange(k)
      const done = await cutTail(copy.reader, end, '/broken', 'torn').then(
        () => true,
        () => false,
      )
      const left = new TestLog(copy.disk.crash('process')).segments.list()
      expect(left, `k=${k}`).toEqual(left.map((_, index) => index + 1))
      if (done) return expect(left).toEqual([1])
    }
    throw new Error('never done')
  })

  it('that has a segment of its own leaves none', async () => {
    const log = new TestLog()
    const writer = log.writer()
    await writer.append(commit('kept'))
    await writer.close()
    log.disk.writeFile(log.path(2), new Uint8Array(100).fill(9))
    await cutTail(log.reader, positionOf(2, 0), '/broken', 'torn')
    expect(log.segments.list()).toEqual([1])
    expect(log.read().end).toMatchObject({ unread: false })
    expect(log.texts()).toEqual(['kept'])
  })

  it('at the very beginning of the log', async () => {
    const log = new TestLog()
    log.disk.writeFile(log.path(), 'nonsense')
    const { end } = log.read()
    expect(end).toMatchObject({ position: positionOf(1, 0), unread: true })
    await cutTail(log.reader, end.position, '/broken', 'torn')
    const writer = log.writer()
    await writer.append(commit('begins'))
    expect(log.texts()).toEqual(['begins'])
    await writer.close()
  })
})

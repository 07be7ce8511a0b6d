import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HEADER_SIZE } from '../../src/log/frame.ts'
import type { Frame } from '../../src/log/log-reader.ts'
import { LOG_START, offsetOf, positionOf } from '../../src/log/position.ts'
import { commit, TestLog } from './fixture.ts'

/** With a hash in place of a payload that may be long. */
function told(frame: Frame): object {
  return { ...frame, payload: createHash('sha256').update(frame.payload).digest('hex') }
}

async function written(count: number, segmentSize?: number): Promise<TestLog> {
  const log = new TestLog()
  const writer = log.writer(undefined, segmentSize)
  for (let i = 0; i < count; i += 1) await writer.append(commit(`${i} `.repeat(150)))
  await writer.close()
  return log
}

describe('the log reader', () => {
  it('finds nothing in an empty log', () => {
    expect(new TestLog().read()).toEqual({ frames: [], end: { position: LOG_START, unread: false, last: null } })
  })

  it('reads frames of any size, whatever is read between them', async () => {
    const log = new TestLog()
    const writer = log.writer()
    // Below, at and above what is looked at and read at once.
    const sizes = [1, 700, 131_000, 131_072 - 56, 131_072, 131_073, 5, 1_048_520, 1_048_577, 3_000_000, 12, 65_536]
    const texts = sizes.map((size, at) => String.fromCharCode(97 + at).repeat(size))
    for (const text of texts) await writer.append(commit(text))
    await writer.close()
    const { frames, end } = log.read()
    const read = frames.filter(({ kind }) => kind === 'commit').map(({ payload }) => Buffer.from(payload).toString())
    expect(read.map((text) => `${text[0]}${text.length}`)).toEqual(texts.map((text) => `${text[0]}${text.length}`))
    const others = log.reader.read()
    const passing = log.reader.read(LOG_START, { passing: true })
    for (const [at, frame] of frames.entries()) {
      const one = passing.next()
      expect(one.done ? null : told(one.value)).toEqual(told(frame))
      others.next()
      const far = frames[(at * 7 + 3) % frames.length] as Frame
      expect(told(log.reader.frameAt(far.position) as Frame)).toEqual(told(far))
    }
    expect(passing.next()).toEqual({ done: true, value: end })
    for (const { position, payload } of frames.slice(1)) {
      const at = offsetOf(position) + HEADER_SIZE + payload.byteLength - 1
      log.damage(at, (bytes) => {
        bytes[0] = (bytes[0] as number) ^ 1
      })
      expect(log.reader.frameAt(position)).toBeNull()
      expect(log.read(position).frames).toEqual([])
      log.damage(at, (bytes) => {
        bytes[0] = (bytes[0] as number) ^ 1
      })
    }
  })

  it('begins at any frame', async () => {
    const log = await written(5)
    const all = log.read().frames
    for (const [i, { position }] of all.entries()) {
      expect(log.read(position).frames.map(({ sequence }) => sequence)).toEqual(
        all.slice(i).map(({ sequence }) => sequence),
      )
    }
  })

  it('stops before a position', async () => {
    const log = await written(5)
    const third = log.read().frames[3]
    const { frames, end } = log.read(LOG_START, { until: third?.position ?? 0 })
    expect(frames).toHaveLength(3)
    expect(end).toMatchObject({ position: third?.position, unread: false })
  })

  it('passes over kinds it is told to', async () => {
    const log = await written(3)
    const { frames, end } = log.read(LOG_START, { skip: new Set(['commit']) })
    expect(frames.map(({ payload }) => payload.byteLength > 0)).toEqual([true, false, false, false])
    expect(end.position).toBe(log.read().end.position)
  })

  it('takes zeros behind the end for nothing', async () => {
    const log = await written(3)
    const { end } = log.read()
    const bytes = log.disk.readFile(log.path())
    log.disk.writeFile(log.path(), Buffer.concat([bytes, new Uint8Array(100_000)]))
    expect(log.read().end).toEqual(end)
  })

  it.each([1, 8, 55, 56, 57, 3000])('reports %i strange bytes behind the end', async (length) => {
    const log = await written(3)
    const { end } = log.read()
    const bytes = log.disk.readFile(log.path()).subarray(0, offsetOf(end.position))
    log.disk.writeFile(log.path(), Buffer.concat([bytes, new Uint8Array(length).fill(0x57)]))
    expect(log.read().end).toEqual({ ...end, unread: true })
  })

  it('ends at the first frame that is damaged, wherever', async () => {
    const log = await written(4)
    const { frames } = log.read()
    for (const [i, { position, length }] of frames.entries()) {
      for (const at of [0, 9, 20, 45, HEADER_SIZE - 1, HEADER_SIZE, HEADER_SIZE + length - 1]) {
        const copy = new TestLog(log.disk.copy())
        copy.damage(offsetOf(position) + at, (bytes) => {
          bytes[0] = (bytes[0] as number) ^ 0x10
        })
        const found = copy.read()
        expect(found.frames, `frame ${i}, byte ${at}`).toHaveLength(i)
        expect(found.end).toMatchObject({ position, unread: true })
      }
    }
  })

  it('does not take a frame that stands out of order', async () => {
    const log = await written(4)
    const { frames } = log.read()
    // The second commit is gone, and the third stands in its place: its own position is another.
    const [, first, second] = frames
    const bytes = log.disk.readFile(log.path())
    bytes.copyWithin(offsetOf(first?.position ?? 0), offsetOf(second?.position ?? 0), bytes.length - 600)
    log.disk.writeFile(log.path(), bytes)
    expect(log.read().frames).toHaveLength(1)
  })

  it('goes on in the next segment', async () => {
    const log = await written(40, 8192)
    expect(log.read().frames.filter(({ kind }) => kind === 'segment').length).toBeGreaterThan(1)
    expect(log.texts()).toHaveLength(40)
  })

  it('does not go on in a segment that does not continue the one before', async () => {
    const log = await written(40, 8192)
    const last = log.segments.list().at(-1) as number
    const begin = log.read(positionOf(last, 0)).frames[0]
    expect(begin?.kind).toBe('segment')
    log.damage(20, (bytes) => bytes.fill(1, 0, 4), last)
    const { end } = log.read()
    expect(end.unread).toBe(true)
    expect(end.position).toBeLessThan(positionOf(last, 0))
  })

  it('reads frames at a position, and nothing where none stands', async () => {
    const log = await written(2)
    const [first] = log.read().frames
    expect(log.reader.frameAt(first?.position ?? 0)?.sequence).toBe(1)
    for (const position of [positionOf(1, 8), positionOf(9, 0), positionOf(1, 2 ** 30), positionOf(0, 0)]) {
      expect(log.reader.frameAt(position)).toBeNull()
    }
    expect(log.disk.openHandles).toEqual([])
  })

  it('closes its file when the caller stops early', async () => {
    const log = await written(5)
    for (const frame of log.reader.read()) if (frame.sequence === 2) break
    for (const header of log.reader.intactAfter(LOG_START)) if (header.sequence === 2) break
    expect(log.disk.openHandles).toEqual([])
  })
})

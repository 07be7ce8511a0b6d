import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlobStore } from '../../src/content/blob-store.ts'
import { type ContentRecord, decodeContents, encodeContents, RAW } from '../../src/content/content-frame.ts'
import { ContentStore } from '../../src/content/content-store.ts'
import { hashBytes, hashFile, readChunks } from '../../src/content/hash.ts'
import { fromHex, pack } from '../../src/entry/codec.ts'
import type { ContentHash } from '../../src/entry/state.ts'
import type { JournalError } from '../../src/errors.ts'
import { HEADER_SIZE } from '../../src/log/frame.ts'
import { offsetOf, type Position } from '../../src/log/position.ts'
import { TestLog } from '../log/fixture.ts'

const MIB = 1024 * 1024

function setting(log = new TestLog()): { log: TestLog; contents: ContentStore } {
  log.disk.mkdirp('/blobs')
  log.disk.mkdirp('/staging')
  return { log, contents: new ContentStore(log.disk, log.reader, new BlobStore(log.disk, '/blobs')) }
}

/** Puts contents into the log as one frame; returns where that stands. */
async function logged(log: TestLog, payload: Uint8Array): Promise<Position> {
  let at: Position = 0
  const writer = log.writer()
  const placed = (position: Position): void => {
    at = position
  }
  await writer.append({
    frames: [{ kind: 'content', payload, placed }],
    size: payload.byteLength + 64,
    durability: 'full',
  })
  await writer.close()
  return at
}

const item = (text: string) => ({ hash: hashBytes(Buffer.from(text)), bytes: Buffer.from(text) })
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'ok').catch((error: JournalError) => error.code)

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of stream) parts.push(Uint8Array.prototype.slice.call(chunk))
  return Buffer.concat(parts)
}

const raw = ({ hash, bytes }: { hash: ContentHash; bytes: Uint8Array }): ContentRecord => ({
  hash,
  encoding: RAW,
  data: bytes,
})

describe('the content store', () => {
  it('reads from the log what it remembers, or is told', async () => {
    const { log, contents } = setting()
    const items = [item('one'), item('two'), item('')]
    const position = await logged(log, encodeContents('t', items.map(raw)))
    for (const [index, { hash, bytes }] of items.entries()) {
      expect(await contents.has(hash)).toBe(false)
      expect(await codeOf(contents.read(hash))).toBe('CORRUPT')
      contents.locateWith(async (wanted) => (wanted === hash ? { position, index } : null))
      expect(Buffer.from(await contents.read(hash))).toEqual(bytes)
      contents.locateWith(async () => null)
      contents.remember(hash, { position, index })
      expect(contents.hasRecent(hash)).toBe(true)
      expect(await whole(await contents.stream(hash))).toEqual(bytes)
    }
  })

  it('reads blobs, whole and in chunks', async () => {
    const { log, contents } = setting()
    const bytes = Buffer.alloc(3 * MIB + 5).map((_, i) => i * 7)
    log.disk.writeFile('/staging/x', bytes)
    const hash = hashBytes(bytes)
    await contents.blobs.keep([{ hash, file: '/staging/x' }])
    expect(await contents.has(hash)).toBe(true)
    expect(Buffer.compare(await contents.read(hash), bytes)).toBe(0)
    expect(Buffer.compare(await whole(await contents.stream(hash)), bytes)).toBe(0)
    expect(log.disk.openHandles).toEqual([])
  })

  it('never gives out what does not hash right', async () => {
    const { log, contents } = setting()
    const bytes = Buffer.alloc(2 * MIB, 'x')
    const hash = hashBytes(bytes)
    log.disk.writeFile('/staging/x', bytes)
    await contents.blobs.keep([{ hash, file: '/staging/x' }])
    for (const damaged of [
      bytes.subarray(1),
      Buffer.concat([bytes, Buffer.from('y')]),
      Buffer.alloc(2 * MIB, 'z'),
      Buffer.alloc(0),
    ]) {
      log.disk.writeFile(contents.blobs.path(hash), damaged)
      expect(await codeOf(contents.read(hash))).toBe('CORRUPT')
      expect(await codeOf(Promise.resolve().then(async () => whole(await contents.stream(hash))))).toBe('CORRUPT')
    }
    expect(log.disk.openHandles).toEqual([])
  })

  it('never gives out what is damaged in the log, or stands in the wrong place', async () => {
    const { log, contents } = setting()
    const one = item('one')
    const lying = { hash: item('two').hash, bytes: Buffer.from('not two') }
    const position = await logged(log, encodeContents('t', [one, lying].map(raw)))
    contents.remember(one.hash, { position, index: 1 })
    expect(await codeOf(contents.read(one.hash))).toBe('CORRUPT')
    contents.remember(one.hash, { position, index: 7 })
    expect(await codeOf(contents.read(one.hash))).toBe('CORRUPT')
    contents.remember(lying.hash, { position, index: 1 })
    expect(await codeOf(contents.read(lying.hash))).toBe('CORRUPT')
    contents.remember(one.hash, { position, index: 0 })
    expect(await codeOf(contents.read(one.hash))).toBe('ok')
    log.damage(offsetOf(position) + HEADER_SIZE, (bytes) => bytes.fill(0, 5, 9))
    expect(await codeOf(contents.read(one.hash))).toBe('CORRUPT')
  })

  it('reports an encoding that it does not know as unreadable, and only that', async () => {
    const { log, contents } = setting()
    const one = item('one')
    const payload = pack({
      tx: 't',
      contents: [
        [fromHex(one.hash), 9, one.bytes],
        [fromHex(item('two').hash), RAW, Buffer.from('two')],
      ],
    })
    const position = await logged(log, payload)
    contents.remember(one.hash, { position, index: 0 })
    contents.remember(item('two').hash, { position, index: 1 })
    expect(await codeOf(contents.read(one.hash))).toBe('CORRUPT')
    expect(await codeOf(contents.read(item('two').hash))).toBe('ok')
  })
})

describe('content frames and hashes', () => {
  it('are the MessagePack that any library makes of them', () => {
    const lengths = fc.constantFrom(0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000)
    const record = fc.record({
      length: lengths,
      encoding: fc.constantFrom(0, 1, 2, 3, 127, 128, 255, 256),
      seed: fc.nat(255),
    })
    const names = fc.string({ maxLength: 300, unit: 'binary' })
    fc.assert(
      fc.property(names, fc.array(record, { maxLength: 40, size: 'max' }), (tx, made) => {
        const records = made.map(({ length, encoding, seed }) => {
          const data = Buffer.alloc(length, seed)
          return { hash: hashBytes(data), encoding, data }
        })
        const contents = records.map(({ hash, encoding, data }) => [Buffer.from(hash, 'hex'), encoding, data])
        expect(Buffer.from(encodeContents(tx, records)).equals(pack({ tx, contents }))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('come apart as they were put together', () => {
    const items = [item('one'), item('')]
    expect(decodeContents(encodeContents('t1', items.map(raw)))).toEqual({
      tx: 't1',
      contents: items.map(({ hash, bytes }) => ({ hash, encoding: RAW, data: bytes })),
    })
    for (const wrong of [5, { tx: 5 }, { tx: 't', contents: [[1, 2, 3]] }])
      expect(() => decodeContents(pack(wrong))).toThrow(/malformed/)
  })

  it.each([0, 1, MIB - 1, MIB, MIB + 1, 9 * MIB])('hash a file of %i bytes, short reads or not', async (size) => {
    const log = new TestLog({ shortReads: 0.5 })
    const bytes = Buffer.alloc(size, 'abc')
    log.disk.writeFile('/x', bytes)
    const handle = log.disk.open('/x', 'read')
    expect(await hashFile(log.disk, handle)).toEqual({ hash: hashBytes(bytes), size })
    expect((await whole(readChunks(log.disk, handle))).byteLength).toBe(size)
    log.disk.close(handle)
  })
})

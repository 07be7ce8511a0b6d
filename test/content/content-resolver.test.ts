import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlobStore } from '../../src/content/blob-store.ts'
import { deflated, inflated } from '../../src/content/compression.ts'
import {
  type BasePlace,
  CHANGED,
  type ContentRecord,
  DEFLATED,
  decodeChange,
  encodeChange,
  encodeContents,
  PURGED,
  RAW,
} from '../../src/content/content-frame.ts'
import { MAX_LINKS } from '../../src/content/content-resolver.ts'
import { ContentStore } from '../../src/content/content-store.ts'
import { type Delta, DeltaBuilder } from '../../src/content/delta.ts'
import { difference } from '../../src/content/difference.ts'
import { hashBytes } from '../../src/content/hash.ts'
import type { LogWriter } from '../../src/log/log-writer.ts'
import type { Position } from '../../src/log/position.ts'
import { TestLog } from '../log/fixture.ts'

const MIB = 1024 * 1024
const TX = 't000000000000000'

/** A log with content frames, written one by one. */
class Shelf {
  readonly log = new TestLog()
  readonly contents: ContentStore
  readonly #writer: LogWriter

  constructor() {
    this.log.disk.mkdirp('/blobs')
    this.contents = new ContentStore(this.log.disk, this.log.reader, new BlobStore(this.log.disk, '/blobs'))
    this.#writer = this.log.writer()
  }

  async put(...records: ContentRecord[]): Promise<Position> {
    const payload = encodeContents(TX, records)
    let at: Position = 0
    const placed = (position: Position): void => {
      at = position
    }
    const frames = [{ kind: 'content' as const, payload, placed }]
    await this.#writer.append({ frames, size: payload.byteLength + 64, durability: 'full' })
    for (const [index, { hash, encoding }] of records.entries())
      if (encoding !== PURGED) this.contents.remember(hash, { position: at, index })
    return at
  }

  async blob(bytes: Uint8Array): Promise<string> {
    const hash = hashBytes(bytes)
    this.log.disk.writeFile('/spare', bytes)
    await this.contents.blobs.keep([{ hash, file: '/spare' }])
    return hash
  }

  async outcome(hash: string): Promise<string> {
    const results: string[] = []
    for (const read of [() => this.contents.read(hash), async () => collect(this.contents.stream(hash))]) {
      const bytes = await read().catch((error: { code: string }) => error.code)
      results.push(typeof bytes === 'string' ? bytes : hashBytes(bytes) === hash ? 'right' : 'wrong')
    }
    expect(new Set(results).size, results.join()).toBe(1)
    return results[0] as string
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of stream) parts.push(Uint8Array.prototype.slice.call(chunk))
  return Buffer.concat(parts)
}

const raw = (bytes: Uint8Array): ContentRecord => ({ hash: hashBytes(bytes), encoding: RAW, data: bytes })

function change(base: Uint8Array, after: Uint8Array, place: BasePlace, step = 1): ContentRecord {
  const delta = difference(base, after) as Delta
  return {
    hash: hashBytes(after),
    encoding: CHANGED,
    data: encodeChange({ base: hashBytes(base), place, step }, delta),
  }
}

const version = (n: number): Uint8Array => Buffer.from(`${'the same line\n'.repeat(50)}version ${n}\n`)

describe('a content that is a change of another', () => {
  it('is read over frames, within one, and from a blob', async () => {
    const shelf = new Shelf()
    const first = await shelf.put(raw(version(1)))
    const second = await shelf.put(
      change(version(1), version(2), { at: 'log', position: first, index: 0 }),
      change(version(2), version(3), { at: 'beside', index: 0 }),
    )
    await shelf.put(change(version(3), version(4), { at: 'log', position: second, index: 1 }))
    await shelf.blob(version(10))
    await shelf.put(change(version(10), version(11), { at: 'blob' }))
    for (const n of [1, 2, 3, 4, 10, 11]) expect(await shelf.outcome(hashBytes(version(n)))).toBe('right')
  })

  it('may stand on so many changes, and no more', async () => {
    const shelf = new Shelf()
    let position = await shelf.put(raw(version(0)))
    for (let n = 1; n <= MAX_LINKS + 1; n += 1)
      position = await shelf.put(change(version(n - 1), version(n), { at: 'log', position, index: 0 }))
    expect(await shelf.outcome(hashBytes(version(MAX_LINKS)))).toBe('right')
    expect(await shelf.outcome(hashBytes(version(MAX_LINKS + 1)))).toBe('CORRUPT')
  })

  it('is never read from what stands behind it, or from itself: no chain is a ring', async () => {
    const shelf = new Shelf()
    const zero = await shelf.put(raw(Buffer.from('something')))
    const own = { at: 'log', position: zero + 96, index: 0 } as const
    // Where the next frame will stand: each names the other, and one itself.
    const at = await shelf.put(
      change(version(2), version(1), { at: 'beside', index: 1 }),
      change(version(1), version(2), { at: 'beside', index: 1 }),
      change(version(4), version(3), own),
    )
    await shelf.put(change(version(3), version(4), { at: 'log', position: at, index: 2 }))
    for (const n of [1, 2, 3, 4]) expect(await shelf.outcome(hashBytes(version(n)))).toBe('CORRUPT')
    const later = await shelf.put(raw(version(6)))
    await shelf.put(change(version(6), version(7), { at: 'log', position: later + 4096, index: 0 }))
    // The base is elsewhere, before it: found by its hash.
    expect(await shelf.outcome(hashBytes(version(7)))).toBe('CORRUPT')
    shelf.contents.locateWith(async (hash) => (hash === hashBytes(version(6)) ? { position: later, index: 0 } : null))
    expect(await shelf.outcome(hashBytes(version(7)))).toBe('right')
  })

  it('is unreadable when its base is damaged, erased, another, or missing; a blob of it will do', async () => {
    for (const harm of ['damage', 'erase', 'other', 'missing'] as const) {
      const shelf = new Shelf()
      const base = harm === 'other' ? raw(version(9)) : raw(version(1))
      if (harm === 'erase') Object.assign(base, { encoding: PURGED, data: new Uint8Array(version(1).byteLength) })
      const position = harm === 'missing' ? 2 ** 32 + 8 : await shelf.put(base)
      await shelf.put(change(version(1), version(2), { at: 'log', position, index: 0 }))
      if (harm === 'damage')
        shelf.log.damage((position % 2 ** 32) + 200, (bytes) => {
          bytes[0] = (bytes[0] as number) ^ 1
        })
      shelf.contents.forget([hashBytes(version(1))])
      expect(await shelf.outcome(hashBytes(version(2))), harm).toBe('CORRUPT')
      await shelf.blob(version(1))
      expect(await shelf.outcome(hashBytes(version(2))), harm).toBe('right')
    }
  })

  it('is unreadable when its blob is damaged, cut off, or a folder', async () => {
    const shelf = new Shelf()
    const hash = await shelf.blob(version(1))
    await shelf.put(change(version(1), version(2), { at: 'blob' }))
    const path = shelf.contents.blobs.path(hash)
    const bytes = Buffer.from(version(1))
    for (const damaged of [bytes.subarray(0, 10), Buffer.concat([Buffer.from('x'), bytes.subarray(1)])]) {
      shelf.log.disk.writeFile(path, damaged)
      expect(await shelf.outcome(hashBytes(version(2)))).toBe('CORRUPT')
    }
    shelf.log.disk.unlink(path)
    shelf.log.disk.mkdirp(path)
    expect(await shelf.outcome(hashBytes(version(2)))).toBe('CORRUPT')
  })

  it('of a large blob comes in whole chunks, whose bounds are those of sectors', async () => {
    const shelf = new Shelf()
    const before = Buffer.alloc(3 * MIB + 5).map((_, i) => i * 7 + (i >> 10))
    const after = Buffer.concat([Buffer.from('begins'), before.subarray(3, 2 * MIB), Buffer.from('end')])
    await shelf.blob(before)
    const builder = new DeltaBuilder()
    builder.insert(Buffer.from('begins'))
    builder.skip(3)
    builder.keep(2 * MIB - 3)
    builder.insert(Buffer.from('end'))
    const record = { base: hashBytes(before), place: { at: 'blob' } as const, step: 1 }
    const hash = hashBytes(after)
    await shelf.put({ hash, encoding: CHANGED, data: encodeChange(record, builder.finish()) })
    expect(await shelf.outcome(hash)).toBe('right')
    const sizes: number[] = []
    for await (const chunk of shelf.contents.stream(hash)) sizes.push(chunk.byteLength)
    expect(sizes.slice(0, -1).every((size) => size === MIB)).toBe(true)
  })

  it('that says it is huge is refused before anything is made', async () => {
    const shelf = new Shelf()
    const position = await shelf.put(raw(version(1)))
    const base = hashBytes(version(1))
    const place = { at: 'log', position, index: 0 } as const
    const huge = 2 ** 45
    const deltas: Delta[] = [
      { length: huge, extent: huge, pieces: [{ skip: 0, keep: huge, insert: new Uint8Array(0) }] },
      { length: 5, extent: huge, pieces: [{ skip: huge - 5, keep: 5, insert: new Uint8Array(0) }] },
      { length: huge, extent: 0, pieces: [{ skip: 0, keep: 0, insert: Buffer.from('little') }] },
      {
        length: 2 ** 53 - 1,
        extent: 0,
        pieces: Array(9).fill({ skip: 2 ** 52, keep: 2 ** 52, insert: Buffer.from('') }),
      },
    ]
    for (const [n, delta] of deltas.entries()) {
      const hash = hashBytes(Buffer.from(`${n}`))
      await shelf.put({ hash, encoding: CHANGED, data: encodeChange({ base, place, step: 1 }, delta) })
      expect(await shelf.outcome(hash)).toBe('CORRUPT')
    }
    await shelf.blob(version(1))
    for (const [n, delta] of deltas.entries()) {
      const hash = hashBytes(Buffer.from(`blob ${n}`))
      await shelf.put({ hash, encoding: CHANGED, data: encodeChange({ base, place: { at: 'blob' }, step: 1 }, delta) })
      expect(await shelf.outcome(hash)).toBe('CORRUPT')
    }
  })

  it('is what it was, or refused, whatever the bytes of its record are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (flips) => {
        const shelf = new Shelf()
        const position = await shelf.put(raw(version(1)))
        const record = change(version(1), version(2), { at: 'log', position, index: 0 })
        const data = Uint8Array.from(record.data)
        for (const [at, value] of flips) data[at % data.byteLength] = value
        await shelf.put({ ...record, data })
        expect(['right', 'CORRUPT']).toContain(await shelf.outcome(record.hash))
      }),
    )
  })

  it('says what was put into it', () => {
    const places: BasePlace[] = [
      { at: 'blob' },
      { at: 'beside', index: 300 },
      { at: 'log', position: 7 * 2 ** 32 + 2 ** 31, index: 2 },
    ]
    for (const place of places) {
      const delta = difference(version(1), version(2)) as Delta
      const said = { base: hashBytes(version(1)), place, step: 4095 }
      expect(decodeChange(encodeChange(said, delta))).toMatchObject({ change: said, delta: { length: delta.length } })
    }
  })
})

describe('a compressed content', () => {
  const text = Buffer.from('a line of text that is here again and again\n'.repeat(1000))

  it('is what it was', async () => {
    const shelf = new Shelf()
    const data = deflated(text) as Uint8Array
    expect(data.byteLength).toBeLessThan(text.byteLength / 8)
    await shelf.put({ hash: hashBytes(text), encoding: DEFLATED, data })
    expect(await shelf.outcome(hashBytes(text))).toBe('right')
  })

  it('is made only where it is worth it', () => {
    expect(deflated(text.subarray(0, 1000))).toBe(null)
    expect(deflated(Buffer.alloc(100_000).map((_, i) => (i * i * 7919) >> 5))).toBe(null)
  })

  it('that says another length, or is longer than it says, is refused', () => {
    const data = deflated(text) as Uint8Array
    const claim = (bytes: number[]): Uint8Array => Buffer.concat([Uint8Array.from(bytes), data.subarray(3)])
    expect(Buffer.compare(inflated(data), text)).toBe(0)
    for (const bytes of [[1], [0], [0x80, 0x80, 0x80, 0x20], [0xff, 0xff, 0x7f], Array(8).fill(0xff)])
      expect(() => inflated(claim(bytes))).toThrow(/malformed/)
    expect(() => inflated(data.subarray(0, 40))).toThrow(/malformed/)
    expect(() => inflated(new Uint8Array(0))).toThrow(/malformed/)
  })
})

import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/content/hash.ts'
import { INLINE_LIMIT, Stager, StagingLimits } from '../../src/transaction/stager.ts'
import { SimDisk } from '../sim/sim-disk.ts'

function setting(limits: { memory?: number; inline?: number } = {}): {
  disk: SimDisk
  stager: Stager
  limits: StagingLimits
} {
  const disk = SimDisk.create({ shortWrites: 0.5 })
  disk.mkdirp('/staging')
  const shared = new StagingLimits(limits)
  return { disk, stager: new Stager(disk, '/staging/t1', shared), limits: shared }
}

const names = (disk: SimDisk): string[] => [...disk.tree('/staging').keys()]

describe('the stager', () => {
  it.each([0, 1, INLINE_LIMIT])('holds %i bytes in memory', async (size) => {
    const { disk, stager } = setting()
    const bytes = Buffer.alloc(size, 'x')
    const content = await stager.take(bytes)
    expect(content).toMatchObject({ hash: hashBytes(bytes), size, source: { at: 'memory' } })
    expect(names(disk)).toEqual([])
  })

  it('puts larger ones on disk, and takes them away again', async () => {
    const { disk, stager } = setting()
    const bytes = Buffer.alloc(INLINE_LIMIT + 1, 'x')
    const content = await stager.take(bytes)
    expect(content).toMatchObject({ hash: hashBytes(bytes), size: bytes.length, source: { at: 'staged' } })
    expect(Buffer.compare(disk.readFile('/staging/t1.c0'), bytes)).toBe(0)
    stager.release()
    expect(names(disk)).toEqual([])
  })

  it('is not fooled by a caller who changes his buffer', async () => {
    const { stager } = setting()
    const bytes = Buffer.from('before')
    const content = await stager.take(bytes)
    bytes.write('after!')
    expect(content.source.at === 'memory' && Buffer.from(content.source.bytes).toString()).toBe('before')
  })

  it.each([10, INLINE_LIMIT, INLINE_LIMIT + 1, 3 * INLINE_LIMIT])('reads a stream of %i bytes', async (size) => {
    const { disk, stager } = setting()
    const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => i))
    const content = await stager.take(Readable.from(chunks(bytes, 70_001)))
    expect(content.hash).toBe(hashBytes(bytes))
    expect(content.size).toBe(size)
    expect(content.source.at).toBe(size > INLINE_LIMIT ? 'staged' : 'memory')
    expect(disk.openHandles).toEqual([])
  })

  it('takes texts, and streams of texts', async () => {
    const { stager } = setting()
    expect((await stager.take('é')).hash).toBe(hashBytes(Buffer.from('é')))
    async function* texts(): AsyncGenerator<string> {
      yield 'a'
      yield 'é'
    }
    expect((await stager.take(texts())).hash).toBe(hashBytes(Buffer.from('aé')))
  })

  it('goes to disk when all transactions together hold too much', async () => {
    const { disk, stager, limits } = setting({ memory: 1000 })
    expect((await stager.take(Buffer.alloc(900))).source.at).toBe('memory')
    expect((await stager.take(Buffer.alloc(200))).source.at).toBe('staged')
    stager.release()
    const next = new Stager(disk, '/staging/t2', limits)
    expect((await next.take(Buffer.alloc(900))).source.at).toBe('memory')
  })

  it('leaves no handle and no file when a stream fails or is cancelled', async () => {
    const { disk, stager } = setting()
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 * INLINE_LIMIT)
      throw new Error('broken')
    }
    await expect(stager.take(failing())).rejects.toMatchObject({ code: 'IO' })
    const stop = new AbortController()
    async function* cancelled(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 * INLINE_LIMIT)
      stop.abort()
      yield Buffer.alloc(1)
    }
    await expect(stager.take(cancelled(), stop.signal)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(disk.openHandles).toEqual([])
    stager.release()
    expect(names(disk)).toEqual([])
  })

  it('says NO_SPACE when the disk is full', async () => {
    const disk = SimDisk.create({ capacity: 100_000 })
    disk.mkdirp('/staging')
    const stager = new Stager(disk, '/staging/t1', new StagingLimits())
    const taking = stager.take(Readable.from(chunks(Buffer.alloc(2 * INLINE_LIMIT), 50_000)))
    await expect(taking).rejects.toMatchObject({ code: 'NO_SPACE' })
    stager.release()
    expect(names(disk)).toEqual([])
  })
})

function* chunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

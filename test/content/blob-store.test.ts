import { describe, expect, it } from 'vitest'
import { BlobStore } from '../../src/content/blob-store.ts'
import { hashBytes } from '../../src/content/hash.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'
import { SimDisk } from '../sim/sim-disk.ts'

function setting(): { disk: SimDisk; blobs: BlobStore } {
  const disk = SimDisk.create()
  disk.mkdirp('/blobs')
  disk.mkdirp('/staging')
  return { disk, blobs: new BlobStore(disk, '/blobs') }
}

/** A complete file in staging, not synced. */
function stage(disk: SimDisk, name: string, text: string): { hash: string; file: string } {
  const file = `/staging/${name}`
  const handle = disk.open(file, 'create', 0o600)
  disk.write(handle, Buffer.from(text), 0)
  disk.close(handle)
  return { hash: hashBytes(Buffer.from(text)), file }
}

/** Two texts whose hashes begin alike. */
function twins(): [string, string] {
  const seen = new Map<string, string>()
  for (let i = 0; ; i += 1) {
    const text = `text ${i}`
    const prefix = hashBytes(Buffer.from(text)).slice(0, 2)
    const other = seen.get(prefix)
    if (other !== undefined) return [other, text]
    seen.set(prefix, text)
  }
}

describe('blobs', () => {
  it('stand under their hash, and survive any power cut once kept', async () => {
    const { disk, blobs } = setting()
    const files = ['one', 'two', 'three'].map((text) => stage(disk, text, text))
    await blobs.keep(files)
    expect([...disk.tree('/staging').keys()]).toEqual([])
    for (let seed = 1; seed < 50; seed += 1) {
      const left = disk.crash('any', { seed })
      for (const { hash } of files)
        expect(await new BlobStore(left, '/blobs').check(hash), `seed ${seed}`).toBe('right')
    }
    expect([...blobs.list()].map(({ hash, size }) => [hash, size]).sort()).toEqual(
      files.map(({ hash, file }) => [hash, file.length - '/staging/'.length]).sort(),
    )
    expect(disk.openHandles).toEqual([])
  })

  it('never stand there with half a content, wherever it is cut off', async () => {
    for (let k = 1; k < 30; k += 1) {
      const { disk, blobs } = setting()
      const file = stage(disk, 'one', 'x'.repeat(5000))
      disk.faults.crashAtChange(k)
      const done = await blobs.keep([file]).then(
        () => true,
        () => false,
      )
      for (let seed = 1; seed < 20; seed += 1) {
        const left = new BlobStore(disk.crash('any', { seed }), '/blobs')
        expect(await left.check(file.hash), `k=${k}, seed ${seed}`).not.toBe('wrong')
      }
      if (done) return
    }
    throw new Error('never done')
  })

  it('are durable when kept beside another one, in a folder that is not durable yet', async () => {
    const { disk, blobs } = setting()
    const [first, second] = twins()
    const one = stage(disk, 'one', first)
    const two = stage(disk, 'two', second)
    // The first is held back before the name of the new folder is durable.
    disk.faults.trace = []
    disk.syncGate = () => {
      const last = disk.faults.trace?.at(-1)
      return last?.kind === 'syncDirectory' && !disk.exists(two.file) === false && last.path !== '/blobs'
        ? new Promise(() => undefined)
        : Promise.resolve()
    }
    void blobs.keep([one])
    await new Promise((resolve) => setImmediate(resolve))
    expect(disk.exists(one.file)).toBe(false)
    disk.syncGate = null
    await blobs.keep([two])
    for (let seed = 1; seed < 50; seed += 1) {
      expect(await new BlobStore(disk.crash('any', { seed }), '/blobs').check(two.hash), `seed ${seed}`).toBe('right')
    }
  })

  it('are durable when kept in a folder that a killed process made', async () => {
    const { disk, blobs } = setting()
    const [first, second] = twins()
    const one = stage(disk, 'one', first)
    disk.faults.before = ({ kind }) => {
      if (kind === 'syncDirectory') disk.faults.crashAt(0)
    }
    await blobs.keep([one]).catch(() => undefined)
    const next = disk.crash('process')
    const two = stage(next, 'two', second)
    const later = new BlobStore(next, '/blobs')
    await later.keep([two])
    for (let seed = 1; seed < 50; seed += 1) {
      expect(await new BlobStore(next.crash('any', { seed }), '/blobs').check(two.hash), `seed ${seed}`).toBe('right')
    }
  })

  it('do not count while they share their bytes with a file of somebody else', async () => {
    const { disk, blobs } = setting()
    const text = 'shared'
    disk.writeFile('/mine', text)
    disk.link('/mine', '/staging/one')
    const hash = hashBytes(Buffer.from(text))
    await blobs.keep([{ hash, file: '/staging/one' }])
    expect(await blobs.has(hash)).toBe(false)
    await blobs.own(hash, '/staging/own')
    expect(await blobs.has(hash)).toBe(true)
    disk.writeFile('/mine', 'edited')
    expect(await blobs.check(hash)).toBe('right')
    expect([...disk.tree('/staging').keys()]).toEqual([])
  })

  it('are compared with their name', async () => {
    const { disk, blobs } = setting()
    const file = stage(disk, 'one', 'one')
    expect(await blobs.check(file.hash)).toBe('missing')
    await blobs.keep([file])
    expect(await blobs.check(file.hash)).toBe('right')
    disk.writeFile(blobs.path(file.hash), 'two')
    expect(await blobs.check(file.hash)).toBe('wrong')
    blobs.remove(file.hash)
    expect(await blobs.has(file.hash)).toBe(false)
  })

  it('leave alone what is no blob', () => {
    const { disk, blobs } = setting()
    disk.mkdirp('/blobs/zz')
    disk.mkdirp('/blobs/ab')
    disk.writeFile('/blobs/ab/README', 'x')
    disk.writeFile('/blobs/README', 'x')
    expect([...blobs.list()]).toEqual([])
  })

  it('that a commit relies on are durable, whoever brought them', async () => {
    const content = Buffer.alloc(1024 * 1024 + 10, 'same')
    const hash = hashBytes(content)
    const folder = `${ROOT}/.journal/blobs/${hash.slice(0, 2)}`
    for (const killed of [false, true]) {
      let disk = newDisk()
      let journal = await openOn(disk)
      await journal.write('warm', 'up')
      // The first is stopped between giving the blob its name and making that durable.
      const stopped = disk
      if (killed) {
        stopped.faults.before = ({ kind, path }) => {
          if (kind === 'syncDirectory' && path === folder) stopped.faults.crashAt(0)
        }
        await journal.write('first', content).catch(() => undefined)
        disk = stopped.crash('process')
        journal = await openOn(disk)
      } else {
        stopped.faults.trace = []
        stopped.syncGate = () => {
          const last = stopped.faults.trace?.at(-1)
          if (last?.kind !== 'syncDirectory' || last.path !== folder) return Promise.resolve()
          return new Promise((resolve) => setTimeout(resolve, 300))
        }
        void journal.write('first', content).catch(() => undefined)
        while (!stopped.exists(`${folder}/${hash.slice(2)}`)) await new Promise((resolve) => setImmediate(resolve))
      }
      await journal.write('second', content)
      for (let seed = 1; seed < 30; seed += 1) {
        const left = disk.crash('any', { seed })
        const again = await openOn(left)
        expect(Buffer.compare(left.readFile(`${ROOT}/second`), content), `killed ${killed}, seed ${seed}`).toBe(0)
        expect((await again.verify()).problems, `killed ${killed}, seed ${seed}`).toEqual([])
        await again.close()
      }
    }
  })
})

/** Contents kept as changes of each other, from the outside: space, and that everything reads back. */
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CHANGED, DEFLATED, decodeContents, RAW } from '../../src/content/content-frame.ts'
import { type Journal, openJournal, salvageJournal } from '../../src/index.ts'
import { HEADER_SIZE } from '../../src/log/frame.ts'
import type { Frame } from '../../src/log/log-reader.ts'
import { offsetOf } from '../../src/log/position.ts'
import { Layout } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/opening.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { newDisk, openOn, ROOT, workspace } from './fixture.ts'

const MIB = 1024 * 1024

function text(name: string, lines: number): string {
  return Array.from(
    { length: lines },
    (_, n) => `${createHash('sha256').update(`${name} ${n}`).digest('hex')} ${n}\n`,
  ).join('')
}

function frames(disk: SimDisk): Frame[] {
  return [...openStore(disk, new Layout(ROOT)).reader.read()]
}

function encodings(disk: SimDisk): number[] {
  return frames(disk)
    .filter(({ kind }) => kind === 'content')
    .flatMap(({ payload }) => decodeContents(payload).contents.map(({ encoding }) => encoding))
}

describe('on a real disk', () => {
  let root = ''
  let journal: Journal
  beforeEach(async () => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'changes-'))
    journal = await openJournal(root)
  })
  afterEach(async () => {
    await journal.close()
    fs.rmSync(root, { recursive: true, force: true })
  })

  const reopen = async (): Promise<void> => {
    await journal.close()
    journal = await openJournal(root)
  }
  /** Log and blobs, without reserved space. */
  const space = async (): Promise<number> => {
    await journal.compact()
    const { logBytes, blobBytes } = await journal.stats()
    return logBytes + blobBytes
  }

  it('small edits of a text take the space of what changed, whichever way they are made', async () => {
    let now = text('source', 1200)
    await journal.write('a.txt', now)
    const before = await space()
    const versions: string[] = []
    for (let n = 0; n < 90; n += 1) {
      const at = 30 + ((n * 7919) % (now.length - 100))
      const fresh = `${now.slice(0, at)}edited ${n}${now.slice(at + 10)}`
      if (n % 3 === 0)
        await journal.edit('a.txt', [
          { oldText: now.slice(at - 30, at + 30), newText: fresh.slice(at - 30, at + fresh.length - now.length + 30) },
        ])
      else if (n % 3 === 1) await journal.write('a.txt', fresh)
      else await journal.append('a.txt', `line ${n}\n`)
      now = n % 3 === 2 ? `${now}line ${n}\n` : fresh
      versions.push(now)
      if (n % 10 === 0) await reopen()
    }
    expect((await space()) - before).toBeLessThan(90 * 1200)
    await journal.close()
    fs.rmSync(path.join(root, '.journal/index'), { recursive: true })
    journal = await openJournal(root)
    for (const [n, version] of versions.entries())
      expect(Buffer.from(await journal.readAt('a.txt', n + 2)).toString() === version, `version ${n}`).toBe(true)
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
  })

  it('an append or an edit of a large file takes the space of what it adds', async () => {
    const large = randomBytes(6 * MIB)
    await journal.write('large', large)
    const before = await space()
    let now: Buffer = large
    const versions: Buffer[] = []
    for (let n = 0; n < 20; n += 1) {
      if (n % 4 === 3) {
        now = Buffer.concat([
          now.subarray(0, 3 * MIB + n),
          Buffer.from(`in the middle ${n}`),
          now.subarray(3 * MIB + n + 5),
        ])
        await journal.write('large', now)
      } else {
        await journal.append('large', `line ${n}\n`)
        now = Buffer.concat([now, Buffer.from(`line ${n}\n`)])
      }
      versions.push(now)
      if (n === 10) await reopen()
    }
    expect((await journal.stats()).blobs).toBe(1)
    expect((await space()) - before).toBeLessThan(20 * 1024)
    expect(Buffer.compare(fs.readFileSync(path.join(root, 'large')), now)).toBe(0)
    for (const [n, version] of versions.entries())
      expect(Buffer.compare(await journal.readAt('large', n + 2), version), `version ${n}`).toBe(0)
    await journal.undo(10, { force: true }).catch(() => undefined)
    await journal.restore({ to: 5 })
    expect(Buffer.compare(fs.readFileSync(path.join(root, 'large')), versions[3] as Buffer)).toBe(0)
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
  })

  it('more than half of a large file changed: it is kept whole', async () => {
    const large = randomBytes(2 * MIB)
    await journal.write('large', large)
    await journal.write('large', Buffer.concat([large.subarray(0, MIB / 2), randomBytes(MIB * 1.5)]))
    expect((await journal.stats()).blobs).toBe(2)
  })

  it('identical contents are kept once, over any number of paths', async () => {
    const content = randomBytes(100 * 1024)
    await journal.write('a', content)
    const before = await space()
    for (let n = 0; n < 50; n += 1) await journal.write(`copy-${n}`, content)
    await reopen()
    for (let n = 50; n < 60; n += 1) await journal.write(`copy-${n}`, content)
    expect((await space()) - before).toBeLessThan(60 * 600)
  })

  it('an edit behind the journal that is adopted is kept as a change, too', async () => {
    const source = text('adopted', 2000)
    await journal.write('a', source)
    const before = await space()
    fs.writeFileSync(path.join(root, 'a'), source.replace('7', 'seven'))
    await journal.adopt()
    expect((await space()) - before).toBeLessThan(2000)
    expect(Buffer.from(await journal.readAt('a')).toString()).toBe(source.replace('7', 'seven'))
  })
})

describe('on a simulated disk', () => {
  it('everything is what it was, whatever is edited, over reopening and with small segments', async () => {
    const step = fc.record({
      path: fc.constantFrom('a', 'b'),
      at: fc.nat(20_000),
      remove: fc.nat(300),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc.constant(Buffer.from(text('inserted', 20))),
        fc.constant(randomBytes(2000)),
      ),
      how: fc.constantFrom('write', 'append', 'twice', 'reopen', 'swap'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(900, 3000, 9000),
        async (steps, size) => {
          const disk = newDisk()
          let journal = await openOn(disk, { segmentSize: 16 * 1024 })
          const now = new Map<string, Buffer>()
          for (const name of ['a', 'b']) {
            now.set(name, Buffer.from(text(name, size / 68)))
            await journal.write(name, now.get(name) as Buffer)
          }
          const versions: [number, string, Buffer][] = []
          for (const { path: name, at, remove, insert, how } of steps) {
            const old = now.get(name) as Buffer
            const from = at % (old.length + 1)
            let fresh = Buffer.concat([old.subarray(0, from), insert, old.subarray(from + remove)])
            if (how === 'append') fresh = Buffer.concat([old, insert])
            const { seq } = await journal.transact(async (tx) => {
              if (how === 'append') await tx.append(name, insert)
              else await tx.write(name, fresh)
              if (how === 'twice') {
                fresh = Buffer.concat([fresh, Buffer.from('twice')])
                await tx.write(name, fresh)
              }
              if (how === 'swap') await tx.write(name === 'a' ? 'b' : 'a', old)
            })
            now.set(name, fresh)
            if (how === 'swap') now.set(name === 'a' ? 'b' : 'a', old)
            versions.push([seq, name, fresh])
            if (how !== 'reopen') continue
            await journal.close()
            journal = await openOn(disk, { segmentSize: 16 * 1024 })
          }
          for (const [seq, name, content] of versions)
            expect(Buffer.compare(await journal.readAt(name, seq), content), `${name} at ${seq}`).toBe(0)
          expect((await journal.verify({ workspace: true })).problems).toEqual([])
          await journal.close()
        },
      ),
      { numRuns: 40 },
    )
  })

  it('what a crash left in flight is brought back from changes alone', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    let now = text('crash', 100)
    for (let n = 0; n < 12; n += 1) {
      now = `${now.slice(0, 700 * n)}crash ${n}${now.slice(700 * n + 9)}`
      await journal.write('a', now)
    }
    const kinds = encodings(disk)
    expect(kinds.filter((encoding) => encoding === CHANGED).length).toBeGreaterThan(8)
    const left = disk.crash('any', { seed: 7 })
    const again = await openOn(left)
    expect(left.readText(`${ROOT}/a`)).toBe(now)
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.close()
  })

  it('a journal of an older version keeps its contents as that version does', async () => {
    for (const version of [1, 2]) {
      const disk = newDisk()
      const first = await openOn(disk)
      await first.close()
      const format = JSON.parse(disk.readText(`${ROOT}/.journal/FORMAT`)) as object
      disk.writeFile(`${ROOT}/.journal/FORMAT`, JSON.stringify({ ...format, version }))
      const journal = await openOn(disk)
      for (let n = 0; n < 5; n += 1) await journal.write('a', `${text('old', 400)}${n}`)
      expect(new Set(encodings(disk))).toEqual(new Set([RAW]))
      await journal.close()
      expect(JSON.parse(disk.readText(`${ROOT}/.journal/FORMAT`))).toMatchObject({ version })
    }
    const disk = newDisk()
    const journal = await openOn(disk)
    for (let n = 0; n < 5; n += 1) await journal.write('a', `${'compressible\n'.repeat(3000)}${n}`)
    expect(encodings(disk)).toEqual([DEFLATED, CHANGED, CHANGED, CHANGED, CHANGED])
    await journal.close()
    const plain = newDisk()
    const legacy = await openOn(plain, { legacy: true })
    for (let n = 0; n < 5; n += 1) await legacy.write('a', `${'compressible\n'.repeat(3000)}${n}`)
    expect(new Set(encodings(plain))).toEqual(new Set([RAW]))
    await legacy.close()
  })

  it('a damaged base is named with every transaction that stands on it, and a salvage names what is lost', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    let now = text('base', 100)
    const seqs: string[] = []
    for (let n = 0; n < 10; n += 1) {
      seqs.push((await journal.write('a', now)).tx)
      now = `${now}${n}\n`
    }
    await journal.write('other', text('other', 100))
    await journal.close()
    const [base] = frames(disk).filter(({ kind }) => kind === 'content') as [Frame]
    const path = `${ROOT}/.journal/log/000000000001.wal`
    const bytes = Buffer.from(disk.readFile(path))
    const at = offsetOf(base.position) + HEADER_SIZE + 2000
    bytes[at] = (bytes[at] as number) ^ 1
    disk.writeFile(path, bytes)
    const reader = await openOn(disk, { readOnly: true })
    const { problems } = await reader.verify()
    await reader.close()
    for (const tx of seqs) expect(problems.map((problem) => problem.tx)).toContain(tx)
    // The workspace has the newest one; the others are gone.
    const report = await salvageJournal(ROOT, { disk })
    expect(report.lost).toEqual([])
    expect(report.restored).toMatchObject([{ path: 'a', tx: seqs.at(-1) }])
    expect(report.versions).toHaveLength(9)
    expect(JSON.parse(disk.readText(`${ROOT}/.journal/FORMAT`))).toMatchObject({ version: 4 })
    const saved = await openOn(disk)
    expect(await saved.verify()).toMatchObject({ ok: true, problems: [] })
    await expect(saved.readAt('a', 5)).rejects.toMatchObject({ code: 'NOT_FOUND', details: { lost: true } })
    expect(Buffer.from(await saved.readAt('a')).toString()).toBe(now.slice(0, -2))
    expect(Buffer.from(await saved.readAt('other')).toString()).toBe(text('other', 100))
    // What is lost stands in no purge's way.
    await saved.write('a', 'clean')
    await saved.purge('a')
    expect((await saved.verify()).problems).toEqual([])
    expect(workspace(disk).size).toBe(2)
    await saved.close()
  })
})

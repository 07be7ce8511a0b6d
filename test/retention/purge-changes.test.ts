import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CHANGED, decodeContents, encodeChange, encodeContents } from '../../src/content/content-frame.ts'
import type { Delta } from '../../src/content/delta.ts'
import { difference } from '../../src/content/difference.ts'
import { hashBytes } from '../../src/content/hash.ts'
import type { Journal } from '../../src/index.ts'
import { frameSize } from '../../src/log/frame.ts'
import type { Frame } from '../../src/log/log-reader.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { Layout } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/opening.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'

const SECRET = 'hunter2-is-the-secret'
/** The log keeps contents up to 4 KiB; larger ones are blobs, or changes of them. */
const OPTIONS = { segmentSize: 16 * 1024 }

/** Text that nothing compresses away, without a line twice. */
function text(name: string, bytes: number): string {
  let made = ''
  for (let n = 0; made.length < bytes; n += 1)
    made += `${createHash('sha256').update(`${name} ${n}`).digest('base64')}\n`
  return made
}

interface Prepared {
  readonly disk: SimDisk
  readonly journal: Journal
  /** What must stay readable: transaction, path, text. */
  readonly kept: readonly (readonly [number, string, string])[]
}

/**
 * The secret in contents that others are changes of, over several segments: whole in the log, whole as a blob, and as bytes that a change brought. What it
 * became without the secret is another path's, too, and changes go on from there.
 */
async function prepared(): Promise<Prepared> {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  const kept: [number, string, string][] = []
  for (const [name, bytes] of [
    ['small', 3000],
    ['large', 9000],
  ] as const) {
    let now = `${text(name, bytes)}key=${SECRET}\n`
    const set = async (path: string, content: string): Promise<number> => {
      now = content
      return (await journal.write(path, content)).seq
    }
    await set(`bad/${name}`, now)
    await set(`bad/${name}`, now.replace('key', 'the key'))
    await set(`bad/${name}`, now.replace(SECRET, 'none'))
    await set(`bad/${name}`, `${now}other=${SECRET}\n`)
    const clean = await set(`bad/${name}`, now.replace(`other=${SECRET}\n`, ''))
    kept.push([clean, `bad/${name}`, now])
    await journal.rename(`bad/${name}`, `good/${name}`)
    for (let n = 1; n <= 9; n += 1) {
      const seq = await set(`good/${name}`, `${now}line ${n}\n`)
      kept.push([seq, `good/${name}`, now])
      if (n % 4 === 0) await journal.write('padding', text(`${name} ${n}`, 3500))
    }
  }
  return { disk, journal, kept }
}

function holders(disk: SimDisk): string[] {
  const tree = disk.tree(`${ROOT}/.journal`)
  return [...tree].filter(([, node]) => node.kind === 'file' && node.content.includes(SECRET)).map(([path]) => path)
}

/** Records of changes, by what they stand on. */
function changes(disk: SimDisk): { hash: string; base: string }[] {
  const found: { hash: string; base: string }[] = []
  for (const { kind, payload } of openStore(disk, new Layout(ROOT)).reader.read()) {
    if (kind !== 'content') continue
    for (const { hash, encoding, data } of decodeContents(payload).contents)
      if (encoding === CHANGED) found.push({ hash, base: Buffer.from(data.subarray(0, 32)).toString('hex') })
  }
  return found
}

async function readable(journal: Journal, kept: Prepared['kept']): Promise<void> {
  for (const [seq, path, content] of kept)
    expect(Buffer.from(await journal.readAt(path, seq)).toString(), `${path} at ${seq}`).toBe(content)
}

async function check(disk: SimDisk, tree: Tree, kept: Prepared['kept'], acknowledged: boolean): Promise<boolean> {
  const journal = await openOn(disk, OPTIONS)
  expect(differences(tree, workspace(disk))).toEqual([])
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  let purged = false
  for await (const { kind } of journal.history()) purged ||= kind === 'purge'
  expect(purged || !acknowledged).toBe(true)
  if (purged) expect(holders(disk)).toEqual([])
  await readable(journal, kept)
  await journal.write('good/small', `${text('small', 3000)}goes on`)
  expect((await journal.compact()).blobsRemoved).toBeLessThan(20)
  await readable(journal, kept)
  expect((await journal.verify()).problems).toEqual([])
  await journal.close()
  return purged
}

describe('a purge of contents that others are changes of', () => {
  it('keeps those whole, and leaves no byte of what is erased', async () => {
    const { disk, journal, kept } = await prepared()
    const before = changes(disk)
    expect(before.length).toBeGreaterThan(20)
    expect(holders(disk).length).toBeGreaterThan(2)
    const tree = workspace(disk)
    const preview = await journal.purge('bad', { dryRun: true })
    const result = await journal.purge('bad')
    expect({ ...result, receipt: null }).toEqual(preview)
    expect(holders(disk)).toEqual([])
    const gone = new Set(result.hashes)
    for (const { hash, base } of changes(disk)) expect([gone.has(hash), gone.has(base)]).toEqual([false, false])
    // What stood on what was erased, and stays, is a blob now.
    const store = openStore(disk, new Layout(ROOT))
    for (const { hash, base } of before)
      if (gone.has(base) && !gone.has(hash)) expect(store.contents.blobs.stat(hash)).not.toBe(null)
    await readable(journal, kept)
    await journal.close()
    expect(await check(disk, tree, kept, true)).toBe(true)
  })

  it.each(['process', 'ordered', 'any'] as const)(
    'is whole or was never begun, wherever it crashes: %s',
    async (model) => {
      let finished = 0
      const whole = await prepared()
      await whole.journal.close()
      const tree = workspace(whole.disk)
      const { kept } = whole
      for (let crash = 1; ; crash += 1) {
        const disk = whole.disk.crash('process')
        const journal = await openOn(disk, OPTIONS)
        disk.faults.crashAtChange(crash)
        const done = await journal.purge('bad').then(
          () => true,
          () => false,
        )
        const completed = !disk.faults.crashed
        await journal.close().catch(() => undefined)
        let after = disk.crash(model, { seed: crash })
        // The opening that finishes it crashes too.
        after.faults.crashAtChange((crash % 23) + 1)
        await openOn(after, OPTIONS)
          .then(
            (opened) => opened.close(),
            () => undefined,
          )
          .catch(() => undefined)
        after = after.crash(model, { seed: crash + 1 })
        if ((await check(after, tree, kept, done)) && !done) finished += 1
        if (completed) break
      }
      expect(finished).toBeGreaterThan(5)
    },
    300_000,
  )

  it('changes nothing when one that stays cannot be read', async () => {
    const { disk, journal } = await prepared()
    const { base } = changes(disk)[0] as { base: string }
    const store = openStore(disk, new Layout(ROOT))
    for (const frame of store.reader.read()) {
      if (frame.kind !== 'content' || !decodeContents(frame.payload).contents.some(({ hash }) => hash === base))
        continue
      const path = `${ROOT}/.journal/log/000000000001.wal`
      const bytes = Buffer.from(disk.readFile(path))
      const at = bytes.indexOf(Buffer.from(text('small', 40).slice(0, 40)))
      bytes[at] = (bytes[at] as number) ^ 1
      disk.writeFile(path, bytes)
      break
    }
    await expect(journal.purge('bad')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(disk.exists(`${ROOT}/.journal/PURGE`)).toBe(false)
    await journal.close()
  })
})

it('a blob that only a change which was never committed stands on is no orphan', async () => {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  await journal.write('a', 'a')
  const base = text('base', 9000)
  const changed = `${base}changed\n`
  const [old, fresh] = [hashBytes(Buffer.from(base)), hashBytes(Buffer.from(changed))]
  disk.writeFile(`${ROOT}/.journal/staging/base`, Buffer.from(base))
  const store = openStore(disk, new Layout(ROOT))
  await store.contents.blobs.keep([{ hash: old, file: `${ROOT}/.journal/staging/base` }])
  const orphan = text('orphan', 9000)
  disk.writeFile(`${ROOT}/.journal/staging/orphan`, Buffer.from(orphan))
  await store.contents.blobs.keep([{ hash: hashBytes(Buffer.from(orphan)), file: `${ROOT}/.journal/staging/orphan` }])
  await journal.close()
  const delta = difference(Buffer.from(base), Buffer.from(changed)) as Delta
  const record = {
    hash: fresh,
    encoding: CHANGED,
    data: encodeChange({ base: old, place: { at: 'blob' }, step: 1 }, delta),
  }
  await appendContents(disk, encodeContents('t00000000000zzzz', [record]))
  const again = await openOn(disk, OPTIONS)
  await again.write('b', changed)
  expect(await again.compact()).toMatchObject({ blobsRemoved: 1 })
  expect(Buffer.from(await again.readAt('b')).toString()).toBe(changed)
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})

/** Puts a content frame at the end of the log, as a writer leaves it that dies before its commit. */
async function appendContents(disk: SimDisk, payload: Uint8Array): Promise<void> {
  const { segments, seed, reader } = openStore(disk, new Layout(ROOT))
  let last: Frame | null = null
  for (const frame of reader.read()) last = frame
  const { position, length, sequence, term } = last as unknown as Frame
  const end = position + frameSize(length)
  const writer = new LogWriter(
    segments,
    { end, sequence, term, durable: end },
    { seed, segmentPayload: () => new Uint8Array(0) },
  )
  await writer.append({ frames: [{ kind: 'content', payload }], size: payload.byteLength + 64, durability: 'full' })
  await writer.close()
}

/** A history that was dropped is said to have been; one that lost its beginning is damaged, and never taken for that. */
import { describe, expect, it } from 'vitest'
import { decodeHorizon, encodeHorizon, type Horizon } from '../../src/entry/horizon.ts'
import { salvageJournal } from '../../src/index.ts'
import { decodeHeader, HEADER_SIZE, hashPayload, headerSeed } from '../../src/log/frame.ts'
import { encodeFrame } from '../../src/log/frame-encoder.ts'
import { positionOf } from '../../src/log/position.ts'
import { failure, newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

const OPTIONS = { segmentSize: 8 * 1024 }
const LOG = `${ROOT}/.journal/log`

/** A journal with a horizon that a commit names. */
async function dropped(): Promise<{ disk: SimDisk; horizon: number; base: number }> {
  const disk = newDisk()
  const journal = await openOn(disk, OPTIONS)
  await journal.write('early', 'once and never again\n')
  for (let n = 0; n < 12; n += 1) await journal.write(`f${n % 3}`, `${n}`.repeat(1500))
  const { horizon } = await journal.compact({ keepTransactions: 4 })
  await journal.write('late', 'behind the horizon\n')
  await journal.close()
  const base = Math.max(...names(disk, 'base'))
  return { disk, horizon, base }
}

function names(disk: SimDisk, form: 'wal' | 'base'): number[] {
  return disk
    .readDirectory(LOG)
    .filter(({ name }) => name.endsWith(form))
    .map(({ name }) => Number(name.slice(0, 12)))
}

const pathOf = (number: number, form: 'wal' | 'base') => `${LOG}/${String(number).padStart(12, '0')}.${form}`

function replaced(disk: SimDisk, file: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = Buffer.from(disk.readFile(file))
  disk.removeFile(file)
  disk.writeFile(file, change(bytes))
}

/** The horizon changed, and every checksum mended. */
function forged(disk: SimDisk, base: number, change: (horizon: Horizon) => Horizon): void {
  const format = JSON.parse(disk.readText(`${ROOT}/.journal/FORMAT`)) as { journal: string }
  const seed = headerSeed(Buffer.from(format.journal, 'hex'))
  replaced(disk, pathOf(base, 'base'), (bytes) => {
    const header = decodeHeader(bytes, 0, seed, positionOf(base, 0))
    if (header === null) throw new Error('no horizon')
    const payload = bytes.subarray(HEADER_SIZE, HEADER_SIZE + header.length)
    const fresh = encodeHorizon(change(decodeHorizon(payload)))
    if (fresh.byteLength !== payload.byteLength) throw new Error('another size')
    encodeFrame(bytes, 0, seed, header, fresh)
    expect(hashPayload(fresh)).not.toBe(header.payloadHash)
    return bytes
  })
}

async function refused(disk: SimDisk): Promise<string> {
  const tree = workspace(disk)
  const error = await failure(() => openOn(disk, OPTIONS))
  expect(error.code).toBe('CORRUPT')
  expect(differences(tree, workspace(disk))).toEqual([])
  return error.message
}

async function problems(disk: SimDisk): Promise<readonly string[]> {
  const reader = await openOn(disk, { ...OPTIONS, readOnly: true })
  const report = await reader.verify().finally(() => reader.close())
  expect(report.ok).toBe(report.problems.length === 0)
  return report.problems.map(({ kind, message }) => `${kind}: ${message}`)
}

describe('the beginning of a log', () => {
  it('that is gone without a horizon is damage', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, OPTIONS)
    for (let n = 0; n < 12; n += 1) await journal.write('f', `${n}`.repeat(1500))
    await journal.close()
    disk.removeFile(pathOf(1, 'wal'))
    expect(await refused(disk)).toContain('no record of a horizon says that it was dropped')
    expect((await problems(disk)).length).toBeGreaterThan(0)
  })

  it('that is gone with its base is damage', async () => {
    const { disk, base } = await dropped()
    disk.removeFile(pathOf(base, 'base'))
    expect(await refused(disk)).toContain('no record of a horizon')
    expect((await problems(disk)).length).toBeGreaterThan(0)
  })

  it('one segment behind the base that is gone is damage', async () => {
    const { disk, base } = await dropped()
    disk.removeFile(pathOf(base + 1, 'wal'))
    expect(await refused(disk)).toContain(`segment ${base + 1}`)
    expect((await problems(disk)).length).toBeGreaterThan(0)
  })

  it('every segment behind the base that is gone is damage, though nothing else tells of them', async () => {
    const { disk, base } = await dropped()
    for (const segment of names(disk, 'wal')) disk.removeFile(pathOf(segment, 'wal'))
    disk.removeFile(`${ROOT}/.journal/CHECKPOINT`)
    expect(await refused(disk)).toContain(`segment ${base + 1}`)
    expect((await problems(disk))[0]).toContain(`segment ${base + 1}`)
    expect(await failure(() => salvageJournal(ROOT, { disk }))).toMatchObject({ code: 'CORRUPT' })
  })

  it('is named when any byte of the base is another', async () => {
    const { disk, base } = await dropped()
    const size = disk.readFile(pathOf(base, 'base')).byteLength
    let named = 0
    for (let at = 0; at < size; at += 7) {
      const copy = disk.crash('process')
      replaced(copy, pathOf(base, 'base'), (bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 0x10
        return bytes
      })
      const found = await problems(copy)
      // Padding is covered by nothing.
      if (found.length === 0) continue
      expect(found[0]).toMatch(/^horizon: the base of the log/)
      named += 1
    }
    expect(named).toBeGreaterThan(size / 7 - 20)
  })

  it('is named when the base is cut, or replaced by an older one', async () => {
    const { disk, base } = await dropped()
    const cut = disk.crash('process')
    replaced(cut, pathOf(base, 'base'), (bytes) => bytes.subarray(0, bytes.byteLength - 100))
    expect((await problems(cut))[0]).toMatch(/^horizon: /)
    const old = disk.readFile(pathOf(base, 'base'))
    const journal = await openOn(disk, OPTIONS)
    for (let n = 0; n < 12; n += 1) await journal.write('f', `${n}`.repeat(1500))
    await journal.compact({ keepTransactions: 3 })
    await journal.close()
    const now = Math.max(...names(disk, 'base'))
    disk.removeFile(pathOf(now, 'base'))
    disk.writeFile(pathOf(base, 'base'), old)
    await refused(disk)
    disk.removeFile(pathOf(base, 'base'))
    disk.writeFile(pathOf(now, 'base'), old)
    expect((await problems(disk))[0]).toMatch(/^horizon: the base of the log.* is damaged/)
  })

  it('is named when the horizon says something else, though every checksum was mended', async () => {
    for (const change of [
      (horizon: Horizon): Horizon => ({ ...horizon, seq: horizon.seq - 1 }),
      (horizon: Horizon): Horizon => ({ ...horizon, chain: 'ab'.repeat(32) }),
      (horizon: Horizon): Horizon => ({ ...horizon, sequence: horizon.sequence - 1 }),
      (horizon: Horizon): Horizon => ({ ...horizon, digest: 'cd'.repeat(32) }),
      (horizon: Horizon): Horizon => ({ ...horizon, written: horizon.written + 1 }),
    ]) {
      const { disk, base } = await dropped()
      forged(disk, base, change)
      expect((await problems(disk))[0]).toMatch(/^horizon: the base of the log/)
    }
  })
})

describe('a salvage', () => {
  it('keeps a horizon that is sound', async () => {
    const { disk, horizon } = await dropped()
    const last = Math.max(...names(disk, 'wal'))
    replaced(disk, pathOf(last - 1, 'wal'), (bytes) => bytes.fill(1, 1000, 1400))
    const report = await salvageJournal(ROOT, { disk })
    expect(report.lost.every(({ seq }) => seq > horizon)).toBe(true)
    const journal = await openOn(disk, OPTIONS)
    expect(await journal.verify()).toMatchObject({ ok: true, problems: [], horizon: { seq: horizon } })
    expect(Buffer.from(await journal.readAt('early', horizon)).toString()).toBe('once and never again\n')
    await journal.write('more', 'goes on\n')
    await journal.compact({ keepTransactions: 1 })
    expect(await journal.verify()).toMatchObject({ ok: true, problems: [] })
    await journal.close()
  })

  it('goes on without one that is damaged: what it stood for is lost, and the base is kept aside', async () => {
    const { disk, base, horizon } = await dropped()
    replaced(disk, pathOf(base, 'base'), (bytes) => bytes.fill(1, 300, 400))
    expect((await problems(disk))[0]).toMatch(/^horizon: /)
    const report = await salvageJournal(ROOT, { disk })
    expect(report.lost.map(({ seq }) => seq)).toEqual(Array.from({ length: horizon }, (_, n) => n + 1))
    expect(disk.readDirectory(`${ROOT}/.journal/broken`).some(({ name }) => name.includes('.base'))).toBe(true)
    const journal = await openOn(disk, OPTIONS)
    expect((await journal.verify()).problems).toEqual([])
    expect(Buffer.from(await journal.readAt('late')).toString()).toBe('behind the horizon\n')
    await journal.write('more', 'goes on\n')
    await journal.close()
  })
})

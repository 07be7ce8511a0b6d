import { describe, expect, it } from 'vitest'
import { type Decision, decide, type Found, RECOVERY_TABLE, type Rule } from '../../src/recovery/table.ts'
import { collect, newDisk, openOn, ROOT, staged } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'

const BEFORE = 'before '.repeat(300)
const AFTER = 'after '.repeat(400)

/** What may be changed in place. */
const LARGE_BEFORE = 'before '.repeat(200_000)
const LARGE_AFTER = LARGE_BEFORE.replaceAll('e', 'E')

/** Committed, durable, and not in the workspace: the process stops before the first change. */
async function inFlight(content: string | Uint8Array = AFTER, instead = BEFORE): Promise<SimDisk> {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('a', instead)
  await journal.checkpoint()
  disk.faults.before = ({ kind }) => {
    if (kind === 'exchange') disk.faults.crashAt(0)
  }
  await journal.write('a', content).catch(() => undefined)
  expect(disk.faults.crashed).toBe(true)
  return disk
}

/** What may stand at the path, for each way of finding it. */
const SIGHTS: Readonly<Record<Found, Readonly<Record<string, (disk: SimDisk) => void>>>> = {
  goal: { 'the content after': (disk) => disk.writeFile(`${ROOT}/a`, AFTER) },
  known: { 'the content before': (disk) => disk.writeFile(`${ROOT}/a`, BEFORE) },
  mixed: {
    'the beginning of the content after, and the rest of the one before': (disk) =>
      disk.writeFile(`${ROOT}/a`, LARGE_AFTER.slice(0, 700_001) + LARGE_BEFORE.slice(700_001)),
    'a byte of the content after': (disk) =>
      disk.writeFile(`${ROOT}/a`, LARGE_BEFORE.slice(0, 700_000) + LARGE_BEFORE.slice(700_000).replace('e', 'E')),
    'all but a byte of it': (disk) => disk.writeFile(`${ROOT}/a`, LARGE_AFTER.replace('E', 'e')),
  },
  torn: {
    nothing: (disk) => disk.unlink(`${ROOT}/a`),
    'an empty file': (disk) => disk.writeFile(`${ROOT}/a`, ''),
    'the beginning of the content': (disk) => disk.writeFile(`${ROOT}/a`, AFTER.slice(0, 1000)),
    'sectors of it, and zeros': (disk) => {
      const bytes = Buffer.from(AFTER)
      bytes.fill(0, 512, 1024)
      disk.writeFile(`${ROOT}/a`, bytes)
    },
    'zeros alone': (disk) => disk.writeFile(`${ROOT}/a`, Buffer.alloc(AFTER.length)),
  },
  other: {
    'an edit': (disk) => disk.writeFile(`${ROOT}/a`, 'precious'),
    'an edit of the content after': (disk) => disk.writeFile(`${ROOT}/a`, `precious${AFTER}`),
    'an addition to the content after': (disk) => disk.writeFile(`${ROOT}/a`, `${AFTER}precious`),
    'zeros not in whole sectors': (disk) => {
      const bytes = Buffer.from(AFTER)
      bytes.fill(0, 100, 200)
      disk.writeFile(`${ROOT}/a`, bytes)
    },
    'a folder': (disk) => {
      disk.unlink(`${ROOT}/a`)
      disk.mkdirp(`${ROOT}/a`)
      disk.writeFile(`${ROOT}/a/mine`, 'precious')
    },
    'a link': (disk) => {
      disk.unlink(`${ROOT}/a`)
      disk.writeLink(`${ROOT}/a`, 'elsewhere')
    },
  },
}

function sight(disk: SimDisk): string {
  if (!disk.exists(`${ROOT}/a`)) return 'nothing'
  const stat = disk.lstat(`${ROOT}/a`)
  if (stat?.kind === 'file') return disk.readText(`${ROOT}/a`)
  return stat?.kind === 'symlink' ? `link to ${disk.readLink(`${ROOT}/a`)}` : 'a folder'
}

function check(
  disk: SimDisk,
  decision: Decision,
  before: string,
  report: { conflicts: readonly unknown[] },
  kept: string,
  after: string,
): void {
  const nothing = before === 'nothing' || before === '' || before === 'a folder'
  switch (decision) {
    case 'nothing':
    case 'write':
      expect(sight(disk) === after).toBe(true)
      expect(report.conflicts).toEqual([])
      return
    case 'keep and write':
      expect(sight(disk) === after).toBe(true)
      expect(report.conflicts).toEqual([])
      if (!nothing) expect(kept).toContain('"preserve"')
      return
    case 'keep and report':
      expect(sight(disk)).toBe(before)
      expect(report.conflicts).toMatchObject([{ path: 'a' }])
      if (!nothing) expect(kept).toContain('"preserve"')
      if (before.includes('precious')) expect(kept).toContain('precious')
  }
}

describe('the recovery table', () => {
  const rows = RECOVERY_TABLE.flatMap((rule): [string, Rule, boolean, (disk: SimDisk) => void][] =>
    [true, false]
      .filter((restarted) => rule.restarted === 'any' || (rule.restarted === 'yes') === restarted)
      .flatMap((restarted) =>
        Object.entries(SIGHTS[rule.found]).map(([name, arrange]): [string, Rule, boolean, (disk: SimDisk) => void] => [
          `${rule.found} (${name}), ${restarted ? 'restarted' : 'still running'}: ${rule.decision}, since ${rule.reason}`,
          rule,
          restarted,
          arrange,
        ]),
      ),
  )

  it.each(rows)('%s', async (_, rule, restarted, arrange) => {
    const large = rule.found === 'mixed'
    const disk = large ? await inFlight(LARGE_AFTER, LARGE_BEFORE) : await inFlight()
    // All there is is made durable first, so that only the start of the machine differs.
    disk.faults.heal()
    const settled = disk.crash('process')
    settled.settle()
    const left = restarted ? settled.crash('ordered', { seed: 1 }) : settled
    arrange(left)
    left.settle()
    expect(left.bootId === disk.bootId).toBe(!restarted)
    const before = sight(left)
    const journal = await openOn(left)
    const kept = JSON.stringify(await collect(journal.export()))
    check(left, rule.decision, before, journal.recovery, kept, large ? LARGE_AFTER : AFTER)
    expect(await staged(left)).toEqual([])
    await journal.close()
    // Once more, and nothing is left to do.
    const again = await openOn(left)
    expect(again.recovery).toMatchObject({ replayed: [], reverted: [], conflicts: [] })
    await again.close()
  })

  it.each([
    ['goal', true, 'nothing'],
    ['goal', false, 'nothing'],
    ['known', true, 'write'],
    ['known', false, 'write'],
    ['mixed', true, 'keep and write'],
    ['mixed', false, 'keep and write'],
    ['torn', true, 'keep and write'],
    ['torn', false, 'keep and report'],
    ['other', true, 'keep and report'],
    ['other', false, 'keep and report'],
  ] as const)('decides as promised: %s, restarted %s: %s', (found, restarted, decision) => {
    expect(decide(found, restarted).decision).toBe(decision)
  })

  it('does not touch what is as it should be', async () => {
    const disk = await inFlight()
    disk.faults.heal()
    const left = disk.crash('process')
    left.writeFile(`${ROOT}/a`, AFTER)
    const { ino, mtimeNs } = left.lstat(`${ROOT}/a`) ?? {}
    await (await openOn(left)).close()
    expect(left.lstat(`${ROOT}/a`)).toMatchObject({ ino, mtimeNs })
  })

  it('has one rule for every case', () => {
    for (const found of ['goal', 'known', 'mixed', 'torn', 'other'] as const) {
      for (const restarted of [true, false]) expect(RECOVERY_TABLE).toContain(decide(found, restarted))
    }
    for (const rule of RECOVERY_TABLE) expect(rule.reason.length).toBeGreaterThan(10)
    expect(() => decide('else' as Found, true)).toThrow(RangeError)
  })

  it.each<[string, (mixture: Buffer) => Buffer]>([
    ['a byte that neither has', (mixture) => mixture.fill('x', 100, 101)],
    ['a byte more', (mixture) => Buffer.concat([mixture, Buffer.from('E')])],
    ['a byte less', (mixture) => mixture.subarray(1)],
  ])('takes a mixture with %s for somebody’s, while nothing was restarted', async (_, change) => {
    const disk = await inFlight(LARGE_AFTER, LARGE_BEFORE)
    disk.faults.heal()
    const left = disk.crash('process')
    const mine = change(Buffer.from(LARGE_AFTER.slice(0, 700_001) + LARGE_BEFORE.slice(700_001)))
    left.writeFile(`${ROOT}/a`, mine)
    const journal = await openOn(left)
    expect(journal.recovery.conflicts).toMatchObject([{ path: 'a' }])
    expect(Buffer.compare(left.readFile(`${ROOT}/a`), mine)).toBe(0)
    await journal.close()
  })

  it('takes a mixture for somebody’s where files are too small to be changed in place', async () => {
    const disk = await inFlight(BEFORE.replaceAll('e', 'E'), BEFORE)
    disk.faults.heal()
    const left = disk.crash('process')
    left.writeFile(`${ROOT}/a`, BEFORE.replace('e', 'E'))
    const journal = await openOn(left)
    expect(journal.recovery.conflicts).toMatchObject([{ path: 'a' }])
    expect(left.readText(`${ROOT}/a`)).toBe(BEFORE.replace('e', 'E'))
    await journal.close()
  })

  it.each<[string, (torn: Buffer) => Buffer]>([
    ['all but sectors in the middle', (torn) => torn.fill(0, 512 * 1000, 512 * 2000)],
    ['nothing but the beginning', (torn) => torn.subarray(0, 1000)],
  ])('knows a large content of which a part reached the disk: %s', async (_, tear) => {
    const large = Buffer.alloc(1024 * 1024 + 4096, 'large')
    const disk = await inFlight(large)
    disk.faults.heal()
    const settled = disk.crash('process')
    settled.settle()
    const left = settled.crash('ordered', { seed: 1 })
    left.writeFile(`${ROOT}/a`, tear(Buffer.from(large)))
    const journal = await openOn(left)
    expect(Buffer.compare(left.readFile(`${ROOT}/a`), large)).toBe(0)
    expect(journal.recovery.conflicts).toEqual([])
    await journal.close()
  })

  it.each([0, 1024 * 1024, 3 * 1024 * 1024])(
    'knows a large file of which %i bytes reached the disk, though it may have been changed in place',
    async (size) => {
      const before = Buffer.alloc(5 * 1024 * 1024, 'large before')
      const after = Buffer.from(before)
      after.fill('after', 100_000, 100_500)
      const disk = await inFlight(after, before.toString())
      disk.faults.heal()
      const settled = disk.crash('process')
      settled.settle()
      const left = settled.crash('ordered', { seed: 1 })
      left.writeFile(`${ROOT}/a`, Buffer.concat([after.subarray(0, size), Buffer.alloc(after.length - size)]))
      const journal = await openOn(left)
      expect(Buffer.compare(left.readFile(`${ROOT}/a`), after)).toBe(0)
      expect(journal.recovery.conflicts).toEqual([])
      await journal.close()
    },
  )

  it('asks, when told to', async () => {
    const disk = await inFlight()
    const left = disk.crash('process')
    const tree = left.tree(`${ROOT}/.journal/log`)
    await expect(openOn(left, { recover: 'manual' })).rejects.toMatchObject({ code: 'NEEDS_RECOVERY' })
    expect([...left.tree(`${ROOT}/.journal/log`)]).toEqual([...tree])
    expect(left.readText(`${ROOT}/a`)).toBe(BEFORE)
    expect(left.openHandles).toEqual([])
  })

  it('takes back, when told to', async () => {
    const disk = await inFlight()
    const left = disk.crash('process')
    const journal = await openOn(left, { recover: 'revert' })
    expect(left.readText(`${ROOT}/a`)).toBe(BEFORE)
    expect(journal.recovery.reverted).toHaveLength(1)
    expect((await journal.verify({ workspace: true })).problems).toEqual([])
    await journal.close()
    const again = await openOn(left)
    expect(left.readText(`${ROOT}/a`)).toBe(BEFORE)
    await again.close()
  })
})

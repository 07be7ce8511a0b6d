import { beforeAll, describe, expect, test } from 'vitest'
import { decodeContents, RAW } from '../../src/content/content-frame.ts'
import { readCommit } from '../../src/entry/chain.ts'
import { HEADER_SIZE } from '../../src/log/frame.ts'
import { positionOf } from '../../src/log/position.ts'
import { openOn } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { bytesOf, type Ending, files, JOURNAL, placeOf } from './built.ts'
import { framesOf, unwitnessed } from './damages.ts'
import { chosen, SEED, type Subject, subjectOf, trial } from './trial.ts'

/** Of each kind, unless all are tried. */
const SAMPLES = Number(process.env.DAMAGE_SAMPLES ?? 60)

const PATTERNS: readonly (readonly [name: string, change: (byte: number) => number])[] = [
  ['one bit', (byte) => byte ^ 0x01],
  ['all bits', (byte) => byte ^ 0xff],
  ['zero', () => 0],
]

interface Flip {
  readonly name: string
  readonly offset: number
  readonly pattern: number
}

describe.each<Ending>(['closed', 'killed'])('a journal that was %s', (ending) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await subjectOf(ending)
    expect(subject.good.report).toMatchObject({ ok: true, problems: [] })
    expect(subject.versions.length).toBeGreaterThan(15)
  })

  async function tryAll<T>(
    damages: readonly T[],
    damage: (disk: SimDisk, what: T) => void,
    unprovable?: (what: T) => boolean,
  ): Promise<void> {
    const { verdicts, faults } = await trial(subject, damages, damage, undefined, unprovable)
    console.info(`${ending}: ${damages.length} damages (DAMAGE_SEED=${SEED}) ${JSON.stringify(verdicts)}`)
    expect(faults, `DAMAGE_SEED=${SEED}`).toEqual([])
  }

  test('every byte turned over is named, or does no harm', { timeout: 3_600_000 }, async () => {
    const flips: Flip[] = []
    for (const name of files(subject.disk)) {
      for (const [offset, byte] of bytesOf(subject.disk, name).entries()) {
        for (const [pattern, [, change]] of PATTERNS.entries())
          if (change(byte) !== byte) flips.push({ name, offset, pattern })
      }
    }
    await tryAll(chosen(flips, SAMPLES), (bad, { name, offset, pattern }) => {
      const bytes = bytesOf(bad, name)
      bytes[offset] = PATTERNS[pattern]?.[1](bytes[offset] as number) as number
      bad.writeFile(`${JOURNAL}/${name}`, bytes)
    })
  })

  test('every length that a file is cut to is named, or does no harm', { timeout: 3_600_000 }, async () => {
    const cuts = files(subject.disk).flatMap((name) =>
      Array.from({ length: bytesOf(subject.disk, name).byteLength }, (_, length) => ({ name, length })),
    )
    await tryAll(
      chosen(cuts, SAMPLES),
      (bad, { name, length }) => {
        bad.writeFile(`${JOURNAL}/${name}`, bytesOf(bad, name).subarray(0, length))
      },
      ({ name, length }) => isNeat(name, length),
    )
  })

  /** Behind the last checkpoint nothing but the log tells where it ended, so between two frames nobody sees a cut. */
  function isNeat(name: string, length: number): boolean {
    if (ending === 'closed' || !name.startsWith('log/')) return false
    const at = positionOf(Number(name.slice(4, 16)), length)
    return framesOf(subject.disk).some(({ position, length: size }) => {
      const end = position + HEADER_SIZE + size
      return end >= unwitnessed(subject.disk) && at >= end && at < end + 8
    })
  }

  test('a damaged record names its transaction, and a damaged content its file', { timeout: 120_000 }, async () => {
    const until = ending === 'closed' ? Number.POSITIVE_INFINITY : unwitnessed(subject.disk)
    const copies = new Map<string, number>()
    for (const { kind, payload } of framesOf(subject.disk)) {
      if (kind !== 'content') continue
      for (const { hash } of decodeContents(payload).contents) copies.set(hash, (copies.get(hash) ?? 0) + 1)
    }
    let named = 0
    for (const frame of framesOf(subject.disk)) {
      if ((frame.kind !== 'commit' && frame.kind !== 'content') || frame.position >= until) continue
      const bad = subject.disk.crash('process')
      const { name, offset } = placeOf(frame.position)
      const bytes = bytesOf(bad, name)
      const at = offset + HEADER_SIZE + frame.length - 3
      bytes[at] = (bytes[at] as number) ^ 0x10
      bad.writeFile(`${JOURNAL}/${name}`, bytes)
      const reader = await openOn(bad, { readOnly: true })
      const { problems } = await reader.verify()
      await reader.close()
      const where = `${frame.kind} at ${name}:${offset}: ${JSON.stringify(problems)}`
      if (frame.kind === 'commit') {
        const { tx, seq } = readCommit(frame.payload)
        expect(
          problems.some((problem) => problem.tx === tx || problem.message.includes(`number ${seq} `)),
          where,
        ).toBe(true)
      } else {
        const { tx, contents } = decodeContents(frame.payload)
        expect(
          problems.map((problem) => problem.tx),
          where,
        ).toContain(tx)
        const missed = problems.filter(({ kind }) => kind === 'content').map(({ path }) => path)
        // One that stands elsewhere too is missed by no file; erased ones are not either.
        const only = contents.some(({ encoding, hash }) => encoding === RAW && copies.get(hash) === 1)
        if (only) expect(missed.length, where).toBeGreaterThan(0)
      }
      named += 1
    }
    expect(named).toBeGreaterThan(20)
  })
})

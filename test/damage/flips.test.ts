import { beforeAll, describe, expect, test } from 'vitest'
import type { SimDisk } from '../sim/sim-disk.ts'
import { bytesOf, type Ending, files, JOURNAL } from './built.ts'
import { chosen, SEED, type Subject, subjectOf, trial } from './trial.ts'

/** Of each kind, unless all are tried. */
const SAMPLES = Number(process.env.DAMAGE_SAMPLES ?? 200)

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

  async function tryAll<T>(damages: readonly T[], damage: (disk: SimDisk, what: T) => void): Promise<void> {
    const { verdicts, faults } = await trial(subject, damages, damage)
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
    await tryAll(chosen(cuts, SAMPLES), (bad, { name, length }) => {
      bad.writeFile(`${JOURNAL}/${name}`, bytesOf(bad, name).subarray(0, length))
    })
  })
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { diskOf, largeProgram, program } from './program.ts'
import { rehearse } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'
import { WriteAhead } from './write-ahead.ts'

const durable = program.map((one) => ({ ...one, durability: 'full' as const }))
const large = largeProgram.map((one) => ({ ...one, durability: 'full' as const }))
const RUNS = Number(process.env.WRITE_AHEAD_RUNS ?? 150)

/** What is found wrong with a program, on a disk that was tampered with. */
async function problemsOf(one: Parameters<typeof diskOf>[0], tamper: (disk: SimDisk) => void): Promise<string[]> {
  const disk = diskOf(one)
  tamper(disk)
  const watch = new WriteAhead(disk)
  await rehearse(one, disk, (span) => watch.begin(span))
  return watch.problems
}

it('nothing is touched, acknowledged or dropped before the log has it for good, and a checkpoint comes after what it covers', () =>
  fc.assert(
    fc.asyncProperty(durable, async (one) => {
      expect(await problemsOf(one, () => undefined)).toEqual([])
    }),
    { numRuns: RUNS },
  ))

it('nor is anything written over where large files are changed in place', async () => {
  let written = 0
  const count = (disk: SimDisk) => {
    disk.halfway = (half) => {
      if (half.exists('/w/big')) written += 1
    }
  }
  await fc.assert(
    fc.asyncProperty(large, async (one) => {
      expect(await problemsOf(one, count)).toEqual([])
    }),
    { numRuns: RUNS / 3 },
  )
  expect(written).toBeGreaterThan(0)
})

it.each([
  ['the log', /log-writer\.ts/, /before a commit of it is durable|is not durable/],
  ['files at a checkpoint', /checkpointer\.ts/, /a checkpoint is durable/],
])('a sync of %s that is left out is seen', async (_, site, problem) => {
  const found: string[] = []
  for (const one of fc.sample(durable, { numRuns: 20, seed: 3 }))
    found.push(...(await problemsOf(one, (disk) => (disk.lie = (asked) => site.test(asked)))))
  expect(found.some((line) => problem.test(line))).toBe(true)
})

import { expect, test } from 'vitest'
import { built, SEED } from '../crash/built.ts'
import { Random } from '../sim/random.ts'
import { noMount, noShim } from './ground.ts'
import { FILE_SYSTEMS } from './image.ts'
import { Outage, type Toll } from './outage.ts'
import { ROUNDS } from './rounds.ts'

/** The same image goes through so many. */
const ROUNDS_AN_IMAGE = 5

for (const [index, fileSystem] of FILE_SYSTEMS.entries()) {
  const { name, make } = fileSystem
  const title = `${name}: killed at any call and the power cut, all that was acknowledged is there and whole`
  test(title, { timeout: 60_000 + ROUNDS * 30_000 }, async ({ skip }) => {
    const reason = noShim() ?? noMount(make)
    if (reason !== null) skip(reason)
    await built()
    console.log(`${name}: CRASH_SEED=${SEED} KERNEL_ROUNDS=${ROUNDS}`)
    const random = new Random(SEED + index)
    const tolls: Toll[] = []
    for (let done = 0; done < ROUNDS; ) {
      const outage = new Outage(random.fork(), fileSystem)
      try {
        for (let round = 0; round < ROUNDS_AN_IMAGE && done < ROUNDS; round += 1, done += 1) {
          const faults = await outage.round()
          expect(faults, `${name}, CRASH_SEED=${SEED}, round ${done}:\n${outage.steps}`).toEqual([])
        }
      } finally {
        outage.raze()
      }
      tolls.push(outage.toll)
    }
    console.log(`${name}: ${JSON.stringify(sum(tolls))}`)
  })
}

function sum(tolls: readonly Toll[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const toll of tolls) for (const [key, value] of Object.entries(toll)) total[key] = (total[key] ?? 0) + value
  return total
}

import fc from 'fast-check'
import { describe, it } from 'vitest'
import { check, type Scenario, scenario } from './scenario.ts'

const RUNS = Number(process.env.SIM_RUNS ?? 1500)

describe('atomicity', () => {
  it.runIf(process.env.SIM_CASE !== undefined)('replays one scenario', () =>
    check(JSON.parse(process.env.SIM_CASE ?? '{}') as Scenario),
  )

  it('leaves a prefix of the committed transactions, with every acknowledged one, wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, (one) => check(one)),
      { numRuns: RUNS, ...seedOf() },
    )
  }, 600_000)
})

function seedOf(): { seed?: number; path?: string } {
  const { SIM_SEED, SIM_PATH } = process.env
  return {
    ...(SIM_SEED === undefined ? {} : { seed: Number(SIM_SEED) }),
    ...(SIM_PATH === undefined ? {} : { path: SIM_PATH }),
  }
}

import { expect, test } from 'vitest'
import { Random } from '../sim/random.ts'
import { SEED } from './built.ts'
import { besiege } from './siege.ts'

/** Writers to kill; every one costs about a second. `CRASH_ROUNDS=20000` for a night. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 20)

test(
  'whenever a process is killed, recovery gives the workspace that the history says, with every acknowledged transaction',
  async () => {
    console.log(`CRASH_SEED=${SEED}`)
    const deaths = await besiege(new Random(SEED), ROUNDS)
    console.log(`killed: ${JSON.stringify(deaths)}`)
    const { 'not killed': survived = 0, ...killed } = deaths
    expect(survived).toBeLessThan(ROUNDS)
    expect(Object.values(killed).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(ROUNDS)
  },
  60_000 + ROUNDS * 10_000,
)

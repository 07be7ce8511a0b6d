import fc from 'fast-check'
import { expect, it } from 'vitest'
import { check, type Scenario, scenario } from './scenario.ts'
import type { SimDisk } from './sim-disk.ts'

/** Scenarios that each mutant is shown, at most. */
const RUNS = Number(process.env.MUTATION_RUNS ?? 0)
/** Only the places that have this in their names. */
const ONLY = process.env.MUTATION_ONLY ?? ''

it.runIf(RUNS > 0)(
  'each sync of a commit, a checkpoint and a recovery is missed when it is left out',
  async () => {
    const cases: Scenario[] = fc.sample(scenario, { numRuns: RUNS, seed: Number(process.env.SIM_SEED ?? 7) })
    const sites = new Map<string, number>()
    const observe = (disk: SimDisk): void => {
      disk.lie = (site) => {
        sites.set(site, (sites.get(site) ?? 0) + 1)
        return false
      }
    }
    for (const one of cases.slice(0, 200)) await check(one, observe)
    const survivors: string[] = []
    for (const [site, syncs] of sites) {
      if (!site.includes(ONLY)) continue
      let killedBy = 0
      for (const [index, one] of cases.entries()) {
        const tamper = (disk: SimDisk): void => {
          disk.lie = (asked) => asked === site
        }
        const failed = await check(one, tamper).then(
          () => false,
          () => true,
        )
        if (!failed) continue
        killedBy = index + 1
        break
      }
      console.log(killedBy === 0 ? `SURVIVES ${site}` : `killed   ${site} by scenario ${killedBy}`, `(${syncs} syncs)`)
      if (killedBy === 0) survivors.push(site)
    }
    expect(survivors).toEqual([])
  },
  3_600_000,
)

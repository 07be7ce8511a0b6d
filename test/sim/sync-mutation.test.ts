import fc from 'fast-check'
import { expect, it } from 'vitest'
import { check, failing, sound } from './campaign.ts'
import type { SimDisk } from './sim-disk.ts'

/** Programs that each mutant is shown, at most, half of them on failing disks. */
const RUNS = Number(process.env.MUTATION_RUNS ?? 0)
/** Only the places that have this in their names. */
const ONLY = process.env.MUTATION_ONLY ?? ''

it.runIf(RUNS > 0)(
  'each sync is missed when it is left out',
  async () => {
    const sample = { numRuns: Math.ceil(RUNS / 2), seed: Number(process.env.SIM_SEED ?? 7) }
    const healthy = fc.sample(sound, sample)
    const cases = fc.sample(failing, sample).flatMap((one, at) => [healthy[at] ?? one, one])
    const sites = new Map<string, number>()
    const observe = (disk: SimDisk): void => {
      disk.lie = (site) => {
        sites.set(site, (sites.get(site) ?? 0) + 1)
        return false
      }
    }
    for (const one of cases) await check(one, observe)
    const survivors: string[] = []
    for (const [site, syncs] of [...sites].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!site.includes(ONLY)) continue
      const leaveOut = (disk: SimDisk): void => {
        disk.lie = (asked) => asked === site
      }
      let killedBy = 0
      for (const [index, one] of cases.entries()) {
        const failed = await check(one, leaveOut).then(
          () => false,
          () => true,
        )
        if (failed) killedBy = index + 1
        if (failed) break
      }
      console.log(killedBy === 0 ? `SURVIVES ${site}` : `killed   ${site} by program ${killedBy}`, `(${syncs} syncs)`)
      if (killedBy === 0) survivors.push(site)
    }
    expect(survivors).toEqual([])
  },
  86_400_000,
)

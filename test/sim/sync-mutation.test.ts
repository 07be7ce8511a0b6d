import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crashedAt, crashWithBadBase, misplace, tear } from '../damage/interrupted-salvage.ts'
import { subjectOf } from '../damage/trial.ts'
import { failEverywhere } from '../journal/failed-making.ts'
import { cutInRecovery } from '../recovery/interrupted-end.ts'
import { crashEverywhere as crashInLocking, cutBehindLock } from '../recovery/interrupted-lock.ts'
import { crashInDrop, cutBehindDrop } from '../retention/interrupted-drop.ts'
import { crashEverywhere as crashInPurge, cutBehind, writtenAgain } from '../retention/interrupted-purge.ts'
import { check, failing, sound } from './campaign.ts'
import type { SimDisk } from './sim-disk.ts'

/** Programs that each mutant is shown, at most, half of them on failing disks. */
const RUNS = Number(process.env.MUTATION_RUNS ?? 0)
/** Only the places that have this in their names. */
const ONLY = process.env.MUTATION_ONLY ?? ''

type Tamper = (disk: SimDisk) => void

/** What must fail when a sync is missing, and the syncs that it comes by. */
interface Trial {
  readonly name: string
  readonly run: (tamper: Tamper) => Promise<unknown>
  readonly sites: Set<string>
}

function programs(): Trial[] {
  const sample = { numRuns: Math.ceil(RUNS / 2), seed: Number(process.env.SIM_SEED ?? 7) }
  const healthy = fc.sample(sound, sample)
  const cases = fc.sample(failing, sample).flatMap((one, at) => [healthy[at] ?? one, one])
  return cases.map((one, index) => ({
    name: `program ${index + 1}`,
    run: (tamper) => check(one, tamper),
    sites: new Set(),
  }))
}

/** What programs do too seldom, or cannot tell: that something is gone for good, and that a damaged journal is mended. */
function scenarios(): Trial[] {
  const salvage = async (tamper: Tamper) => {
    const subject = await subjectOf('killed')
    for (const harm of [tear, misplace])
      for (const model of ['none', 'any'] as const)
        for (let at = 1; !(await crashedAt(subject, harm, at, model, tamper)); ) at += 1
  }
  const all: Record<string, Trial['run']> = {
    'a journal whose making fails': failEverywhere,
    'a recovery, and the power cut anywhere in it': cutInRecovery,
    'a file that becomes unreadable, and the power cut at once': cutBehindLock,
    'a purge, and the power cut behind it': cutBehind,
    'a purge, and its contents written again': writtenAgain,
    'a purge that crashes anywhere': (tamper) => crashInPurge('none', tamper),
    'a file that becomes unreadable, and a crash anywhere': (tamper) => crashInLocking('becomes one', {}, tamper),
    'a drop of old transactions, and the power cut': cutBehindDrop,
    'a drop of old transactions that crashes anywhere': async (tamper) => {
      await crashInDrop('none', tamper)
      await crashInDrop('any', tamper)
    },
    'a salvage that crashes anywhere': salvage,
    'a salvage of a damaged base': async (tamper) => {
      await crashWithBadBase('none', tamper)
      await crashWithBadBase('any', tamper)
    },
  }
  return Object.entries(all).map(([name, run]) => ({ name, run, sites: new Set() }))
}

/** Every line of the engine that calls a sync of the disk. */
function sitesInSource(): string[] {
  const folder = `${import.meta.dirname}/../../src`
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('disk/'),
  )
  return files.flatMap((file) =>
    readFileSync(`${folder}/${file}`, 'utf8')
      .split('\n')
      .flatMap((line, index) => (/\.sync(Directory|Now)?\(/.test(line) ? [`${file}:${index + 1}`] : [])),
  )
}

it.runIf(RUNS > 0)(
  'each sync is missed when it is left out',
  async () => {
    const trials = [...programs(), ...scenarios()]
    for (const { run, sites } of trials) {
      await run((disk) => {
        disk.lie = (site) => {
          sites.add(site)
          return false
        }
      })
    }
    const reached = new Set(trials.flatMap(({ sites }) => [...sites]))
    const sites = [...new Set([...reached, ...sitesInSource()])].filter((site) => site.includes(ONLY)).sort()
    const survivors: string[] = []
    for (const site of sites) {
      const by = await killer(
        site,
        trials.filter((trial) => trial.sites.has(site)),
      )
      if (by === null) survivors.push(site)
      const what = by === null ? (reached.has(site) ? 'SURVIVES' : 'NOT REACHED') : 'killed'
      console.log(what.padEnd(11), site, by === null ? '' : `by ${by}`)
    }
    expect(survivors).toEqual([])
  },
  86_400_000,
)

/** The first trial that fails without the sync; null when none does. */
async function killer(site: string, trials: readonly Trial[]): Promise<string | null> {
  const leaveOut = (disk: SimDisk): void => {
    disk.lie = (asked) => asked === site
  }
  for (const { name, run } of trials) {
    const failed = await run(leaveOut).then(
      () => false,
      () => true,
    )
    if (failed) return name
  }
  return null
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import { built, SEED } from '../crash/built.ts'
import { Random } from '../sim/random.ts'
import { home, raze } from './cleaning.ts'
import { noShim } from './ground.ts'
import { WHOLE } from './rounds.ts'
import { CHANGES, compileShim, KIND, type Strike } from './shim.ts'
import { type Scene, sweep } from './sweep.ts'

const TAKES_SPACE = KIND.write | KIND.create | KIND.rename | KIND.link | KIND.folder | KIND.attribute | KIND.copy
const FAULTS: Readonly<Record<string, Strike>> = {
  'EIO once': { act: 'once', error: 'EIO' },
  'EIO from there on': { act: 'from there on', error: 'EIO' },
  'a full disk for one call': { act: 'once', error: 'ENOSPC', mask: TAKES_SPACE },
  'a full disk from there on': { act: 'from there on', error: 'ENOSPC', mask: TAKES_SPACE },
  'a short write': { act: 'short', mask: KIND.write },
  'a short write, then a full disk': { act: 'short, then full', error: 'ENOSPC', mask: TAKES_SPACE },
  'a file system that becomes read-only': { act: 'from there on', error: 'EROFS', mask: CHANGES & ~KIND.sync },
  'EPERM once': { act: 'once', error: 'EPERM', mask: CHANGES & ~KIND.sync & ~KIND.write },
  'too many open files for one call': { act: 'once', error: 'EMFILE', mask: KIND.open | KIND.create },
  'too many open files from there on': { act: 'from there on', error: 'EMFILE', mask: KIND.open | KIND.create },
}
/** With all other tests only every so many-th call fails (the seed says which), scenes but commits with EIO only. */
const STEP: Readonly<Record<Scene, number>> = { opening: 23, committing: 71, recovering: 41 }

let folder: string
let library: string

beforeAll(async () => {
  if (noShim() !== null) return
  await built()
  folder = home()
  library = compileShim(folder)
  console.log(`CRASH_SEED=${SEED}`)
})
afterAll(() => {
  if (folder !== undefined) raze(folder)
})

for (const [name, strike] of Object.entries(FAULTS)) {
  const scenes = (Object.keys(STEP) as Scene[]).filter(
    (scene) => WHOLE || scene === 'committing' || name.startsWith('EIO'),
  )
  test.for(scenes)(
    `${name} while %s: a typed error, nothing half done and nothing acknowledged lost after a reopening`,
    { timeout: WHOLE ? 1_200_000 : 60_000 },
    async (scene, { skip }) => {
      const reason = noShim()
      if (reason !== null) skip(reason)
      const step = WHOLE ? 1 : STEP[scene]
      const first = 1 + (WHOLE ? 0 : new Random(SEED).below(step))
      const { runs, faults } = await sweep(library, folder, scene, strike, { first, step })
      console.log(`${name} while ${scene}: ${runs} runs`)
      expect(faults, `CRASH_SEED=${SEED}`).toEqual([])
    },
  )
}

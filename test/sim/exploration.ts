import { type Moment, momentOf, recoverAndCheck } from './aftermath.ts'
import { diskOf, type Program } from './program.ts'
import { Random } from './random.ts'
import { rehearse, type Span } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'

type Model = 'process' | 'ordered' | 'any'

/** A disk that a crash left, and how it came about. */
interface Image {
  readonly disk: SimDisk
  readonly moment: Moment
  /** Each crash: before which changing operation (`+`: with a part of it done), and what was lost. */
  readonly story: readonly string[]
}

/** Crashes in recoveries after the first crash. */
const MOST_CRASHES = 3
/** Share of the recoveries that crash again. */
const AGAIN = 0.4

/**
 * Runs a program once, and lets it crash at every operation that changes something; recovers each disk that is left, and checks it.
 * Some recoveries are crashed in turn.
 * @param tamper does something to every disk before it is used.
 * @returns number of crashes that were recovered from.
 * @throws Error that says how the disk came about
 */
export async function explore(program: Program, tamper: (disk: SimDisk) => void = () => undefined): Promise<number> {
  const random = new Random(program.seed)
  const images: Image[] = []
  const disk = diskOf(program)
  tamper(disk)
  let span: Span | null = null
  const crash = (disk: SimDisk, mark: string, story: readonly string[], moment: Moment): Image => {
    const model = program.durability === 'os' ? 'process' : pickModel(random)
    return { disk: disk.crash(model, { seed: random.uint32() }), moment, story: [...story, `${mark} ${model}`] }
  }
  const take = (disk: SimDisk, mark: string) => {
    if (span !== null) images.push(crash(disk, mark, [], momentOf(span)))
  }
  disk.faults.atChange = () => take(disk, `${disk.faults.changes}`)
  disk.halfway = (half) => {
    if (random.chance(0.3)) take(half, `${disk.faults.changes}+`)
  }
  await rehearse(program, disk, (begun) => {
    span = begun
  })
  let count = 0
  for (let image = images.pop(); image !== undefined; image = images.pop()) {
    const { disk, moment, story } = image
    tamper(disk)
    let next: Image | null = null
    let seen = 0
    const again = story.length <= MOST_CRASHES && random.chance(AGAIN)
    const watch = () => {
      seen += 1
      if (random.below(seen) === 0) next = crash(disk, `${disk.faults.changes}`, story, moment)
    }
    count += 1
    try {
      await recoverAndCheck(disk, moment, program, (on) => {
        disk.faults.atChange = on && again ? watch : null
      })
    } catch (error) {
      throw new Error(`crashes ${story.join(', then ')}: ${(error as Error).message}`, { cause: error })
    }
    if (next !== null) images.push(next)
  }
  return count
}

function pickModel(random: Random): Model {
  return (['process', 'ordered', 'any', 'any'] as const)[random.below(4)] ?? 'any'
}

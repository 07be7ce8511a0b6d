import { JournalError, openJournal } from '../../src/index.ts'
import { type Moment, modeFor, momentOf, recoverAndCheck } from './aftermath.ts'
import { diskOf, type Fault, type Program, ROOT } from './program.ts'
import { Random } from './random.ts'
import { rehearse, type Span } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'
import type { Tree } from './tree.ts'

export interface ExploreOptions {
  /** While the program runs. It runs once without it before, so that it is known what should come of it. */
  readonly fault?: Fault
  /** Faults of some recoveries. */
  readonly recoveryFaults?: readonly Fault[]
  /** Does something to every disk before it is used. */
  readonly tamper?: (disk: SimDisk) => void
}

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
/** Share of the recoveries that meet a fault, where there are any. */
const DISTURBED = 0.3

/**
 * Runs a program, and lets it crash at every operation that changes something; recovers each disk that is left, and checks it. Some
 * recoveries are crashed in turn, some meet a fault of the disk.
 * @returns number of crashes that were recovered from.
 * @throws Error that says how the disk came about
 */
export async function explore(program: Program, options: ExploreOptions = {}): Promise<number> {
  const random = new Random(program.seed)
  const images: Image[] = []
  let count = 0
  for (const image of await crashed(program, options, random)) {
    images.push(image)
    for (let next = images.pop(); next !== undefined; next = images.pop()) {
      options.tamper?.(next.disk)
      count += 1
      try {
        const again = await recovered(next, program, options, random)
        if (again !== null) images.push(again)
      } catch (error) {
        throw new Error(`crashes ${next.story.join(', then ')}: ${(error as Error).message}`, { cause: error })
      }
    }
  }
  return count
}

/** Runs the program and gathers what its crashes leave. */
async function crashed(program: Program, { fault, tamper }: ExploreOptions, random: Random): Promise<Image[]> {
  let undisturbed: Tree[] | undefined
  if (fault !== undefined) undisturbed = await rehearse(program, diskOf(program), () => undefined)
  const images: Image[] = []
  const disk = diskOf(program)
  tamper?.(disk)
  let span: Span | null = null
  const take = (disk: SimDisk, mark: string) => {
    if (span !== null) images.push(crash(disk, program, random, momentOf(span), [], mark))
  }
  disk.faults.atChange = () => take(disk, `${disk.faults.changes}`)
  disk.halfway = (half) => {
    if (random.chance(0.3)) take(half, `${disk.faults.changes}+`)
  }
  if (fault !== undefined) plan(disk, fault, program)
  await rehearse(
    program,
    disk,
    (begun) => {
      span = begun
    },
    undisturbed,
  )
  for (let left = 3; left > 0; left -= 1) take(disk, 'the end')
  return images
}

function crash(
  disk: SimDisk,
  { durability }: Program,
  random: Random,
  moment: Moment,
  before: readonly string[],
  mark: string,
): Image {
  const power = random.pick(['ordered', 'any', 'any'] as const)
  const model = disk.faults.dead
    ? power
    : durability === 'os'
      ? 'process'
      : random.pick(['process', power, power] as const)
  return { disk: disk.crash(model, { seed: random.uint32() }), moment, story: [...before, `${mark} ${model}`] }
}

/** Recovers and checks; returns what is left of a crash on the way, if there was one. */
async function recovered(
  image: Image,
  program: Program,
  { recoveryFaults = [] }: ExploreOptions,
  random: Random,
): Promise<Image | null> {
  const { moment, story } = image
  let { disk } = image
  let next: Image | null = null
  let seen = 0
  const watch = () => {
    seen += 1
    if (random.below(seen) === 0) next = crash(disk, program, random, moment, story, `${disk.faults.changes}`)
  }
  const again = story.length <= MOST_CRASHES && random.chance(AGAIN)
  const watched = (on: boolean) => {
    disk.faults.atChange = on && again ? watch : null
  }
  if (recoveryFaults.length > 0 && random.chance(DISTURBED)) {
    watched(true)
    await openOnFailing(disk, random.pick(recoveryFaults), program, modeFor(moment, random))
    if (disk.openHandles.length > 0) throw new Error(`left open by a failed opening: ${disk.openHandles}`)
    if (disk.faults.dead) disk = crash(disk, program, random, moment, story, 'a restart').disk
    else disk.faults.heal()
  }
  await recoverAndCheck(disk, moment, program, random, watched)
  return next
}

function plan(disk: SimDisk, { at, code, kinds, persistent }: Fault, { durability }: Program): void {
  // After a failing device only a restart helps, and that is more than `os` promises to survive.
  if (durability === 'os' && code === 'EIO' && kinds === null) return
  disk.faults.failAt(at, code, { persistent, ...(kinds !== null && { kinds }) })
}

/** Opens while operations fail: it works, or fails with a typed error. */
async function openOnFailing(
  disk: SimDisk,
  fault: Fault,
  program: Program,
  recover: 'replay' | 'revert',
): Promise<void> {
  const { segmentSize, durability } = program
  plan(disk, fault, program)
  try {
    await (await openJournal(ROOT, { disk, segmentSize, durability, recover })).close()
  } catch (error) {
    if (error instanceof JournalError) return
    throw new Error(`an untyped error of a failing disk: ${(error as Error).stack}`)
  }
}

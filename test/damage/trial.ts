import { Random } from '../sim/random.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { type Answers, answersOf, versionsIn } from './answers.ts'
import { built, type Ending } from './built.ts'
import { judge, type Verdict } from './judgement.ts'

/** Everything is tried with DAMAGE_ALL=1; else as much as there is time for, chosen by the seed. */
export const ALL = process.env.DAMAGE_ALL === '1'
export const SEED = Number(
  process.env.DAMAGE_SEED ?? (process.env.CI === undefined ? Date.now() % 1_000_000 : 20261121),
)
/** Readers wait some milliseconds for a write that may be in flight: many trials at a time wait together. */
const AT_ONCE = 16

/** A journal, and what it answers when nothing is damaged. */
export interface Subject {
  readonly disk: SimDisk
  /** The same journal, some transactions before. */
  readonly older: SimDisk
  readonly good: Answers
  readonly versions: [path: string, seq: number][]
}

export async function subjectOf(ending: Ending): Promise<Subject> {
  const { disk, older } = await built(ending)
  const versions = versionsIn(await answersOf(disk))
  return { disk, older, good: await answersOf(disk, versions), versions }
}

export function chosen<T>(all: readonly T[], count: number, seed = SEED): readonly T[] {
  const random = new Random(seed)
  if (ALL || all.length <= count) return all
  return Array.from({ length: count }, () => all[random.below(all.length)] as T)
}

export interface Outcome {
  readonly verdicts: Partial<Record<Verdict, number>>
  /** Of each damage, in their order; null for a fault. */
  readonly each: readonly (Verdict | null)[]
  readonly faults: readonly string[]
}

/** Does each damage to a copy of the journal, and judges what it answers then. */
export async function trial<T>(
  { disk, good, versions }: Subject,
  damages: readonly T[],
  damage: (disk: SimDisk, what: T) => void | Promise<void>,
  name: (what: T) => string = (what) => JSON.stringify(what),
  unprovable: (what: T) => boolean = () => false,
): Promise<Outcome> {
  const each: (Verdict | null)[] = damages.map(() => null)
  const faults: string[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < damages.length && faults.length < 20) {
      const index = next
      next += 1
      const what = damages[index] as T
      try {
        const bad = disk.crash('process')
        await damage(bad, what)
        each[index] = judge(good, await answersOf(bad, versions), unprovable(what))
      } catch (error) {
        faults.push(`${name(what)}: ${(error as Error).message.slice(0, 800)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const verdicts: Partial<Record<Verdict, number>> = {}
  for (const verdict of each) if (verdict !== null) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
  return { verdicts, each, faults }
}

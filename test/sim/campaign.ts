import fc from 'fast-check'
import { type ExploreOptions, explore } from './exploration.ts'
import { type Fault, fault, largeProgram, type Program, program } from './program.ts'

/** What is explored: a program, and the faults of its disk, if any. */
export interface Case {
  readonly program: Program
  readonly fault?: Fault
  readonly recoveryFaults?: readonly Fault[]
}

export const sound: fc.Arbitrary<Case> = fc.record({ program })

export const failing: fc.Arbitrary<Case> = fc.record({
  program,
  fault,
  recoveryFaults: fc.array(fault, { minLength: 1, maxLength: 3 }),
})

export const large: fc.Arbitrary<Case> = fc.record({ program: largeProgram })

export const largeFailing: fc.Arbitrary<Case> = fc.record({
  program: largeProgram,
  fault,
  recoveryFaults: fc.array(fault, { minLength: 1, maxLength: 3 }),
})

/** Programs between two looks at how many crashes there were. */
const CHUNK = 10

export const CRASHES = Number(process.env.SIM_CRASHES ?? 3_000)
const SEED = Number(process.env.SIM_SEED ?? 1)

export function check({ program, ...options }: Case, tamper?: ExploreOptions['tamper']): Promise<number> {
  return explore(program, tamper === undefined ? options : { ...options, tamper })
}

/**
 * Explores programs until so many crashes were recovered from; says how many, and under which seed. One that fails is made smaller, and printed so
 * that `SIM_CASE` takes it.
 */
export async function campaign(cases: fc.Arbitrary<Case>, crashes = CRASHES): Promise<void> {
  const begun = performance.now()
  let done = 0
  let programs = 0
  const one = process.env.SIM_CASE
  if (one !== undefined) {
    done = await check(JSON.parse(one) as Case)
    programs = 1
  }
  for (let seed = SEED; one === undefined && done < crashes; seed += 1) {
    const property = fc.asyncProperty(cases, async (next) => {
      done += await check(next)
    })
    const result = await fc.check(property, { numRuns: CHUNK, seed })
    programs += result.numRuns
    if (result.failed) {
      const [smallest] = result.counterexample ?? []
      const cause = result.errorInstance as Error
      const report = `${cause.message}\n\nSIM_CASE='${JSON.stringify(smallest)}'\n\nseed ${seed}`
      // At once: the runner keeps errors to itself until all is over, and that may be hours.
      console.error(report)
      throw new Error(report, { cause })
    }
  }
  const seconds = Math.round((performance.now() - begun) / 1000)
  console.log(`${done} crashes of ${programs} programs, from seed ${SEED} on, in ${seconds} s`)
}

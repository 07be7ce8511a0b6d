import fc from 'fast-check'
import { it } from 'vitest'
import { explore } from './exploration.ts'
import { fault, program } from './program.ts'

const params = {
  numRuns: Number(process.env.RUNS ?? 50),
  seed: Number(process.env.SEED ?? 1),
  verbose: 0,
  endOnFailure: process.env.SHRINK === undefined,
}
it('explores', async () => {
  let count = 0
  const begun = performance.now()
  try {
    await fc.assert(
      fc.asyncProperty(program, async (one) => {
        count += await explore(one)
      }),
      params,
    )
  } finally {
    console.log(count, (count / (performance.now() - begun)) * 1000)
  }
}, 6e5)
it('faults', async () => {
  let count = 0
  const begun = performance.now()
  try {
    await fc.assert(
      fc.asyncProperty(
        program,
        fault,
        fc.array(fault, { minLength: 1, maxLength: 3 }),
        async (one, fault, recoveryFaults) => {
          count += await explore(one, { fault, recoveryFaults })
        },
      ),
      params,
    )
  } finally {
    console.log(count, (count / (performance.now() - begun)) * 1000)
  }
}, 6e5)

import fc from 'fast-check'
import { it } from 'vitest'
import { explore } from './exploration.ts'
import { program } from './program.ts'
it('explores', async () => {
  let count = 0
  const begun = performance.now()
  try {
  await fc.assert(fc.asyncProperty(program, async (one) => { count += await explore(one) }), { numRuns: Number(process.env.RUNS ?? 50), seed: Number(process.env.SEED ?? 1) })
  } finally { console.log(count, count / (performance.now() - begun) * 1000) }
}, 6e5)

import { expect, test } from 'vitest'
import { crashedAt } from './interrupted-salvage.ts'
import { ALL, SEED, subjectOf } from './trial.ts'

test.each(['process', 'any', 'none'] as const)(
  'a salvage that is interrupted anywhere is finished by the next one (%s)',
  {
    timeout: 600_000,
  },
  async (model) => {
    const subject = await subjectOf('killed')
    const stride = ALL ? 1 : 4
    let at = ALL ? 1 : 1 + (SEED % stride)
    while (!(await crashedAt(subject, at, model))) at += stride
    expect(at).toBeGreaterThan(30)
  },
)

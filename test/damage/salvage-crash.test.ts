import { describe, expect, test } from 'vitest'
import { crashedAt, crashWithBadBase, misplace, tear } from './interrupted-salvage.ts'
import { ALL, SEED, subjectOf } from './trial.ts'

describe.each([tear, misplace])(
  'a salvage that is interrupted anywhere is finished by the next one: $name',
  (damage) => {
    test.each(['process', 'any', 'none'] as const)('%s', { timeout: 600_000 }, async (model) => {
      const subject = await subjectOf('killed')
      const stride = ALL ? 1 : 4
      let at = ALL ? 1 : 1 + (SEED % stride)
      while (!(await crashedAt(subject, damage, at, model))) at += stride
      expect(at).toBeGreaterThan(20)
    })
  },
)

test.each(['process', 'any', 'none'] as const)(
  'a salvage of a journal with a damaged base is finished by the next one, and keeps it: %s',
  (model) => crashWithBadBase(model),
  600_000,
)

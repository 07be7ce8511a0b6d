import { beforeAll, describe, expect, test } from 'vitest'
import type { Ending } from './built.ts'
import { damagesOf } from './damages.ts'
import { chosen, SEED, type Subject, subjectOf, trial } from './trial.ts'

const SAMPLES = Number(process.env.DAMAGE_SAMPLES ?? 150)

describe.each<Ending>(['closed', 'killed'])('a journal that was %s', (ending) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await subjectOf(ending)
  })

  test('frames and files moved, removed, exchanged: each damage is named, or does no harm', {
    timeout: 600_000,
  }, async () => {
    const damages = chosen(await damagesOf(subject.disk, subject.older), SAMPLES)
    const { verdicts, faults } = await trial(
      subject,
      damages,
      (bad, damage) => damage.to(bad),
      ({ name }) => name,
      ({ neat }) => neat === true,
    )
    console.info(`${ending}: ${damages.length} damages (DAMAGE_SEED=${SEED}) ${JSON.stringify(verdicts)}`)
    expect(faults, `DAMAGE_SEED=${SEED}`).toEqual([])
    if (ending === 'closed') expect(verdicts.unseen).toBeUndefined()
  })
})

import { expect, it } from 'vitest'
import { newDisk, openOn } from '../journal/fixture.ts'

// An append that came just when the work beside the log ended was queued, and nobody wrote it.
it('loses no append that comes while, or just when, work beside the log ends', async () => {
  const journal = await openOn(newDisk())
  await journal.write('a', 'secret')
  for (let turns = 0; turns < 40; turns += 1) {
    const compacting = journal.compact()
    for (let turn = 0; turn < turns; turn += 1) await null
    const writing = journal.write('b', `${turns}`)
    await Promise.all([compacting, journal.checkpoint(), writing])
    await journal.write('c', `${turns}`)
  }
  expect(journal.head.seq).toBe(81)
  await journal.close()
})

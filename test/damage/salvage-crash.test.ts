import { expect, test } from 'vitest'
import { workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'
import { bytesOf, files, JOURNAL, segmentName } from './built.ts'
import { salvageAndCheck, salvageOn } from './salvaged.ts'
import { ALL, SEED, type Subject, subjectOf } from './trial.ts'

/** A damage in each of two segments, one segment gone, a blob damaged, the end cut off. */
function damage(bad: SimDisk): void {
  const first = bytesOf(bad, segmentName(1))
  first.fill(9, 700, 900)
  bad.writeFile(`${JOURNAL}/${segmentName(1)}`, first)
  bad.unlink(`${JOURNAL}/${segmentName(2)}`)
  const third = bytesOf(bad, segmentName(3))
  bad.writeFile(`${JOURNAL}/${segmentName(3)}`, third.subarray(0, 1500))
  const blob = files(bad).find((name) => name.startsWith('blobs/')) as string
  bad.writeFile(`${JOURNAL}/${blob}`, 'damaged')
}

async function crashedAt(subject: Subject, at: number, model: 'process' | 'any'): Promise<boolean> {
  const bad = subject.disk.crash('process')
  damage(bad)
  bad.settle()
  const damaged = bad.crash('process')
  const before = workspace(bad)
  bad.faults.crashAtChange(at)
  const done = await salvageOn(bad).then(
    () => true,
    () => false,
  )
  const left = bad.crash(model, { seed: at + SEED })
  expect(differences(before, workspace(left)), `crash at ${at}`).toEqual([])
  // What is lost may be as long as the history, and a marker that is too long is none: it names the report only.
  if (left.exists(`${JOURNAL}/SALVAGE`)) expect(left.readFile(`${JOURNAL}/SALVAGE`).byteLength).toBeLessThan(100)
  if (done) return true
  try {
    await salvageAndCheck(subject, left, damaged)
  } catch (error) {
    throw new Error(`${model}, crash at change ${at}, DAMAGE_SEED=${SEED}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return false
}

test.each(['process', 'any'] as const)(
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

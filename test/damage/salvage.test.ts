import { beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, type Ending, files, JOURNAL } from './built.ts'
import { type Damage, damagesOf } from './damages.ts'
import { salvageAndCheck } from './salvaged.ts'
import { chosen, SEED, type Subject, subjectOf } from './trial.ts'

const SAMPLES = Number(process.env.DAMAGE_SAMPLES ?? 25)
/** What a salvage can do nothing about: it needs a folder to read and one to keep things in. */
const BEYOND = /may not be|(log|broken|blobs|staging)\/ is a file|WORKSPACE|LOCK|FORMAT is a link/

describe.each<Ending>(['closed', 'killed'])('a journal that was %s', (ending) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await subjectOf(ending)
  })

  async function tryAll(damages: readonly Damage[]): Promise<void> {
    const faults: string[] = []
    let saved = 0
    let lost = 0
    let nothing = 0
    for (const damage of damages) {
      const bad = subject.disk.crash('process')
      damage.to(bad)
      try {
        const report = await salvageAndCheck(subject, bad)
        if (report === null) nothing += 1
        else if (report.kept !== null) saved += 1
        if (report !== null && report.lost.length + report.versions.length > 0) lost += 1
        if (
          report === null &&
          !/all segments removed|another journal's log|FORMAT is another|all cut off at segment frame 0|log\/ is missing/.test(
            damage.name,
          )
        )
          faults.push(`${damage.name}: nothing saved`)
      } catch (error) {
        faults.push(
          `${damage.name}: ${(error as Error).message} ${JSON.stringify((error as { actual?: unknown }).actual)?.slice(0, 400)}}`,
        )
        if (faults.length > 8) break
      }
    }
    console.info(
      `${ending}: ${damages.length} damages (DAMAGE_SEED=${SEED}), ${saved} salvaged, ${lost} of them with losses, ${nothing} beyond it`,
    )
    expect(faults, `DAMAGE_SEED=${SEED}`).toEqual([])
  }

  test('whatever happens to its frames and files, what can be read is saved', { timeout: 3_600_000 }, async () => {
    const damages = await damagesOf(subject.disk, subject.older)
    await tryAll(
      chosen(
        damages.filter(({ name }) => !BEYOND.test(name)),
        SAMPLES * 2,
      ),
    )
  })

  test('whatever byte is turned over, and wherever a file is cut', { timeout: 3_600_000 }, async () => {
    const damages = files(subject.disk)
      .filter((name) => !/LOCK|WORKSPACE/.test(name))
      .flatMap((name) =>
        [...bytesOf(subject.disk, name).keys()].flatMap((at): Damage[] => [
          {
            name: `${name}, byte ${at}`,
            to: (bad) => {
              const bytes = bytesOf(bad, name)
              bytes[at] = (bytes[at] as number) ^ 0x55
              bad.writeFile(`${JOURNAL}/${name}`, bytes)
            },
          },
          {
            name: `${name} cut to ${at}`,
            to: (bad) => bad.writeFile(`${JOURNAL}/${name}`, bytesOf(bad, name).subarray(0, at)),
          },
        ]),
      )
    await tryAll(chosen(damages, SAMPLES))
  })
})

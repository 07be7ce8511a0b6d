import { fork } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { figure, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const MB = 1e6
const FILES = 1000

export const title = 'Recovery after a kill'

/** A process writes, with no checkpoint coming to its end, and is killed; then the opening that recovers is measured. */
export async function measure({ folder, quick }) {
  const bytes = (quick ? 20 : 100) * MB
  const times = []
  for (let round = 0; round < (quick ? 2 : 5); round += 1) {
    const root = join(folder, `killed-${round}`)
    await mkdir(root)
    const { seq } = await killed(root, bytes)
    let journal
    times.push(
      await time(async () => {
        journal = await openJournal(root)
      }),
    )
    if (journal.head.seq < seq) throw new Error(`transaction ${seq} is gone`)
    await journal.close()
  }
  const milliseconds = median(times)
  return {
    results: { bytes, files: FILES, milliseconds, rounds: times.length },
    text: table(
      ['', 'found'],
      [[`${bytes / MB} MB of log, ${FILES} files rewritten over and over: opening (ms)`, figure(milliseconds)]],
    ),
    targets: [
      {
        target: `recovery of ${bytes / MB} MB of log: under 2 s`,
        found: `${figure(milliseconds)} ms`,
        reached: milliseconds < 2000,
      },
    ],
  }
}

function killed(root, bytes) {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'recovery-child.mjs'), [root, String(bytes), String(FILES)])
    let done
    child.once('message', (message) => {
      done = message
      child.kill('SIGKILL')
    })
    child.once('error', reject)
    child.once('exit', (code) =>
      done === undefined ? reject(new Error(`The writer failed (${code})`)) : resolve(done),
    )
  })
}

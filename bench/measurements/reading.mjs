import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { makeHistory } from '../history.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { scanLog } from '../scan.mjs'
import { table } from '../table.mjs'
import { piecesOf, readAndHash } from '../yardstick.mjs'

const LOGS = [
  { name: 'small', what: 'contents of 1 KiB', transactions: 100_000, files: 1000, least: 1024, most: 1024 },
  { name: 'mixed', what: 'contents of 4 to 64 KiB', transactions: 4000, files: 200, least: 4096, most: 65_536 },
]
const WANTED = 0.6

export const title = 'Scanning and verifying a log'

/** Each against a program that reads the same bytes and hashes the same pieces, in turns. */
export async function measure({ folder, quick, progress }) {
  const results = {}
  const rows = []
  const targets = []
  for (const { name, what, ...shape } of LOGS) {
    const root = join(folder, name)
    await mkdir(root)
    await makeHistory(root, { ...shape, transactions: quick ? shape.transactions / 10 : shape.transactions }, progress)
    const pieces = piecesOf(root)
    const { frames, bytes, chain } = readAndHash(pieces, true)
    progress(`reading ${frames} frames`)
    const runners = [
      runner('read and hash', () => readAndHash(pieces, false)),
      runner('scan', () => expect(scanLog(root).frames === frames)),
      runner('read and hash all', () => readAndHash(pieces, true)),
      { name: 'verify', run: () => verifying(root, frames, chain) },
    ]
    const times = await interleave(runners, { rounds: quick ? 3 : 15, warmUp: 3 })
    const rate = (runnerName) => bytes / 1e3 / median(times.get(runnerName))
    for (const [ours, yardstick] of [
      ['scan', 'read and hash'],
      ['verify', 'read and hash all'],
    ]) {
      const ratio = median(times.get(yardstick)) / median(times.get(ours))
      const best = Math.min(...times.get(yardstick)) / Math.min(...times.get(ours))
      results[`${ours} ${name}`] = { frames, bytes, yardstick: rate(yardstick), ours: rate(ours), ratio, best }
      rows.push([
        `${ours}, ${frames.toLocaleString('en-US')} frames, ${what}`,
        ...[rate(yardstick), rate(ours), ratio, best].map(figure),
      ])
      targets.push({
        target: `${ours} of ${what}: above ${WANTED} of reading and hashing the same`,
        found: `${figure(ratio)} (of the fastest of each: ${figure(best)})`,
        reached: ratio > WANTED,
      })
    }
  }
  const head = ['', 'read and hash, MB/s', 'ours, MB/s', 'ratio', 'of the fastest']
  return { results, text: table(head, rows), targets }
}

function runner(name, work) {
  return { name, run: () => time(work) }
}

/** The chain that the yardstick came to must be the journal's: it hashed the same. */
async function verifying(root, frames, chain) {
  const journal = await openJournal(root, { readOnly: true })
  try {
    let report
    const taken = await time(async () => {
      report = await journal.verify({ workspace: false, head: chain })
    })
    expect(report.ok && report.frames === frames)
    return taken
  } finally {
    await journal.close()
  }
}

function expect(right) {
  if (!right) throw new Error('What was read is not what was written')
}

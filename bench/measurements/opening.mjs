import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { scanLog } from '../scan.mjs'
import { table } from '../table.mjs'

const FILES = 1000
const BYTES = 1024
/** Callers at a time while the long history is made. */
const CALLERS = 64

export const title = 'Opening and scanning a long history'

/** Opening a journal with a long history that was closed cleanly, against one with none, in turns; then reading the whole of its log. */
export async function measure({ folder, quick, progress }) {
  const transactions = quick ? 10_000 : 100_000
  const long = join(folder, 'long')
  const empty = join(folder, 'empty')
  for (const root of [long, empty]) await mkdir(root)
  await (await openJournal(empty)).close()
  const building = await time(() => build(long, transactions, progress))

  const runner = (name, root) => ({
    name,
    async run() {
      let journal
      const taken = await time(async () => {
        journal = await openJournal(root)
      })
      await journal.close()
      return taken
    },
  })
  const times = await interleave([runner('empty', empty), runner('long', long)], { rounds: quick ? 9 : 25, warmUp: 3 })
  const opened = { empty: median(times.get('empty')), long: median(times.get('long')) }
  const extra = opened.long - opened.empty

  const scans = []
  let scan
  for (let round = 0; round < 5; round += 1) {
    const taken = await time(async () => {
      scan = await scanLog(long)
    })
    scans.push(scan.bytes / 1e6 / (taken / 1000))
  }
  const journal = await openJournal(long, { readOnly: true })
  let report
  const verifying = await time(async () => {
    report = await journal.verify({ workspace: false })
  })
  await journal.close()
  if (!report.ok || report.transactions < transactions)
    throw new Error(`verify: ${JSON.stringify(report).slice(0, 400)}`)

  const scanned = median(scans)
  const verified = scan.bytes / 1e6 / (verifying / 1000)
  const rows = [
    ['open, empty (ms)', figure(opened.empty)],
    [`open, ${transactions.toLocaleString('en-US')} transactions (ms)`, figure(opened.long)],
    ['log (MB)', figure(scan.bytes / 1e6)],
    ['frames', scan.frames.toLocaleString('en-US')],
    ['scan: every frame read and its hashes checked (MB/s)', figure(scanned)],
    ['verify: chain and every content hashed, too (MB/s)', figure(verified)],
    ['made in (s)', figure(building / 1000)],
  ]
  return {
    results: { transactions, opened, scanned, verified, bytes: scan.bytes, frames: scan.frames, builtIn: building },
    text: table(['', 'found'], rows),
    targets: [
      {
        target: `opening ${transactions.toLocaleString('en-US')} transactions, closed cleanly: under 100 ms more than an empty journal`,
        found: `${figure(Math.max(0, extra))} ms more`,
        reached: extra < 100,
      },
      { target: 'scanning the whole log: above 100 MB/s', found: `${figure(scanned)} MB/s`, reached: scanned > 100 },
    ],
  }
}

/** A transaction a write of 1 KiB, over a thousand files, without syncs: what is measured later does not depend on them. */
async function build(root, transactions, progress) {
  const journal = await openJournal(root, { actor: 'bench', durability: 'os' })
  let next = 0
  async function caller() {
    while (next < transactions) {
      const number = next
      next += 1
      if (number % 1000 === 0) progress(`making the history: ${number} of ${transactions}`)
      await journal.write(`folder-${number % 20}/file-${number % FILES}.bin`, content(BYTES), {
        message: `write ${number}`,
      })
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await journal.close()
}

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { makeHistory } from '../history.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const FILES = 1000
const BYTES = 1024

export const title = 'Opening a long history'

/** Opening a journal with a long history that was closed cleanly, against one with none, in turns. */
export async function measure({ folder, quick, progress }) {
  const transactions = quick ? 10_000 : 100_000
  const long = join(folder, 'long')
  const empty = join(folder, 'empty')
  for (const root of [long, empty]) await mkdir(root)
  await (await openJournal(empty)).close()
  const shape = { transactions, files: FILES, least: BYTES, most: BYTES }
  const building = await time(() => makeHistory(long, shape, progress))

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

  const rows = [
    ['open, empty (ms)', figure(opened.empty)],
    [`open, ${transactions.toLocaleString('en-US')} transactions (ms)`, figure(opened.long)],
    ['made in (s)', figure(building / 1000)],
  ]
  return {
    results: { transactions, opened, builtIn: building },
    text: table(['', 'found'], rows),
    targets: [
      {
        target: `opening ${transactions.toLocaleString('en-US')} transactions, closed cleanly: under 100 ms more than an empty journal`,
        found: `${figure(Math.max(0, extra))} ms more`,
        reached: extra < 100,
      },
    ],
  }
}

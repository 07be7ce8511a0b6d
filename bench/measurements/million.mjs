import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openJournal } from '../../dist/index.js'
import { makeHistory } from '../history.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const LONG = 1_000_000
const SHORT = 1000
const MIB = 1024 * 1024
/** MiB. */
const MEMORY = 100
/** Milliseconds. */
const OPENING = 20
const VISITS = 5
const CHILD = fileURLToPath(new URL('million-child.mjs', import.meta.url))

export const title = 'A history of a million transactions'

/** Processes that open a long history, list one path of it and take a transaction back: their memory. Then opening it, against a short one, in turns. */
export async function measure({ folder, quick, progress }) {
  const transactions = quick ? LONG / 20 : LONG
  const [long, short] = [join(folder, 'long'), join(folder, 'short')]
  for (const [root, count] of [
    [short, SHORT],
    [long, transactions],
  ]) {
    await mkdir(root)
    await makeHistory(root, { transactions: count, files: 1000, least: 100, most: 300 }, progress)
  }
  const visits = Array.from({ length: VISITS }, () => visit(long))
  const opening = (name, root) => ({ name, run: () => opened(root) })
  const runners = [opening('short', short), opening('long', long)]
  const times = await interleave(runners, { rounds: quick ? 9 : 25, warmUp: 3 })
  const [brief, lengthy] = [median(times.get('short')), median(times.get('long'))]
  const peak = Math.max(...visits.map((steps) => steps.at(-1).peak)) / MIB
  const names = visits[0].map(({ name }) => name)
  const rows = names.map((name, step) => {
    const at = (key) => figure(median(visits.map((steps) => steps[step][key])) / (key === 'ms' ? 1 : MIB))
    return [name, at('ms'), at('resident'), at('anonymous'), at('file'), at('peak')]
  })
  const head = ['after', 'ms', 'resident, MiB', 'of it anonymous', 'of it files', 'peak so far']
  const many = transactions.toLocaleString('en-US')
  return {
    results: { transactions, visits, opening: { short: brief, long: lengthy } },
    text: `${table(head, rows)}\n\nOpening, closed cleanly: ${figure(brief)} ms with ${SHORT} transactions, ${figure(lengthy)} ms with ${many}.`,
    targets: [
      {
        target: `${many} transactions opened, a path listed, one undone: less than ${MEMORY} MiB resident`,
        found: `${figure(peak)} MiB at most`,
        reached: peak < MEMORY,
      },
      {
        target: `opening ${many} transactions: at most ${OPENING} ms more than ${SHORT}`,
        found: `${figure(lengthy - brief)} ms more`,
        reached: lengthy - brief <= OPENING,
      },
    ],
  }
}

async function opened(root) {
  let journal
  const taken = await time(async () => {
    journal = await openJournal(root)
  })
  await journal.close()
  return taken
}

function visit(root) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, root], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The visitor failed: ${stderr}`)
  return JSON.parse(stdout)
}

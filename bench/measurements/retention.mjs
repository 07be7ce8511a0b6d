import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { content, figure, time } from '../measure.mjs'
import { table } from '../table.mjs'

const BYTES = 8 * 1024
const FILES = 100
const MAX_BYTES = 8 * 1024 * 1024
const KINDS = [
  { name: 'without', options: {} },
  { name: 'with', options: { retention: { maxBytes: MAX_BYTES } } },
]
/** Shares of the commits that took no longer. */
const SHARES = [0.5, 0.95, 0.99, 0.999, 1]
/** Somebody who writes now and then lets the event loop go on. */
const PAUSE_EVERY = 50

export const title = `Commits beside retention: ${BYTES / 1024} KiB each, with old transactions dropped in the background to stay below ${MAX_BYTES / 1024 / 1024} MiB, and without (milliseconds)`

/** Two journals take turns, commit by commit. */
export async function measure({ folder, quick }) {
  const opened = []
  for (const { name, options } of KINDS) {
    const own = join(folder, name)
    await mkdir(own)
    opened.push({ name, journal: await openJournal(own, options), taken: [] })
  }
  const rounds = quick ? 1500 : 6000
  const warmUp = 500
  for (let round = 0; round < rounds + warmUp; round += 1) {
    for (const one of round % 2 === 0 ? opened : opened.toReversed()) {
      const bytes = content(BYTES)
      const taken = await time(() => one.journal.write(`file-${round % FILES}.bin`, bytes))
      if (round >= warmUp) one.taken.push(taken)
    }
    if (round % PAUSE_EVERY === 0) await new Promise((resolve) => setTimeout(resolve, 3))
  }
  const results = {}
  for (const { name, journal, taken } of opened) {
    const sorted = taken.toSorted((a, b) => a - b)
    const { dropped, logBytes, blobBytes } = await journal.stats()
    const quantiles = SHARES.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
    results[name] = { quantiles, dropped, bytes: logBytes + blobBytes }
    await journal.close()
  }
  const rows = Object.entries(results).map(([name, { quantiles, dropped, bytes }]) => [
    `${name} retention`,
    ...quantiles.map(figure),
    String(dropped),
    `${(bytes / 1024 / 1024).toFixed(1)} MiB`,
  ])
  const head = ['', ...SHARES.map((share) => (share === 1 ? 'longest' : `${share * 100} %`)), 'dropped', 'journal']
  const more = results.with.quantiles[3] - results.without.quantiles[3]
  return {
    results,
    text: table(head, rows),
    targets: [
      {
        target: 'of a thousand commits all but one wait at most 5 ms longer beside retention',
        found: `${figure(more)} ms longer`,
        reached: more <= 5,
      },
    ],
  }
}

/**
 * Runs small random transactions, several at once and lone ones in turns, closes and opens the journal between, and measures itself; until it is killed.
 * order: { dist, root, seed, armAt (transactions in the history, then says that it may be killed), closeEvery, sampleEvery, only? ('open') }
 */
import { readdirSync, readFileSync } from 'node:fs'
import { built, fail, order, tell } from '../crash/child.mjs'
import { dice } from '../crash/dice.mjs'
import { Load } from './load.mjs'

const LANES = [1, 1, 2, 4, 8, 16]

const { openJournal } = await built()
const random = dice(order.seed)
const load = new Load(order.root, random)
let age = 0
let armed = false
let journal

async function open(how) {
  const start = performance.now()
  journal = await openJournal(order.root, { actor: 'soak' })
  const ms = performance.now() - start
  const { replayed, conflicts, tornBytes } = journal.recovery
  tell('open', { how, ms, seq: journal.head.seq, replayed: replayed.length, conflicts, tornBytes })
}

/** One stretch: so many transactions by so many callers. */
async function stretch(lanes, count) {
  let left = count
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await load.transact(journal)
      age += 1
      if (!armed && journal.head.seq >= order.armAt) {
        armed = true
        process.send('armed')
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

const kilobytes = (status, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024

function sample() {
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  const status = readFileSync('/proc/self/status', 'utf8')
  tell('sample', {
    age,
    seq: journal.head.seq,
    rss,
    heap: heapUsed,
    external,
    anonymous: kilobytes(status, 'RssAnon'),
    descriptors: readdirSync('/proc/self/fd').length,
    staged: readdirSync(`${order.root}/.journal/staging`).length,
  })
}

try {
  await open('first')
  if (order.only === 'open') await journal.close()
  else {
    let [sampled, closed] = [0, 0]
    for (;;) {
      await stretch(random.pick(LANES), random.between(1, Math.min(1500, order.sampleEvery)))
      if (age - sampled >= order.sampleEvery) {
        sampled = age
        sample()
      }
      if (age - closed < order.closeEvery) continue
      closed = age
      await journal.close()
      await open('clean')
    }
  }
} catch (error) {
  fail('worker', error)
  process.exit(1)
}

/**
 * Reads a journal beside its writer, again and again, until it is killed: opens, looks at the history and at contents, closes.
 * order: { dist, root, seed }
 */
import { createHash } from 'node:crypto'
import { built, fail, order, tell } from './child.mjs'
import { dice } from './dice.mjs'

const { openJournal } = await built()
const random = dice(order.seed)
const chains = new Map()
let newest = 0
tell('ready')

for (;;) {
  try {
    const journal = await openJournal(order.root, { readOnly: true })
    for (let look = random.between(1, 4); look > 0; look -= 1) await read(journal)
    await journal.close()
  } catch (error) {
    fail('reading', error)
  }
}

async function read(journal) {
  let above = null
  let contents = 0
  for await (const commit of journal.history({ limit: 30 })) {
    const { seq, chain } = commit
    if (above === null) {
      if (seq < newest) tell('fault', { where: 'order', message: `the head was ${newest} and is ${seq}` })
      newest = Math.max(newest, seq)
    } else if (seq !== above - 1) tell('fault', { where: 'order', message: `${seq} follows ${above}` })
    above = seq
    if (chains.has(seq) && chains.get(seq) !== chain)
      tell('fault', { where: 'chain', message: `${seq} is another one than before` })
    chains.set(seq, chain)
    if (random.chance(0.2)) contents += await contentsOf(journal, commit)
  }
  if (newest > 0 && random.chance(0.2)) await journal.show(newest)
  if (random.chance(0.05)) {
    const { ok, problems } = await journal.verify()
    if (!ok) tell('fault', { where: 'verify', message: JSON.stringify(problems.slice(0, 3)) })
  }
  if (random.chance(0.1)) await journal.status()
  tell('looked', { seq: newest, contents })
}

async function contentsOf(journal, { seq, entries }) {
  // Of several entries on a path only the last is the state after the transaction.
  const last = new Map()
  for (const entry of entries) {
    if (entry.op === 'preserve') continue
    if (entry.op === 'rename') last.set(entry.path, null).set(entry.to, entry.after)
    else last.set(entry.path, entry.after)
  }
  let checked = 0
  for (const [path, after] of last) {
    if (after?.kind !== 'file' || checked > 5) continue
    const hash = createHash('sha256')
      .update(await journal.readAt(path, seq))
      .digest('hex')
    if (hash !== after.hash)
      tell('fault', { where: 'content', message: `${path} at ${seq} is ${hash}, not ${after.hash}` })
    checked += 1
  }
  return checked
}

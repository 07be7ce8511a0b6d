/**
 * Commits small transactions, one after another, with compactions in between, until the history has so many or it is killed.
 * order: { dist, root, count, open? (options), keep }
 */
import { built, fail, order, tell } from './child.mjs'

const { openJournal } = await built()
try {
  const journal = await openJournal(order.root, { actor: 'writer', ...order.open })
  tell('open', { seq: journal.head.seq })
  for (let turn = 1; journal.head.seq < order.count; turn += 1) {
    const { tx, seq, chain } = await journal.write(`f${turn % 20}`, `${process.pid} ${turn} ${'.'.repeat(turn % 700)}`)
    tell('ack', { tx, seq, chain })
    if (turn % 120 === 0) await journal.compact({ keepTransactions: order.keep })
    if (turn % 50 === 0) await journal.checkpoint()
  }
  const { tx, seq, chain } = await journal.transact({ message: 'the end' }, (step) => step.write('end', 'x'))
  tell('ack', { tx, seq, chain })
  await journal.close()
  tell('done')
} catch (error) {
  fail('writing', error)
  process.exit(1)
}

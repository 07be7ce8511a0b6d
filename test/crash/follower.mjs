/**
 * Follows a journal until the transaction that says that it is the last.
 * order: { dist, root, from }
 */
import { built, fail, order, tell } from './child.mjs'

const { openJournal } = await built()
try {
  const journal = await openJournal(order.root, { readOnly: true })
  const following = journal.follow({ from: order.from })
  tell('started')
  for await (const { seq, tx, chain, message } of following) {
    tell('saw', { seq, tx, chain })
    if (message === 'the end') break
  }
  await journal.close()
  tell('done')
} catch (error) {
  fail('following', error)
  process.exit(1)
}

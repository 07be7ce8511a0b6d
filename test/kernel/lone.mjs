/**
 * Commits small and large transactions one after the other; goes on after a failure, and opens the journal again when it is
 * poisoned. Ends when the file `order.stop` is there.
 * order: { dist, root, stop }
 */
import { existsSync } from 'node:fs'
import { built, order, tell } from '../crash/child.mjs'

const { openJournal } = await built()
let journal = null

function refused(where, error) {
  tell('refused', { where, name: error?.name, code: error?.code, message: error?.message, stack: error?.stack })
  return null
}

for (let count = 0; !existsSync(order.stop); count += 1) {
  journal ??= await openJournal(order.root).catch((error) => refused('open', error))
  const large = count % 3 === 0 ? 1536 * 1024 : 40_000
  const receipt = await journal
    ?.transact(async (tx) => {
      await tx.write('small.txt', `number ${count}\n`)
      await tx.write(`folder/${count % 5}.bin`, Buffer.alloc(large, `${count} `))
    })
    .catch((error) => refused('commit', error))
  if (receipt) tell('ack', { tx: receipt.tx, seq: receipt.seq, chain: receipt.chain })
  else if (journal !== null) {
    const changed = await journal.verify({ workspace: true }).catch((error) => refused('verify', error))
    if (changed?.ok === false) tell('changed', { problems: changed.problems })
    const { name, code } = await journal.checkpoint().then(
      () => ({}),
      (error) => error,
    )
    if (code !== undefined) {
      tell('refused', { where: 'checkpoint', name, code })
      await journal.close().catch((error) => refused('close', error))
      journal = null
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await journal?.close().catch((error) => refused('close', error))
tell('closed')

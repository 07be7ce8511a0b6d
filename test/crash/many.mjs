/** Runs many small transactions and measures what this process holds meanwhile. order: { dist, root, transactions } */
import { readdirSync } from 'node:fs'
import { built, order, tell } from './child.mjs'

const { openJournal } = await built()
const journal = await openJournal(order.root)

function measure(done) {
  globalThis.gc()
  tell('measured', {
    done,
    descriptors: readdirSync('/proc/self/fd').length,
    staged: readdirSync(`${order.root}/.journal/staging`).length,
    heap: process.memoryUsage().heapUsed,
    resident: process.memoryUsage().rss,
  })
}

const lanes = 4
for (let done = 0; done < order.transactions; done += lanes) {
  if (done % (order.transactions / 8) === 0) measure(done)
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      journal.transact(async (tx) => {
        const round = done / lanes
        await tx.write(`lane${lane}/file${round % 20}.txt`, `content ${done} of lane ${lane}\n`)
        await tx.append(`lane${lane}/log.txt`, `${done}\n`)
        if (round % 20 === 19) await tx.remove(`lane${lane}/log.txt`)
        if (round % 10 === 9) await tx.rename(`lane${lane}/file${(round - 1) % 20}.txt`, `lane${lane}/moved.txt`)
      }),
    ),
  )
  // One that gives up halfway must leave nothing either.
  if (done % 40 === 0) {
    const given = journal.begin()
    await given.write('never.txt', Buffer.alloc(2 * 1024 * 1024))
    await given.abort()
  }
}
measure(order.transactions)
await journal.close()
tell('end', { descriptors: readdirSync('/proc/self/fd').length })

/** Runs many small transactions and measures what this process holds meanwhile. order: { dist, root, transactions } */
import { readdirSync } from 'node:fs'
import { built, order, tell } from './child.mjs'

const { openJournal } = await built()
const journal = await openJournal(order.root)

const staged = () => readdirSync(`${order.root}/.journal/staging`).length

async function measure(done) {
  // What was replaced is removed beside the work; with nothing to do it must be gone soon.
  for (let look = 0; staged() > 0 && look < 100; look += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  globalThis.gc()
  tell('measured', {
    done,
    descriptors: readdirSync('/proc/self/fd').length,
    staged: staged(),
    heap: process.memoryUsage().heapUsed,
    resident: process.memoryUsage().rss,
  })
}

const lanes = 4
for (let done = 0; done < order.transactions; done += lanes) {
  if (done % (order.transactions / 8) === 0) await measure(done)
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
await measure(order.transactions)
await journal.close()
tell('end', { descriptors: readdirSync('/proc/self/fd').length })

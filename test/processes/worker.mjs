/**
 * One process of many on a workspace: `count` transactions, each of which writes a file of its own and adds a line to a file that all share. What was
 * acknowledged is noted in a file outside of the journal. Run again after a kill, it goes on where it was.
 */
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, root, notes, name, count, timeout] = process.argv.slice(2)
const { openJournal } = await import(pathToFileURL(path.join(dist, 'index.js')).href)
const acknowledged = path.join(notes, `${name}.acks`)
const done = fs.existsSync(acknowledged) ? fs.readFileSync(acknowledged, 'utf8').split('\n').filter(Boolean).length : 0
const journal = await openJournal(root, { actor: name, writerTimeoutMs: Number(timeout), lockTimeoutMs: 60_000 })
let next = done + 1
// The last one may have been committed, and its author killed before it knew.
for await (const { tx, seq } of journal.history({ tag: `${name}:${next}` })) {
  fs.appendFileSync(acknowledged, `${next} ${tx} ${seq} found\n`)
  next += 1
  break
}
let retries = 0
for (; next <= Number(count); ) {
  try {
    const { tx, seq } = await journal.transact({ tags: [`${name}:${next}`] }, async (transaction) => {
      await transaction.write(`own/${name}/${next % 20}.txt`, `${next}`)
      await transaction.append(`shared/${next % 3}.txt`, `${name}:${next}\n`)
    })
    fs.appendFileSync(acknowledged, `${next} ${tx} ${seq}\n`)
    next += 1
    retries = 0
  } catch (error) {
    fs.appendFileSync(path.join(notes, `${name}.errors`), `${next} ${error.code} ${error.message}\n`)
    retries += 1
    if (error.name !== 'JournalError' || retries > 20) throw error
  }
}
await journal.close()

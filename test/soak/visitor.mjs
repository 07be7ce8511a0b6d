/**
 * A process that comes to a long history with one question: opens it, lists a path, takes a transaction back. Tells its resident memory after each step.
 * order: { dist, root, steps: ['list', 'undo'] }
 */
import { readFileSync } from 'node:fs'
import { built, fail, order, tell } from '../crash/child.mjs'

const BYTES = { VmHWM: 'peak', VmRSS: 'resident', RssAnon: 'anonymous', RssFile: 'file', RssShmem: 'shared' }

function step(name, start) {
  const ms = performance.now() - start
  const memory = {}
  const status = readFileSync('/proc/self/status', 'utf8')
  for (const [key, as] of Object.entries(BYTES))
    memory[as] = Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024
  tell('step', { name, ms, ...memory })
}

try {
  const { openJournal } = await built()
  step('load', performance.now())
  let start = performance.now()
  const journal = await openJournal(order.root, { actor: 'visitor' })
  step('open', start)
  start = performance.now()
  const found = []
  for await (const { tx, entries } of journal.history({ limit: 1 })) found.push(tx, entries.at(-1).path)
  const [tx, path] = found
  let listed = 0
  for await (const commit of journal.history({ path })) listed += commit.entries.length > 0 ? 1 : 0
  step('list', start)
  tell('listed', { path, listed })
  start = performance.now()
  await journal.undo(tx)
  step('undo', start)
  start = performance.now()
  await journal.close()
  step('close', start)
} catch (error) {
  fail('visitor', error)
  process.exit(1)
}

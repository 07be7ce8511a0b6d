/** A process that comes to a long history with one question: opens it, lists a path, takes the newest transaction back. Prints its memory after each step. */
import { readFileSync } from 'node:fs'
import { openJournal } from '../../dist/index.js'

const KEYS = { peak: 'VmHWM', resident: 'VmRSS', anonymous: 'RssAnon', file: 'RssFile' }
const [root] = process.argv.slice(2)
const steps = []

/** The kernel's figures where it tells them, in bytes; elsewhere what Node knows. */
function memory() {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    const bytes = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024
    return Object.fromEntries(Object.entries(KEYS).map(([name, key]) => [name, bytes(key)]))
  } catch {
    const resident = process.memoryUsage.rss()
    return { peak: process.resourceUsage().maxRSS * 1024, resident, anonymous: resident, file: 0 }
  }
}

async function step(name, work) {
  const begun = performance.now()
  const result = await work()
  steps.push({ name, ms: performance.now() - begun, ...memory() })
  return result
}

await step('loading', () => undefined)
const journal = await step('opening', () => openJournal(root, { actor: 'visitor' }))
const newest = await step('the newest transaction', async () => {
  for await (const commit of journal.history({ limit: 1 })) return commit
})
await step('listing a path', async () => {
  for await (const commit of journal.history({ path: newest.entries.at(-1).path }))
    if (commit.entries.length === 0) throw new Error('A transaction without entries')
})
await step('undoing', () => journal.undo(newest.tx))
await step('closing', () => journal.close())
process.stdout.write(JSON.stringify(steps))

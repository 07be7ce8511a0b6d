import { createHash } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const AGENTS = ['builder', 'reviewer', 'tester', 'writer']
/** Tasks of each agent: each changes a module, and every second one its line in a file that all share. */
const TASKS = 40
const SHARED = ['lodash.js', 'lodash.default.js']
const COORDINATED = 'coordinated'
const RETRIES = 'a transaction a task, with expect and retries'
const BATCHED = 'ten tasks a transaction, with expect and retries'
const MERGED = 'a transaction a task, of edits'
const LEAST = 0.2

export const title = 'A team of four agents over lodash-es (median milliseconds)'

/**
 * What agents think is left out: a task is to read its files, to work out what becomes of them, and to commit. The four run side by side in one process, as callers of one
 * journal do. Coordinated, the reading comes first, and the time of the plan counts.
 */
export async function measure({ folder, quick, progress }) {
  const runners = []
  const places = {}
  for (const name of [COORDINATED, RETRIES, BATCHED, MERGED]) {
    progress(name)
    places[name] = await prepared(join(folder, name.replaceAll(/\W+/g, '-')))
    runners.push(runnerOf(name, places[name]))
  }
  const times = await interleave(runners, { rounds: quick ? 3 : 15, warmUp: quick ? 1 : 3 })
  const rounds = times.get(COORDINATED).length
  for (const place of Object.values(places)) await place.journal.close()
  const counts = Object.fromEntries(Object.entries(places).map(([name, { counted }]) => [name, counted]))
  const results = Object.fromEntries(
    [...times].map(([name, list]) => [name, { median: median(list), ...counts[name] }]),
  )
  // Of the same round: whatever the machine did meanwhile fell on both.
  const sooner = (name) => median(times.get(COORDINATED).map((taken, round) => 1 - taken / times.get(name)[round]))
  const rows = Object.entries(results).map(([name, found]) => [
    name,
    figure(found.median),
    String(found.transactions),
    String(found.fileOperations),
    figure(found.conflicts / found.rounds),
  ])
  return {
    results: {
      ...results,
      rounds,
      sooner: Object.fromEntries([RETRIES, BATCHED, MERGED].map((name) => [name, sooner(name)])),
    },
    text: `${table(['how', 'ms', 'transactions', 'files put in place', 'conflicts'], rows)}

Every round was checked: no edit was lost, and each file stands in the history under the agent whose task it was. Coordinated, the team is
done ${percent(sooner(RETRIES))} sooner than with retries, ${percent(sooner(BATCHED))} sooner than with retries and ten tasks a transaction, and ${percent(sooner(MERGED))} sooner than with edits, which the journal
works out on what is there.`,
    targets: [
      {
        target: `coordinated, the team is done at least ${percent(LEAST)} sooner than with retries on conflict`,
        found: percent(sooner(RETRIES)),
        reached: sooner(RETRIES) >= LEAST,
      },
    ],
  }
}

function percent(part) {
  return `${Math.round(part * 100)} %`
}

/** A copy of the sources, with a line in each file that is going to be changed. */
async function prepared(root) {
  const source = dirname(createRequire(import.meta.url).resolve('lodash-es/package.json'))
  await cp(source, root, { recursive: true })
  const index = await readFile(join(root, 'lodash.js'), 'utf8')
  const modules = [...index.matchAll(/from '\.\/(\w+\.js)'/g)].map(([, name]) => name)
  const chosen = [...new Set(modules)].slice(0, AGENTS.length * TASKS)
  if (chosen.length < AGENTS.length * TASKS) throw new Error('lodash-es has fewer modules than are needed')
  const tasks = chosen.map((name, at) => ({
    agent: AGENTS[at % AGENTS.length],
    module: name,
    shared: at % (2 * AGENTS.length) < AGENTS.length ? SHARED[(at >> 3) % SHARED.length] : null,
  }))
  for (const { module } of tasks) await append(join(root, module), `${lineOf(module, 0)}\n`)
  for (const shared of SHARED) {
    const lines = tasks.filter((task) => task.shared === shared).map(({ module }) => `${lineOf(module, 0)}\n`)
    await append(join(root, shared), lines.join(''))
  }
  const journal = await openJournal(root)
  const counted = { rounds: 0, transactions: 0, fileOperations: 0, conflicts: 0 }
  return { root, tasks, journal, counted }
}

async function append(file, text) {
  await writeFile(file, `${await readFile(file, 'utf8')}${text}`)
}

function lineOf(module, round) {
  return `// ${module} as of round ${round}`
}

function runnerOf(name, place) {
  const run = { [COORDINATED]: coordinated, [RETRIES]: withRetries(1), [BATCHED]: withRetries(10), [MERGED]: merged }[
    name
  ]
  let round = 0
  return {
    name,
    async run() {
      round += 1
      const before = place.journal.head.seq
      place.counted.rounds += 1
      const taken = await time(() => run(place, round))
      await check(place, round, before)
      return taken
    },
  }
}

const filesOf = ({ module, shared }) => (shared === null ? [module] : [module, shared])

/** What an agent makes of a task: it reads the file, finds its line, and says what is to become of it. */
async function editOf(root, path, { module }, round) {
  const text = await readFile(join(root, path), 'utf8')
  const oldText = lineOf(module, round - 1)
  if (!text.includes(`${oldText}\n`)) throw new Error(`${path}: ${oldText} is not there`)
  return { path, text, edits: [{ oldText: `${oldText}\n`, newText: `${lineOf(module, round)}\n` }] }
}

async function coordinated({ root, tasks, journal }, round) {
  const planned = await Promise.all(
    AGENTS.map(async (agent) => {
      const own = []
      for (const task of tasks.filter((one) => one.agent === agent)) {
        const files = []
        for (const path of filesOf(task)) files.push(await editOf(root, path, task, round))
        own.push({ agent, files: files.map(({ path, edits }) => ({ path, edits })) })
      }
      return own
    }),
  )
  await journal.coordinate(await journal.planTeam({ tasks: planned.flat() }))
}

/** Optimistic: what was read must be there still; else the agent reads again. */
function withRetries(size) {
  return ({ root, tasks, journal, counted }, round) =>
    sideBySide(tasks, size, async (batch) => {
      for (;;) {
        const files = new Map()
        for (const task of batch) {
          for (const path of filesOf(task)) {
            const { text, edits } = await editOf(root, path, task, round)
            const known = files.get(path) ?? { text, made: text }
            const [{ oldText, newText }] = edits
            files.set(path, { text: known.text, made: known.made.replace(oldText, newText) })
          }
        }
        try {
          await journal.transact({ actor: batch[0].agent }, async (tx) => {
            for (const [path, { text, made }] of files) {
              await tx.write(path, made, { expect: createHash('sha256').update(text).digest('hex') })
            }
          })
          return
        } catch (error) {
          if (error.code !== 'CONFLICT') throw error
          counted.conflicts += 1
        }
      }
    })
}

async function merged({ root, tasks, journal }, round) {
  await sideBySide(tasks, 1, async ([task]) => {
    const files = []
    for (const path of filesOf(task)) files.push(await editOf(root, path, task, round))
    await journal.transact({ actor: task.agent }, async (tx) => {
      for (const { path, edits } of files) await tx.edit(path, edits)
    })
  })
}

async function sideBySide(tasks, size, perform) {
  await Promise.all(
    AGENTS.map(async (agent) => {
      const own = tasks.filter((task) => task.agent === agent)
      for (let at = 0; at < own.length; at += size) await perform(own.slice(at, at + size))
    }),
  )
}

/** No update is lost, and the history says whose it was. */
async function check({ root, tasks, journal, counted }, round, before) {
  const texts = new Map()
  for (const task of tasks) {
    for (const path of filesOf(task)) {
      if (!texts.has(path)) texts.set(path, await readFile(join(root, path), 'utf8'))
      if (!texts.get(path).includes(`${lineOf(task.module, round)}\n`))
        throw new Error(`the edit of ${task.module} in ${path} was lost in round ${round}`)
    }
  }
  const by = new Map(AGENTS.map((agent) => [agent, new Set()]))
  counted.transactions = 0
  counted.fileOperations = 0
  for await (const { actor, entries } of journal.history({ since: before, order: 'oldest' })) {
    counted.transactions += 1
    counted.fileOperations += entries.length
    for (const { path } of entries) by.get(actor).add(path)
  }
  for (const agent of AGENTS) {
    const own = new Set(tasks.filter((task) => task.agent === agent).flatMap(filesOf))
    const found = by.get(agent)
    if (found.size !== own.size || [...own].some((path) => !found.has(path)))
      throw new Error(`the history does not say in round ${round} what ${agent} did`)
  }
}

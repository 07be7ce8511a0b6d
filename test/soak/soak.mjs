/**
 * The long life of a journal: small random transactions, kills in between, everything compared with a ledger and measured over time.
 *
 *   npm run proof:soak          SOAK_TRANSACTIONS (default 1000000), SOAK_SEED, SOAK_DIR (default: in memory where there is such a folder),
 *                               SOAK_REPORT (a JSON file; default bench/results/soak.json), SOAK_KEEP=1 (leave the workspace there)
 *
 * Interrupted, it checks and reports what there is.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { table } from '../../bench/table.mjs'
import { Campaign } from './campaign.mjs'
import { Process } from './process.mjs'
import { COLUMNS, longLife, verdicts, windowsOf } from './windows.mjs'

const IN_MEMORY = '/dev/shm'
const MIB = 1024 * 1024
/** Above what Node and the library take by themselves: mapped pages of the index, its caches, and what is decoded. */
const VISITOR_LIMIT = 64

const { SOAK_TRANSACTIONS, SOAK_SEED, SOAK_DIR, SOAK_REPORT, SOAK_KEEP, WRITE_JOURNAL_DIST } = process.env
const project = resolve(import.meta.dirname, '../..')
const total = Number(SOAK_TRANSACTIONS ?? 1_000_000)
const seed = Number(SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32)) >>> 0
const folder = resolve(SOAK_DIR ?? (existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir()))
const report = resolve(SOAK_REPORT ?? join(project, 'bench/results/soak.json'))
const dist = resolve(WRITE_JOURNAL_DIST ?? join(project, 'dist'))
const library = await import(pathToFileURL(join(dist, 'index.js')).href)
const start = performance.now()
const minutes = () => ((performance.now() - start) / 60_000).toFixed(1)

console.log(
  `${total.toLocaleString('en-US')} transactions in ${folder}, seed ${seed}, Node ${process.versions.node}, ${cpus().length} cores`,
)
const home = mkdtempSync(join(folder, 'wj-soak-'))
const campaign = new Campaign({ home, total, seed, library, dist, progress })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => campaign.stop())
await campaign.run()
const windows = windowsOf(campaign, total)
const flat = [...verdicts(windows), ...longLife(campaign.samples)]
const visit = campaign.faults.length === 0 ? await visitor() : null
if (visit !== null) flat.push(...visit.verdicts)
print()
const ok = campaign.faults.length === 0 && flat.every((verdict) => verdict.flat)
keep()
if (ok && SOAK_KEEP === undefined) rmSync(home, { recursive: true, force: true })
else console.log(`workspace kept at ${home}`)
process.exitCode = ok ? 0 : 1

function progress({ ledger, kills }) {
  console.log(`${minutes()} min: ${ledger.seq} transactions, ${kills} kills`)
}

/** A new process with one question: what it holds in memory may not follow the history. */
async function visitor() {
  const child = new Process('visitor.mjs', { dist, root: campaign.root }, `${home}/visit.jsonl`)
  await child.ended
  const told = child.told()
  for (const line of told) if (line.kind === 'fault') campaign.faults.push(`visitor: ${line.stack}`)
  const steps = told.filter(({ kind }) => kind === 'step')
  const early = steps[0].resident / MIB
  const late = Math.max(...steps.map((step) => step.peak)) / MIB
  const limit = early + VISITOR_LIMIT
  const what = 'rss MiB of a new process that opens, lists a path and undoes'
  return {
    steps,
    listed: told.find(({ kind }) => kind === 'listed')?.listed,
    verdicts: [{ what, early, late, limit, flat: late <= limit }],
  }
}

function figure(value) {
  if (value === null || value === undefined) return '-'
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
}

function print() {
  const keys = Object.keys(COLUMNS)
  console.log(
    `\n${table(
      Object.values(COLUMNS),
      windows.map((row) => keys.map((key) => figure(row[key]))),
    )}\n`,
  )
  const rows = flat.map(({ what, early, late, limit, flat: is }) => [
    what,
    figure(early),
    figure(late),
    figure(limit),
    is ? 'yes' : 'NO',
  ])
  console.log(`${table(['', 'early', 'late', 'limit', 'flat'], rows)}\n`)
  for (const { name, ms, resident, anonymous, shared, file } of visit?.steps ?? [])
    console.log(
      `visitor, ${name}: ${figure(ms)} ms, rss ${figure(resident / MIB)} MiB (anonymous ${figure(anonymous / MIB)}, files ${figure(file / MIB)}, shared ${figure(shared / MIB)})`,
    )
  for (const { transactions, seconds, orphans } of campaign.verified)
    console.log(`verify, ${transactions} transactions: ${figure(seconds)} s, ${orphans} orphans`)
  const { ledger, kills, faults } = campaign
  console.log(
    `${ledger.seq} transactions, ${ledger.acknowledged} acknowledged, ${ledger.unacknowledged} committed and killed before the acknowledgement, ${ledger.refused} refused, ${kills} kills, ${minutes()} minutes`,
  )
  for (const fault of faults) console.log(`WRONG: ${fault}`)
}

function keep() {
  const { ledger, kills, faults, openings, samples, spaces, catchUps, verified, compacted, paces } = campaign
  const { seq, acknowledged, unacknowledged, refused } = ledger
  mkdirSync(dirname(report), { recursive: true })
  const about = {
    transactions: total,
    seed,
    folder,
    node: process.versions.node,
    cores: cpus().length,
    minutes: Number(minutes()),
  }
  const counted = { seq, acknowledged, unacknowledged, refused, kills }
  const measured = { openings, samples, spaces, catchUps, verified, compacted, paces }
  writeFileSync(report, `${JSON.stringify({ ok, about, counted, faults, flat, windows, visit, measured })}\n`)
}

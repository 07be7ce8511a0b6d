import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Contender } from '../contender.mjs'
import { loadEngines } from '../engines/index.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const PACKAGE = 'date-fns'
const FILES = 1200
const ENGINES = ['journal', 'hand', 'plain', 'atomic', 'database', 'sqlite', 'agentfs', 'git']
const SLOW = ['agentfs', 'git']
const MAKES_FOLDERS = ['journal', 'agentfs']

export const title = `A package as one batch of new files: ${FILES} files of ${PACKAGE} (median milliseconds)`

/** Writes in memory, before anything is measured. */
const REHEARSAL = 20_000

let files = null

/** In the engine's own process: the same files each time, each time under a new folder. Milliseconds. */
export async function work(instance, { key, own, round, limit }) {
  files ??= filesOf(join(import.meta.dirname, '../node_modules', PACKAGE), limit)
  const batch = files.map(({ path, content }) => ({ path: `copy-${round}/${path}`, content }))
  return time(async () => {
    if (!MAKES_FOLDERS.includes(key)) await makeFolders(own, batch)
    await instance.batch(batch)
  })
}

export async function measure({ folder, quick, note }) {
  const limit = quick ? 200 : FILES
  const files = filesOf(join(import.meta.dirname, '../node_modules', PACKAGE), limit)
  const bytes = files.reduce((sum, { content }) => sum + content.byteLength, 0)
  const engines = await loadEngines(ENGINES, note)
  const opened = []
  for (const engine of engines) {
    const own = join(folder, engine.key)
    await mkdir(own, { recursive: true })
    const warmUp = SLOW.includes(engine.key) ? 100 : REHEARSAL
    opened.push({ own, round: 0, contender: await Contender.start(engine, own, import.meta.url, warmUp) })
  }
  const runners = opened.map((state) => ({
    name: state.contender.name,
    every: ['atomic', 'agentfs'].includes(state.contender.key) ? 2 : 1,
    run() {
      state.round += 1
      return state.contender.work({ key: state.contender.key, own: state.own, round: state.round, limit })
    },
  }))
  const times = await interleave(runners, { rounds: quick ? 2 : 6, warmUp: 2 })
  for (const { contender } of opened) await contender.close()
  const results = Object.fromEntries(
    [...times].map(([name, list]) => [name, { median: median(list), rounds: list.length }]),
  )
  const ours = results['write-journal'].median
  const rows = engines.map(({ name }) => [
    name,
    figure(results[name].median),
    name === 'write-journal' ? '' : `${figure(results[name].median / ours)}x`,
  ])
  const ratio = (name) => results[name].median / ours
  return {
    results: { files: files.length, bytes, engines: results },
    text: `${files.length} files, ${(bytes / 1024 / 1024).toFixed(1)} MiB.\n\n${table(['engine', 'ms', 'times the journal'], rows)}`,
    targets: [
      ['fs.writeFile', 3],
      ['log + rename, by hand', 1 / 1.1],
    ].map(([peer, aim]) => ({
      target: `new files: ${peer} takes at least ${figure(aim)} times as long`,
      found: `${figure(ratio(peer))} times`,
      reached: ratio(peer) >= aim,
    })),
  }
}

function filesOf(root, limit) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .slice(0, limit)
    .map((file) => ({ path: file.slice(root.length + 1).replaceAll('\\', '/'), content: readFileSync(file) }))
}

async function makeFolders(own, batch) {
  for (const folder of new Set(batch.map(({ path }) => dirname(path))))
    await mkdir(join(own, folder), { recursive: true })
}

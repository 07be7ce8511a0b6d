import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadEngines } from '../engines/index.mjs'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
const SHAPES = [
  { count: 1, bytes: KIB },
  { count: 3, bytes: 4 * KIB },
  { count: 10, bytes: 4 * KIB },
  { count: 50, bytes: 4 * KIB },
  { count: 200, bytes: 4 * KIB },
]
const ENGINES = ['journal', 'hand', 'place', 'plain', 'atomic', 'database', 'sqlite', 'store', 'lmdb', 'agentfs', 'git']
/** These take ten times as long as the others, and part in fewer rounds. */
const SLOW = ['agentfs', 'git']

const labelOf = ({ count, bytes }) => `${count} x ${bytes / KIB} KiB`

export const title = 'Durable batches of existing files (median milliseconds a batch)'

/** Every engine has its own folder of files, and rewrites all of them with new random content in every round. */
export async function measure({ folder, quick, note }) {
  const engines = await loadEngines(ENGINES, note)
  const results = {}
  for (const shape of SHAPES) {
    const { count, bytes } = shape
    const opened = []
    for (const engine of engines) {
      const own = join(folder, `${engine.key}-${count}`)
      await mkdir(own, { recursive: true })
      const paths = Array.from({ length: count }, (_, i) => `file-${i}.bin`)
      for (const path of paths) await writeFile(join(own, path), content(bytes))
      opened.push({ ...engine, paths, instance: await engine.open(own) })
    }
    const runners = opened.map(({ key, name, paths, instance }) => ({
      name,
      every: SLOW.includes(key) ? 5 : 1,
      run() {
        const files = paths.map((path) => ({ path, content: content(bytes) }))
        return time(() => instance.batch(files))
      },
    }))
    const times = await interleave(runners, { rounds: roundsOf(count, quick), warmUp: count <= 10 ? 30 : 5 })
    for (const { instance } of opened) await instance.close()
    results[labelOf(shape)] = Object.fromEntries(
      [...times].map(([name, list]) => [name, { median: median(list), rounds: list.length }]),
    )
  }
  return { results, text: print(engines, results), targets: targets(results) }
}

function roundsOf(count, quick) {
  const rounds = count <= 10 ? 41 : count <= 50 ? 21 : 11
  return quick ? Math.ceil(rounds / 4) : rounds
}

/** A row an engine; behind each figure how many times as long as the journal it took. */
function print(engines, results) {
  const shapes = Object.keys(results)
  const rows = engines.map(({ name }) => [
    name,
    ...shapes.map((shape) => {
      const ratio = results[shape][name].median / results[shape]['write-journal'].median
      return name === 'write-journal'
        ? figure(results[shape][name].median)
        : `${figure(results[shape][name].median)} (${figure(ratio)}x)`
    }),
  ])
  return table(['engine', ...shapes], rows)
}

function targets(results) {
  const aims = [
    ['10 x 4 KiB', 'write-file-atomic', 15],
    ['10 x 4 KiB', 'fs.writeFile', 3],
    ['10 x 4 KiB', 'SQLite + files', 2],
    ['200 x 4 KiB', 'write-file-atomic', 15],
    ['200 x 4 KiB', 'fs.writeFile', 4],
    ['1 x 1 KiB', 'fs.writeFile', 1],
    ...Object.keys(results).map((shape) => [shape, 'log + rename, by hand', 1 / 1.1]),
  ]
  return aims.flatMap(([shape, peer, aim]) => {
    const of = results[shape][peer]
    if (of === undefined) return []
    const ratio = of.median / results[shape]['write-journal'].median
    return [
      {
        target: `${shape}: ${peer} takes at least ${figure(aim)} times as long`,
        found: `${figure(ratio)} times`,
        reached: ratio >= aim,
      },
    ]
  })
}

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Contender } from '../contender.mjs'
import { loadEngines } from '../engines/index.mjs'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
/** `turn`: batches that an engine does in a row; of these turns `rounds` are counted, after `warmUp` others. */
const SHAPES = [
  { count: 1, bytes: KIB, turn: 32, warmUp: 3, rounds: 15 },
  { count: 3, bytes: 4 * KIB, turn: 32, warmUp: 3, rounds: 15 },
  { count: 10, bytes: 4 * KIB, turn: 32, warmUp: 3, rounds: 15 },
  { count: 50, bytes: 4 * KIB, turn: 12, warmUp: 2, rounds: 10 },
  { count: 200, bytes: 4 * KIB, turn: 6, warmUp: 2, rounds: 7 },
]
const ENGINES = [
  'journal',
  'floor',
  'hand',
  'place',
  'plain',
  'atomic',
  'database',
  'sqlite',
  'store',
  'lmdb',
  'agentfs',
  'git',
]
/** These take ten times as long as the others, and part in fewer rounds. */
const SLOW = ['agentfs', 'git']
const SLOW_EVERY = 5
/** Writes in memory, before anything is measured. */
const REHEARSAL = 20_000

const labelOf = ({ count, bytes }) => `${count} x ${bytes / KIB} KiB`

export const title = 'Durable batches of existing files (median milliseconds a batch)'

/** In the engine's own process: rewrites all files with new random content, `batches` times in a row. Milliseconds of each. */
export async function work(instance, { paths, bytes, batches }) {
  const prepared = Array.from({ length: batches }, () => paths.map((path) => ({ path, content: content(bytes) })))
  const taken = []
  for (const files of prepared) taken.push(await time(() => instance.batch(files)))
  return taken
}

/** Every engine has its own folder of files, and its own process. */
export async function measure({ folder, quick, note }) {
  const engines = await loadEngines(ENGINES, note)
  const results = {}
  for (const shape of SHAPES) {
    const { count, bytes, turn } = shape
    const paths = Array.from({ length: count }, (_, i) => `file-${i}.bin`)
    const contenders = []
    for (const engine of engines) {
      const own = join(folder, `${engine.key}-${count}`)
      await mkdir(own, { recursive: true })
      for (const path of paths) await writeFile(join(own, path), content(bytes))
      contenders.push(await Contender.start(engine, own, import.meta.url, SLOW.includes(engine.key) ? 100 : REHEARSAL))
    }
    const runners = contenders.map((contender) => ({
      name: contender.name,
      every: SLOW.includes(contender.key) ? SLOW_EVERY : 1,
      run: () => contender.work({ paths, bytes, batches: turn }),
    }))
    const rounds = quick ? Math.ceil(shape.rounds / 4) : shape.rounds
    const times = await interleave(runners, { rounds: Math.max(rounds, SLOW_EVERY), warmUp: shape.warmUp })
    for (const contender of contenders) await contender.close()
    results[labelOf(shape)] = Object.fromEntries([...times].map(([name, turns]) => [name, summary(turns)]))
  }
  return { results, text: print(engines, results), targets: targets(results) }
}

/** The first batch of a turn begins with cold caches, as for somebody who commits now and then. */
function summary(turns) {
  const following = turns.flatMap(([, ...others]) => others)
  return { median: median(following), first: median(turns.map(([first]) => first)), batches: following.length }
}

function print(engines, results) {
  const shapes = Object.keys(results)
  /** A row an engine; behind each figure how many times as long as the journal it took. */
  const rows = (key) =>
    engines.map(({ name }) => [
      name,
      ...shapes.map((shape) => {
        const found = results[shape][name][key]
        const ratio = found / results[shape]['write-journal'][key]
        return name === 'write-journal' ? figure(found) : `${figure(found)} (${figure(ratio)}x)`
      }),
    ])
  const head = ['engine', ...shapes]
  return `One after another:\n\n${table(head, rows('median'))}\n\nThe first after others had their turns:\n\n${table(head, rows('first'))}`
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
    const of = results[shape]?.[peer]
    if (of === undefined) return []
    const ratio = of.median / results[shape]['write-journal'].median
    const floor = results[shape]['bare calls (no product)']
    const most = floor === undefined ? '' : `; bare calls ${figure(of.median / floor.median)}`
    return [
      {
        target: `${shape}: ${peer} takes at least ${figure(aim)} times as long`,
        found: `${figure(ratio)} times${most}`,
        reached: ratio >= aim,
      },
    ]
  })
}

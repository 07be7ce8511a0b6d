import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Contender } from '../contender.mjs'
import { loadEngines } from '../engines/index.mjs'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const CALLERS = 64
const BYTES = 1024
const ENGINES = ['journal', 'hand', 'place', 'plain', 'atomic', 'database', 'sqlite', 'store', 'lmdb']

export const title = `${CALLERS} concurrent callers, each rewriting one file of 1 KiB of its own (writes a second)`

/** Writes of each caller in a turn. */
const REPEATS = 24
/** Writes in memory, before anything is measured. */
const REHEARSAL = 20_000

/** In the engine's own process: every caller waits for its own write only; an engine may serve several with one sync. Milliseconds. */
export async function work(instance, { paths }) {
  const turns = paths.map((path) => ({ path, contents: Array.from({ length: REPEATS }, () => content(BYTES)) }))
  return time(() =>
    Promise.all(
      turns.map(async ({ path, contents }) => {
        for (const bytes of contents) await instance.one({ path, content: bytes })
      }),
    ),
  )
}

export async function measure({ folder, quick, note }) {
  const engines = await loadEngines(ENGINES, note)
  const contenders = []
  for (const engine of engines) {
    const own = join(folder, `${engine.key}-callers`)
    await mkdir(own, { recursive: true })
    const paths = Array.from({ length: CALLERS }, (_, i) => `caller-${i}.bin`)
    for (const path of paths) await writeFile(join(own, path), content(BYTES))
    contenders.push({ paths, contender: await Contender.start(engine, own, import.meta.url, REHEARSAL) })
  }
  const runners = contenders.map(({ paths, contender }) => ({
    name: contender.name,
    run: () => contender.work({ paths }),
  }))
  const times = await interleave(runners, { rounds: quick ? 5 : 13, warmUp: 3 })
  for (const { contender } of contenders) await contender.close()
  const results = {}
  for (const [name, list] of times) {
    const milliseconds = median(list) / (CALLERS * REPEATS)
    results[name] = { throughput: 1000 / milliseconds, millisecondsAWrite: milliseconds, rounds: list.length }
  }
  const ours = results['write-journal'].throughput
  const rows = Object.entries(results).map(([name, { throughput, millisecondsAWrite }]) => [
    name,
    figure(throughput),
    figure(millisecondsAWrite),
    `${figure(ours / throughput)}x`,
  ])
  const aims = [
    ['write-file-atomic', 8, 'at least 8 times the throughput of write-file-atomic'],
    ['lmdb, no files', 1 / 6, 'within 6 times LMDB, which writes no files'],
  ]
  return {
    results,
    text: table(['engine', 'writes/s', 'ms a write', 'write-journal is'], rows),
    targets: aims.flatMap(([peer, aim, words]) => {
      if (results[peer] === undefined) return []
      const ratio = ours / results[peer].throughput
      return [
        { target: `${CALLERS} callers, 1 KiB each: ${words}`, found: `${figure(ratio)} times`, reached: ratio >= aim },
      ]
    }),
  }
}

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadEngines } from '../engines/index.mjs'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const CALLERS = 64
const BYTES = 1024

export const title = `${CALLERS} concurrent callers, each rewriting one file of 1 KiB of its own (writes a second)`

/** Every caller waits for its own write only; an engine may serve several with one sync. */
export async function measure({ folder, quick, note }) {
  const engines = await loadEngines(
    ['journal', 'hand', 'place', 'plain', 'atomic', 'database', 'sqlite', 'store', 'lmdb'],
    note,
  )
  const repeats = 4
  const opened = []
  for (const engine of engines) {
    const own = join(folder, `${engine.key}-callers`)
    await mkdir(own, { recursive: true })
    const paths = Array.from({ length: CALLERS }, (_, i) => `caller-${i}.bin`)
    for (const path of paths) await writeFile(join(own, path), content(BYTES))
    opened.push({ name: engine.name, paths, instance: await engine.open(own) })
  }
  const runners = opened.map(({ name, paths, instance }) => ({
    name,
    run() {
      const turns = paths.map((path) => ({ path, contents: Array.from({ length: repeats }, () => content(BYTES)) }))
      return time(() =>
        Promise.all(
          turns.map(async ({ path, contents }) => {
            for (const bytes of contents) await instance.one({ path, content: bytes })
          }),
        ),
      )
    },
  }))
  // The compiler needs some thousand calls of an engine's own code. No more than that: what write-file-atomic frees slows down the next new file
  // of everybody, where the file system has no journal (README, trap one).
  for (const runner of runners)
    for (let i = 0; i < (runner.name === 'write-journal' ? 12 : 2); i += 1) await runner.run()
  const times = await interleave(runners, { rounds: quick ? 5 : 11, warmUp: 1 })
  for (const { instance } of opened) await instance.close()
  const results = {}
  for (const [name, list] of times) {
    const milliseconds = median(list) / (CALLERS * repeats)
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

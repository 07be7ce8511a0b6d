import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadEngines } from '../engines/index.mjs'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const SIZES = [1, 3, 10, 50, 200]
const BYTES = 4096

export const title = 'Durable batches of existing files of 4 KiB (median milliseconds a batch)'

/** Every engine has its own folder of files, and rewrites all of them with new random content in every round. */
export async function measure({ folder, quick, note }) {
  const engines = await loadEngines(['journal', 'atomic', 'plain', 'sqlite'], note)
  const results = {}
  for (const count of SIZES) {
    const opened = []
    for (const engine of engines) {
      const own = join(folder, `${engine.key}-${count}`)
      await mkdir(own, { recursive: true })
      const paths = Array.from({ length: count }, (_, i) => `file-${i}.bin`)
      for (const path of paths) await writeFile(join(own, path), content(BYTES))
      opened.push({ name: engine.name, paths, instance: await engine.open(own) })
    }
    const runners = opened.map(({ name, paths, instance }) => ({
      name,
      run() {
        const files = paths.map((path) => ({ path, content: content(BYTES) }))
        return time(() => instance.batch(files))
      },
    }))
    const times = await interleave(runners, { rounds: roundsOf(count, quick), warmUp: count <= 10 ? 30 : 5 })
    for (const { instance } of opened) await instance.close()
    results[count] = Object.fromEntries(
      [...times].map(([name, list]) => [name, { median: median(list), rounds: list.length }]),
    )
  }
  return { results, text: print(engines, results), targets: targets(results) }
}

function roundsOf(count, quick) {
  const rounds = count <= 10 ? 41 : count <= 50 ? 21 : 11
  return quick ? Math.ceil(rounds / 4) : rounds
}

function print(engines, results) {
  const names = engines.map(({ name }) => name)
  const others = names.filter((name) => name !== 'write-journal')
  const head = ['files', ...names, ...others.map((name) => `vs ${name}`)]
  const rows = Object.entries(results).map(([count, of]) => {
    const ours = of['write-journal'].median
    return [
      count,
      ...names.map((name) => figure(of[name].median)),
      ...others.map((name) => `${figure(of[name].median / ours)}x`),
    ]
  })
  return table(head, rows)
}

function targets(results) {
  const ratio = (name) => results[10][name].median / results[10]['write-journal'].median
  return [
    {
      target: '10 files of 4 KiB: at least 5 times faster than write-file-atomic in sequence',
      found: `${figure(ratio('write-file-atomic'))} times`,
      reached: ratio('write-file-atomic') >= 5,
    },
    {
      target: '10 files of 4 KiB: faster than fs.writeFile in a loop',
      found: `${figure(ratio('fs.writeFile'))} times`,
      reached: ratio('fs.writeFile') > 1,
    },
  ]
}

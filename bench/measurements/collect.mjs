import { appendFile, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { content, figure, median } from '../measure.mjs'
import { table } from '../table.mjs'

const FILES_A_FOLDER = 100
const BYTES = 4096
const CHANGED = 20

export const title = 'Collecting what changed in a workspace'

/** A tree of 50,000 files, compared with the record: the first time, with nothing changed, with 20 files changed, with the times of all of them changed. */
export async function measure({ folder, quick, progress }) {
  const count = quick ? 5000 : 50_000
  const rounds = quick ? 3 : 9
  const root = join(folder, 'tree')
  const files = await makeTree(root, count, progress)
  const journal = await openJournal(root)
  const first = await spent(() => journal.collect({ baseline: true }))
  await journal.close()

  const unchanged = []
  const few = []
  const touched = []
  const opened = await openJournal(root)
  try {
    // What was new a moment ago is read once more: its times prove nothing.
    await opened.collect({ baseline: false })
    for (let round = 0; round < rounds; round += 1) {
      unchanged.push(await spent(() => expectChanged(opened, 0)))
      for (let at = 0; at < CHANGED; at += 1) await appendFile(files[(at * 2477 + round) % count], `round ${round}\n`)
      few.push(await spent(() => expectChanged(opened, CHANGED)))
    }
    for (let round = 0; round < (quick ? 1 : 3); round += 1) {
      const then = new Date(Date.now() - 60_000 * (round + 1))
      for (const file of files) await utimes(file, then, then)
      await new Promise((resolve) => setTimeout(resolve, 100))
      touched.push(await spent(() => expectChanged(opened, 0)))
    }
  } finally {
    await opened.close()
  }
  const taken = { first, unchanged: middle(unchanged), few: middle(few), touched: middle(touched) }
  const row = (name, { wall, cpu }) => [name, figure(wall), figure(cpu)]
  const rows = [
    row('the first time: all is read and kept', taken.first),
    row('nothing changed', taken.unchanged),
    row(`${CHANGED} files changed`, taken.few),
    row('only the times of all files changed: all is read', taken.touched),
  ]
  return {
    results: { files: count, ...taken },
    text: table([`${count.toLocaleString('en-US')} files of 4 KiB (ms)`, 'taken', 'of the processors'], rows),
    targets: [
      {
        target: `${count.toLocaleString('en-US')} files, ${CHANGED} of them changed, compared and recorded in under a second`,
        found: `${figure(taken.few.wall)} ms`,
        reached: taken.few.wall < 1000,
      },
    ],
  }
}

/** Milliseconds that `work` takes, and that the processors worked for it: on a machine that does other things too, the second says more. */
async function spent(work) {
  const begun = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wall: performance.now() - begun, cpu: (user + system) / 1000 }
}

function middle(all) {
  return { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)) }
}

async function makeTree(root, count, progress) {
  const files = []
  for (let at = 0; at < count; at += FILES_A_FOLDER) {
    const folder = join(root, `package-${at % 1900}`, `module-${at}`)
    await mkdir(folder, { recursive: true })
    for (let file = 0; file < FILES_A_FOLDER; file += 1) {
      files.push(join(folder, `file-${file}.txt`))
      await writeFile(files.at(-1), content(BYTES / 2).toString('hex'))
    }
    progress?.(`${files.length} of ${count} files`)
  }
  return files
}

async function expectChanged(journal, expected) {
  const { receipt } = await journal.collect({ baseline: false })
  const found = receipt?.files.length ?? 0
  if (found !== expected) throw new Error(`${found} files were collected instead of ${expected}`)
}

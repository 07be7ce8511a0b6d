import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../table.mjs'

const CHILD = fileURLToPath(new URL('./calls-child.mjs', import.meta.url))
const EDITS = 10
export const WAYS = {
  journal: 'write-journal, one transaction',
  plain: 'fs.readFile and fs.writeFile, an edit each',
  atomic: 'fs.readFile and write-file-atomic, an edit each',
}
const CASES = { one: `${EDITS} edits of one file`, each: `${EDITS} edits, of a file each` }

export const title = `File-system calls of ${EDITS} edits, counted with strace`

/** Counts what the kernel is asked for between two marks, once each way has run often enough to be in its stride. */
export async function measure({ folder, note }) {
  if (spawnSync('strace', ['-V']).status !== 0) {
    note('calls is left out: there is no strace here')
    return { results: {}, text: 'Left out: there is no strace here.', targets: [] }
  }
  const results = {}
  for (const kind of Object.keys(CASES)) {
    results[kind] = {}
    for (const way of Object.keys(WAYS)) results[kind][way] = count(join(folder, `${kind}-${way}`), kind, way)
  }
  const rows = Object.entries(WAYS).map(([way, name]) => [
    name,
    ...Object.keys(CASES).flatMap((kind) => [String(results[kind][way].calls), String(results[kind][way].syncs)]),
  ])
  const head = ['way', ...Object.values(CASES).flatMap((name) => [name, 'of them syncs'])]
  const fewer = (kind, peer) => 1 - results[kind].journal.calls / results[kind][peer].calls
  return {
    results,
    text: table(head, rows),
    targets: [
      ['one', 'plain'],
      ['one', 'atomic'],
    ].map(([kind, peer]) => ({
      target: `${CASES[kind]}: at least half of the calls of ${WAYS[peer]} saved`,
      found: `${(fewer(kind, peer) * 100).toFixed(0)} %`,
      reached: fewer(kind, peer) >= 0.5,
    })),
  }
}

function count(folder, kind, way) {
  mkdirSync(folder)
  const trace = `${folder}.trace`
  const calls = '%file,%desc'
  const run = [
    '-f',
    '-y',
    '-e',
    `trace=${calls}`,
    '-o',
    trace,
    process.execPath,
    CHILD,
    way,
    kind,
    folder,
    String(EDITS),
  ]
  const child = spawnSync('strace', run, { encoding: 'utf8' })
  if (child.status !== 0) throw new Error(child.stderr)
  const lines = readFileSync(trace, 'utf8').split('\n')
  rmSync(trace)
  const [begin, end] = ['begin', 'end'].map((mark) => lines.findIndex((line) => line.includes(`/mark-${mark}"`)))
  const own = lines.slice(begin + 1, end).filter(isFileCall)
  return { calls: own.length, syncs: own.filter((line) => /\bf(data)?sync\(/.test(line)).length }
}

/** Not those by which threads of a process wake each other, nor the second half of one that was interrupted in the listing. */
function isFileCall(line) {
  return (
    /^\d+ +\w+\(/.test(line) &&
    !/<(anon_inode|pipe|socket):/.test(line) &&
    !/ (epoll_\w+|poll|ppoll|mmap|mprotect)\(/.test(line)
  )
}

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { openJournal } from '../../dist/index.js'
import { Floor } from '../floor.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
const LINE = 64
/** Each with `edits` texts of 20 bytes to replace, spread over `files` files of `bytes`. */
const SHAPES = [
  { name: '3 edits of one file of 4 KiB', edits: 3, files: 1, bytes: 4 * KIB, least: 2.5 },
  { name: '3 edits of one file of 50 KiB', edits: 3, files: 1, bytes: 50 * KIB, least: 2.5 },
  { name: '20 bytes in 50 KiB', edits: 1, files: 1, bytes: 50 * KIB, least: 5 },
  { name: '50 edits over 20 files of 4 KiB', edits: 50, files: 20, bytes: 4 * KIB, least: 3 },
]
const MANY = 100_000
const PEER = 'write-file-atomic'
const FLOOR = 'floor'
const SYNC = 'of it the sync'

export const title = 'Edits of texts (median milliseconds)'

/**
 * The journal makes the edits of a round as one transaction. Its contenders make each by a call of its own, as a tool for edits does: read the file, replace the text,
 * write the file. The floor is no product: what whole files replaced under a synced log cost at least, to tell how far a target can be reached.
 */
export async function measure({ folder, quick, progress }) {
  const results = {}
  for (const shape of SHAPES)
    results[shape.name] = await measureShape(join(folder, shape.name.replaceAll(' ', '-')), shape, quick)
  progress(`making ${MANY} edits`)
  const many = await measureMany(join(folder, 'many'), quick ? 1 : 3)
  const names = Object.keys(Object.values(results)[0])
  const rows = SHAPES.map(({ name }) => [name, ...names.map((engine) => figure(results[name][engine]))])
  const ratio = (name, engine = 'write-journal') => results[name][PEER] / results[name][engine]
  return {
    results: { ...results, many },
    text: `${table(['edits', ...names], rows)}\n\nThe floor is bare calls: one record synced, each file written anew and exchanged; no product.\n\n${MANY.toLocaleString('en-US')} edits of a text of ${figure(many.bytes / KIB)} KiB in one call: ${figure(many.milliseconds)} ms.`,
    targets: SHAPES.map(({ name, least }) => ({
      target: `${name}: ${PEER}, a call an edit, takes at least ${least} times as long`,
      found: `${figure(ratio(name))} times; the floor ${figure(ratio(name, FLOOR))}`,
      reached: ratio(name) >= least,
    })),
  }
}

const lineOf = (number, mark) => `${String(number).padStart(8, '0')} ${mark} `.padEnd(LINE - 1, 'x').concat('\n')
const markOf = (round) => `mark ${String(round).padStart(15, '0')}`

/** The texts to replace in a round, file by file: lines that are far from each other. */
function editsOf({ edits, files, bytes }, round) {
  const lines = bytes / LINE
  return Array.from({ length: edits }, (_, index) => {
    const number = Math.floor((lines * (Math.floor(index / files) + 0.5)) / Math.ceil(edits / files))
    const [oldText, newText] = [markOf(round - 1), markOf(round)].map((mark) => lineOf(number, mark))
    return { path: `file-${index % files}.txt`, oldText, newText }
  })
}

async function measureShape(folder, shape, quick) {
  const text = Array.from({ length: shape.bytes / LINE }, (_, number) => lineOf(number, markOf(0))).join('')
  const names = Array.from({ length: shape.files }, (_, number) => `file-${number}.txt`)
  const places = {}
  for (const engine of ['write-journal', PEER, 'fs.writeFile', FLOOR]) {
    places[engine] = join(folder, engine)
    await mkdir(places[engine], { recursive: true })
    for (const name of names) await writeFile(join(places[engine], name), text)
  }
  const journal = await openJournal(places['write-journal'], { actor: 'bench' })
  const floor = new Floor(places[FLOOR])
  const makers = {
    'write-journal': (list) =>
      journal.transact(async (tx) => {
        for (const name of names) {
          const own = list.filter(({ path }) => path === name)
          await tx.edit(
            name,
            own.map(({ oldText, newText }) => ({ oldText, newText })),
          )
        }
      }),
    [PEER]: (list) => oneByOne(places[PEER], list, writeFileAtomic),
    'fs.writeFile': (list) => oneByOne(places['fs.writeFile'], list, writeFile),
    [FLOOR]: (list) => floor.round(list),
  }
  const runners = Object.entries(makers).map(([name, make]) => {
    let round = 0
    return {
      name,
      run() {
        round += 1
        const list = editsOf(shape, round)
        return time(() => make(list))
      },
    }
  })
  const times = await interleave(runners, { rounds: quick ? 11 : 41, warmUp: 30 })
  const made = await Promise.all(Object.values(places).map((place) => readFile(join(place, 'file-0.txt'), 'utf8')))
  if (new Set(made).size !== 1 || made[0] === text)
    throw new Error(`${shape.name}: the engines did not come to the same`)
  await journal.close()
  floor.close()
  const medians = Object.fromEntries([...times].map(([name, list]) => [name, median(list)]))
  return { ...medians, [SYNC]: median(floor.syncs.slice(-times.get(FLOOR).length)) }
}

async function oneByOne(folder, list, write) {
  for (const { path, oldText, newText } of list) {
    const file = join(folder, path)
    const text = await readFile(file, 'utf8')
    await write(file, text.replace(oldText, newText))
  }
}

/** One call with an edit for every line. */
async function measureMany(folder, rounds) {
  await mkdir(folder, { recursive: true })
  const journal = await openJournal(folder, { actor: 'bench' })
  const lines = Array.from({ length: MANY }, (_, number) => lineOf(number, markOf(0)))
  await journal.write('many.txt', lines.join(''))
  const times = []
  for (let round = 1; round <= rounds; round += 1) {
    const edits = lines.map((_, number) => ({
      oldText: lineOf(number, markOf(round - 1)),
      newText: lineOf(number, markOf(round)),
    }))
    times.push(await time(() => journal.edit('many.txt', edits)))
  }
  await journal.close()
  return { bytes: MANY * LINE, milliseconds: median(times) }
}

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { openJournal } from '../../dist/index.js'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
const CELLS = 10
/** Notebooks of `cells` code cells, each with an output of `bytes`, of which ten get another source. */
const SHAPES = [
  { name: '10 cells of a notebook of 64 KiB', cells: 40, bytes: KIB, least: 2.5 },
  { name: '10 cells of a notebook of 2 MiB', cells: 40, bytes: 50 * KIB, least: 2.5 },
  { name: '10 cells of a notebook of 20 MiB', cells: 200, bytes: 100 * KIB, least: 2.5 },
]
const PEER = 'write-file-atomic'

export const title = 'Cells of notebooks (median milliseconds)'

/**
 * The journal changes the cells of a round in one call. Its contenders change each by a call of its own, as a tool for notebooks does: read the file, parse it, set the
 * source, take the outputs out, write all of it.
 */
export async function measure({ folder, quick, progress }) {
  const results = {}
  for (const shape of SHAPES) {
    progress(shape.name)
    results[shape.name] = await measureShape(join(folder, shape.name.replaceAll(' ', '-')), shape, quick)
  }
  const names = Object.keys(Object.values(results)[0])
  const rows = SHAPES.map(({ name }) => [name, ...names.map((engine) => figure(results[name][engine]))])
  const ratio = (name) => results[name][PEER] / results[name]['write-journal']
  return {
    results,
    text: table(['cells', ...names], rows),
    targets: SHAPES.map(({ name, least }) => ({
      target: `${name}: ${PEER}, a call a cell, takes at least ${least} times as long`,
      found: `${figure(ratio(name))} times`,
      reached: ratio(name) >= least,
    })),
  }
}

function notebookOf({ cells, bytes }) {
  const output = (index) => ({
    data: {
      'image/png': String(index)
        .padStart(8, '0')
        .repeat(bytes / 8),
      'text/plain': ['<Figure>'],
    },
    metadata: {},
    output_type: 'display_data',
  })
  const list = Array.from({ length: cells }, (_, index) => ({
    cell_type: 'code',
    execution_count: index,
    id: `cell-${index}`,
    metadata: {},
    outputs: [output(index)],
    source: [`plot(${index})\n`, 'show()'],
  }))
  return `${JSON.stringify({ cells: list, metadata: {}, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`
}

async function measureShape(folder, shape, quick) {
  const text = notebookOf(shape)
  const places = {}
  for (const engine of ['write-journal', PEER, 'fs.writeFile']) {
    places[engine] = join(folder, engine)
    await mkdir(places[engine], { recursive: true })
    await writeFile(join(places[engine], 'notebook.ipynb'), text)
  }
  const journal = await openJournal(places['write-journal'], { actor: 'bench' })
  const makers = {
    'write-journal': (list) => journal.notebook('notebook.ipynb', list),
    [PEER]: (list) => oneByOne(join(places[PEER], 'notebook.ipynb'), list, writeFileAtomic),
    'fs.writeFile': (list) => oneByOne(join(places['fs.writeFile'], 'notebook.ipynb'), list, writeFile),
  }
  const runners = Object.entries(makers).map(([name, make]) => {
    let round = 0
    return {
      name,
      run() {
        round += 1
        // The same ten cells in every round: only the first takes outputs out, so that the notebook keeps its size.
        const list = Array.from({ length: CELLS }, (_, index) => ({
          cell: `cell-${index * Math.floor(shape.cells / CELLS)}`,
          source: `plot(${round}, ${index})\nshow()`,
        }))
        return time(() => make(list))
      },
    }
  })
  const large = text.length > 1024 * KIB
  const times = await interleave(runners, { rounds: quick ? 3 : large ? 11 : 41, warmUp: large ? 3 : 20 })
  const made = await Promise.all(Object.values(places).map((place) => readFile(join(place, 'notebook.ipynb'), 'utf8')))
  if (new Set(made).size !== 1 || made[0] === text)
    throw new Error(`${shape.name}: the engines did not come to the same`)
  await journal.close()
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]))
}

async function oneByOne(file, list, write) {
  for (const { cell: id, source } of list) {
    const notebook = JSON.parse(await readFile(file, 'utf8'))
    const cell = notebook.cells.find((one) => one.id === id)
    cell.source = source.split(/(?<=\n)/)
    cell.outputs = []
    cell.execution_count = null
    await write(file, `${JSON.stringify(notebook, null, 1)}\n`)
  }
}

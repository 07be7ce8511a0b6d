/**
 * Measures the journal against its peers. See bench/README.md.
 *
 *   npm run bench -- [--only NAME]… [--quick] [--dir FOLDER] [--json FILE]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { duration } from './measure.mjs'
import { newFileCost } from './probe.mjs'

const MEASUREMENTS = [
  'batches',
  'callers',
  'package',
  'large',
  'edits',
  'structures',
  'opening',
  'reading',
  'recovery',
  'stream',
  'space',
  'retention',
  'validation',
  'team',
  'calls',
  'collect',
  'hooks',
]
/** Ten minutes: only when it is asked for. */
const LONG = ['million']
const USAGE = `Usage: npm run bench -- [options]

  --only NAME    only this measurement (${MEASUREMENTS.join(', ')}; or ${LONG.join(', ')}, which takes long); may be given several times
  --quick        fewer rounds, smaller sizes: to see that it works, not to quote
  --dir FOLDER   measure on the file system of this folder (default: the one of temporary files)
  --json FILE    write everything that was found to FILE, too
  --help         this`

/** Microseconds. A quiet ext4 takes a tenth of it. */
const SLOW_NEW_FILE = 150

const here = dirname(fileURLToPath(import.meta.url))
const options = readOptions()
installPeers()
const folder = mkdtempSync(join(options.dir, 'write-journal-bench-'))
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
try {
  await run()
} finally {
  // Only now: on some file systems deleting slows down what is measured after it, for minutes.
  rmSync(folder, { recursive: true, force: true })
}

function readOptions() {
  const declared = {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    dir: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  }
  let values
  try {
    values = parseArgs({ options: declared }).values
  } catch (error) {
    stop(2, `${error.message}\n\n${USAGE}`)
  }
  if (values.help) stop(0, USAGE)
  const unknown = values.only?.find((name) => ![...MEASUREMENTS, ...LONG].includes(name))
  if (unknown !== undefined) stop(2, `No measurement is called ${unknown}\n\n${USAGE}`)
  const dir = resolve(values.dir ?? tmpdir())
  if (!existsSync(dir)) stop(2, `There is no folder ${dir}`)
  return { ...values, dir, only: values.only ?? MEASUREMENTS }
}

function stop(code, text) {
  ;(code === 0 ? process.stdout : process.stderr).write(`${text}\n`)
  process.exit(code)
}

/** The peers are no dependencies of the library: they come on first use. */
function installPeers() {
  if (existsSync(join(here, 'node_modules', 'write-file-atomic'))) return
  note('Installing the peers into bench/node_modules (once; building SQLite may take a minute) …')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) stop(1, 'The peers could not be installed: run `npm ci` in bench/ to see why')
}

async function run() {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}, ${process.platform}`
  console.log(
    `# write-journal bench\n\n${machine}; in ${options.dir}; ${new Date().toISOString().slice(0, 10)}${options.quick ? '; quick' : ''}`,
  )
  const cost = newFileCost(folder)
  const verdict =
    cost > SLOW_NEW_FILE ? ' **That is slow: see the traps in bench/README.md, and try another --dir.**' : ''
  console.log(`\nMaking a new file of 4 KiB takes ${cost.toFixed(0)} µs here.${verdict}`)
  const found = {}
  const targets = []
  for (const name of options.only) {
    const { title, measure } = await import(`./measurements/${name}.mjs`)
    const own = join(folder, name)
    mkdirSync(own)
    const begun = performance.now()
    const { results, text, targets: reachable } = await measure({ folder: own, quick: options.quick, note, progress })
    progress('')
    console.log(`\n## ${title}\n\n${text}\n`)
    for (const { target, found, reached } of reachable)
      console.log(`- ${reached ? 'reached' : '**not reached**'}: ${target}: ${found}`)
    note(`${name} took ${duration(performance.now() - begun)}`)
    found[name] = results
    targets.push(...reachable.map((target) => ({ measurement: name, ...target })))
    keep()
  }
  const reached = targets.filter((target) => target.reached).length
  console.log(`\n${reached} of ${targets.length} figures reached`)

  /** After each measurement: a later one may fail. */
  function keep() {
    if (options.json === undefined) return
    const report = {
      time: new Date().toISOString(),
      machine,
      quick: options.quick,
      newFileMicroseconds: cost,
      targets,
      results: found,
    }
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
}

function note(text) {
  process.stderr.write(`${text}\n`)
}

/** One line that overwrites itself, where somebody is looking. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

/**
 * Takes checks out of the source one at a time, and wants some test to miss each.
 *
 *     node test/mutation/run.mjs paths      those that keep transactions inside the workspace
 *     node test/mutation/run.mjs recovery   the decisions of recovery, and whether an end is torn or damaged
 *     MUTANT=text …                         only those whose line has this in it
 *     FROM=n …                              only those from the n-th of the list on
 *     STAGES=n …                            only the first n groups of tests, of which each is dearer than the one before
 *
 * The work is done on a copy; what runs in child processes comes from `dist/`, which has no mutants. Exit code 1 when a mutant survives that is not said to be equivalent.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const HERE = import.meta.dirname
const PROJECT = path.resolve(HERE, '../..')
const [which = 'paths'] = process.argv.slice(2)
const { MUTANTS, STAGES, FIRST = {} } = await import(pathToFileURL(`${HERE}/${which}.mjs`).href)
const only = process.env.MUTANT ?? ''
const first = Number(process.env.FROM ?? 1)
const stages = STAGES.slice(0, Number(process.env.STAGES ?? STAGES.length))

const copy = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mutants-')))
for (const name of [
  'src',
  'test',
  'package.json',
  'dist',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  'docs',
  'journal-format.md',
])
  fs.cpSync(`${PROJECT}/${name}`, `${copy}/${name}`, { recursive: true })
fs.symlinkSync(`${PROJECT}/node_modules`, `${copy}/node_modules`)

/** Of the tests that failed last. */
let output = ''

/** The first group whose tests fail, or null. `file`: the source that is tried; its own tests come before all groups. */
function missedBy(file) {
  const own = FIRST[file] === undefined ? [] : [{ name: 'its own', files: FIRST[file] }]
  for (const { name, files, env = {} } of [...own, ...stages]) {
    const run = spawnSync(
      process.execPath,
      [`${copy}/node_modules/vitest/vitest.mjs`, 'run', '--bail=1', '--testTimeout=120000', ...files],
      {
        cwd: copy,
        env: { ...process.env, CI: '1', ...env },
        encoding: 'utf8',
        timeout: 600_000,
      },
    )
    if (run.status !== 0) {
      output = run.stdout
      return name
    }
  }
  return null
}

const survivors = []
let killed = 0
let stale = 0
try {
  const failing = missedBy()
  if (failing !== null) throw new Error(`the tests of the group "${failing}" fail without any mutant:\n${output}`)
  for (const { file, from, to, equivalent } of MUTANTS.slice(first - 1)) {
    const label = `${file}: ${from.replace(/\s+/g, ' ').slice(0, 90)} => ${to.replace(/\s+/g, ' ').slice(0, 60)}`
    if (!label.includes(only)) continue
    const target = `${copy}/src/${file}`
    const source = fs.readFileSync(target, 'utf8')
    if (source.split(from).length !== 2) {
      stale += 1
      console.log(`STALE     ${label}`)
      continue
    }
    fs.writeFileSync(
      target,
      source.replace(from, () => to),
    )
    const stage = missedBy(file)
    fs.writeFileSync(target, source)
    if (stage !== null) {
      killed += 1
      console.log(`killed    ${label}   [${stage}]`)
    } else if (equivalent !== undefined) console.log(`no change ${label}   (${equivalent})`)
    else {
      survivors.push(label)
      console.log(`SURVIVES  ${label}`)
    }
  }
} finally {
  fs.rmSync(copy, { recursive: true, force: true })
}
console.log(`${killed} killed, ${survivors.length} survive, ${stale} stale`)
process.exitCode = survivors.length + stale > 0 ? 1 : 0

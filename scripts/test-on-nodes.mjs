/**
 * Runs the test suite on other versions of Node than the one at hand. The npm package `node` ships the binaries.
 *
 *   npm run test:nodes [-- 22 24]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const WINDOWS = process.platform === 'win32'
const project = fileURLToPath(new URL('..', import.meta.url))
const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24']
const temporary = mkdtempSync(join(tmpdir(), 'write-journal-nodes-'))
let failed = false
try {
  for (const major of majors) {
    const line = test(major)
    console.log(`Node ${line}`)
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)

function test(major) {
  const { binary, reason } = install(major)
  if (binary === undefined) return `${major}: skipped, ${reason}`
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout?.trim()
  if (!version?.startsWith(`v${major}.`)) return `${major}: skipped, the installed binary says ${version || 'nothing'}`
  const report = join(temporary, `${major}.json`)
  const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs')
  // First in PATH, so that the processes that tests start run on it, too.
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`
  const run = spawnSync(
    binary,
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      cwd: project,
      env: { ...process.env, PATH },
      stdio: ['ignore', 2, 2],
    },
  )
  const tests = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  if (run.status !== 0) failed = true
  if (tests === undefined) return `${version}: FAILED, the tests did not run (${run.signal ?? run.status})`
  const outcome = run.status === 0 ? 'passed' : 'FAILED'
  return `${version}: ${outcome}, ${tests.numPassedTests} of ${tests.numTotalTests} tests passed`
}

/** The binary, or the reason why there is none here. */
function install(major) {
  const folder = mkdtempSync(join(temporary, `node-${major}-`))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${major}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: WINDOWS,
  })
  const name = WINDOWS ? 'node.exe' : 'node'
  const binary = join(folder, 'node_modules', 'node', 'bin', name)
  if (existsSync(binary)) return { binary }
  const reason = npm.error?.message ?? npm.stderr.trim().split('\n')[0]
  return { reason: reason || `the package node@${major} has no binary for ${process.platform} ${process.arch}` }
}

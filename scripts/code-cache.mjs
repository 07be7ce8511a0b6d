/** Runs the commands that are run most, so that what they were compiled to is kept beside the bundle. See loader.cjs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const RUNS = [
  ['init'],
  ['write', 'a.txt', '--json'],
  ['edit', 'a.txt', '--old', 'a text', '--new', 'another'],
  ['log', '-n', '10'],
  ['log', '--json'],
  ['status'],
  ['show', '1'],
  ['diff', '2'],
  ['undo', '2'],
]

/** `cli`: folder of the bundle, with `program.js` in it. */
export function keepCode(cli) {
  const folder = join(cli, 'code', `${process.versions.v8}-${process.platform}-${process.arch}`)
  mkdirSync(folder, { recursive: true })
  const scratch = mkdtempSync(join(tmpdir(), 'write-journal-code-'))
  try {
    for (const args of RUNS) {
      execFileSync(
        process.execPath,
        ['-r', join(import.meta.dirname, 'keep-code.cjs'), join(cli, 'program.js'), ...args],
        {
          cwd: scratch,
          input: 'a text\n',
          env: { ...process.env, KEEP_CODE: folder, NO_COLOR: '1' },
          stdio: ['pipe', 'ignore', 'inherit'],
        },
      )
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

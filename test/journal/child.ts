import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const project = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))

/** Builds the engine into a folder of its own, so that real child processes can run it. */
export function buildEngine(): { readonly index: string; readonly remove: () => void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engine-'))
  const compiler = path.join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', `${folder}/dist`], {
    cwd: project,
  })
  fs.symlinkSync(path.join(project, 'node_modules'), `${folder}/node_modules`)
  fs.writeFileSync(`${folder}/package.json`, '{"type":"module"}')
  return { index: `${folder}/dist/index.js`, remove: () => fs.rmSync(folder, { recursive: true, force: true }) }
}

/** Runs a script that says `ready`, and waits until it does. */
export async function startChild(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
    child.stdout?.on('data', (text: Buffer) => {
      if (text.toString().includes('ready')) resolve()
    })
  })
  return child
}

/** Kills a child at once, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** A hook is a process for every call of a tool: what it loads is what it costs. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { MAIN, runNode, workspace } from '../../cli/journal-process.ts'
import { helperOf, SimulatedSession } from './simulator.ts'

it('a hook that has a helper loads next to nothing', async () => {
  const root = await workspace()
  const session = new SimulatedSession(root)
  await session.start()
  await helperOf(root)
  const list = path.join(root, 'loaded.json')
  const spy = path.join(root, 'spy.cjs')
  writeFileSync(
    spy,
    `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify({
      files: Object.keys(require.cache).filter((name) => name !== __filename), modules: process.moduleLoadList })))`,
  )
  const call = session.call('Write', { file_path: path.join(root, 'a.txt'), content: 'a' })
  const run = await runNode(['--require', spy, MAIN, 'hook'], {
    cwd: root,
    input: session.input('PreToolUse', { ...call }),
  })
  expect(run).toEqual({ code: 0, stdout: '', stderr: '' })
  const { files, modules } = JSON.parse(readFileSync(list, 'utf8')) as { files: string[]; modules: string[] }
  expect(files).toContain(MAIN)
  expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(24 * 1024)
  for (const heavy of ['child_process', 'crypto', 'worker_threads', 'readline', 'http', 'tls']) {
    expect(modules).not.toContain(`NativeModule ${heavy}`)
  }
})

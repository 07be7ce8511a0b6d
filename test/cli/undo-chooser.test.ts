/** `journal undo -i` on a real terminal. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { commit, journal, MAIN, newest, type Run, runNode, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 120_000 })

const python = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0
const RETURN = '\r'
const SPACE = ' '
const DOWN = '\x1b[B'
const ESCAPE_CODES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

/** Runs `journal` on a terminal; `steps`: what to wait for, and the keys to press then. */
function onTerminal(
  cwd: string,
  args: readonly string[],
  steps: readonly (readonly [string, readonly string[]])[],
): Run {
  const script = path.join(import.meta.dirname, 'terminal.py')
  const run = spawnSync('python3', [script, JSON.stringify(steps), process.execPath, MAIN, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
  })
  return { code: run.status, stdout: run.stdout.replace(ESCAPE_CODES, ''), stderr: run.stderr }
}

async function prepared(): Promise<string> {
  const cwd = await workspace()
  await commit(cwd, { 'a.txt': 'person\n' }, { message: 'by hand' })
  await commit(cwd, { 'b.txt': 'one\n' }, { parent: 'p7', message: 'first step' })
  await commit(cwd, { 'c.txt': 'two\n' }, { parent: 'p7', message: 'second step' })
  return cwd
}

// Reason to skip: no Python with terminals, as on Windows.
describe.skipIf(!python)('the chooser', () => {
  test('a whole prompt is chosen, shown and undone', async () => {
    const cwd = await prepared()
    const run = onTerminal(
      cwd,
      ['undo', '-i'],
      [
        ['What shall be undone', [SPACE, RETURN]],
        ['Undo 2 transactions', [RETURN]],
      ],
    )
    expect(run.stdout).toContain('prompt p7')
    expect(run.stdout).toContain('second step')
    expect(run.stdout).toContain('-two')
    expect(run.code, run.stdout).toBe(0)
    expect([existsSync(`${cwd}/b.txt`), existsSync(`${cwd}/c.txt`), existsSync(`${cwd}/a.txt`)]).toEqual([
      false,
      false,
      true,
    ])
    const again = onTerminal(cwd, ['undo', '-i'], [['What shall be undone', ['\x03']]])
    expect(again.stdout).not.toContain('second step')
    expect(again.stdout).toContain('Nothing was changed')
    expect(again.code).toBe(1)
  })

  test('one of a group; a conflict is decided; no is no', async () => {
    const cwd = await prepared()
    await commit(cwd, { 'b.txt': 'changed since\n' })
    const before = await newest(cwd)
    // The newest is of no prompt; below it the one by hand; then the group of the prompt.
    const keys = [DOWN, DOWN, DOWN, DOWN, DOWN, SPACE, RETURN]
    const no = onTerminal(
      cwd,
      ['undo', '-i'],
      [
        ['What shall be undone', keys],
        ['What about it', [DOWN, DOWN, DOWN, RETURN]],
      ],
    )
    expect(no.stdout).toContain('conflict: b.txt')
    expect([no.code, await newest(cwd)]).toEqual([1, before])
    const yes = onTerminal(
      cwd,
      ['undo', '-i'],
      [
        ['What shall be undone', keys],
        ['What about it', [DOWN, DOWN, RETURN]],
        ['Undo 1 transaction', [RETURN]],
      ],
    )
    expect(yes.code, yes.stdout).toBe(0)
    expect(existsSync(`${cwd}/b.txt`)).toBe(false)
    expect(readFileSync(`${cwd}/c.txt`, 'utf8')).toBe('two\n')
  })
})

describe('without a terminal', () => {
  test('it says so, and what to do', async () => {
    const cwd = await prepared()
    const run = await runNode([MAIN, 'undo', '-i'], { cwd })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(/^error: There is no terminal.*\nhint: .*--prompt.*\n$/)
    expect((await journal(['undo', '-i', '--json'], { cwd })).code).toBe(2)
    expect((await journal(['undo', '-i', 'head'], { cwd })).code).toBe(2)
    expect(await newest(cwd)).toBe(3)
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, test, vi } from 'vitest'
import { commit, errorOf, journal, journalLines, MAIN, temporaryFolder, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 60_000 })

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** A `journal` that runs on beside the test. */
class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly closed: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>

  constructor(cwd: string, args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    running.push(this.child)
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk
    })
    this.closed = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })))
  }

  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  async has(count: number): Promise<void> {
    for (let turn = 0; turn < 4000 && this.lines.length < count; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    if (this.lines.length < count) throw new Error(`only ${this.lines.length} lines came: ${this.stderr}`)
  }
}

async function prepared(count: number): Promise<string> {
  const cwd = await workspace()
  for (let n = 1; n <= count; n += 1) await commit(cwd, { 'a.txt': String(n) }, { message: `step ${n}` })
  return cwd
}

const seqs = (lines: readonly { readonly seq?: unknown }[]) => lines.map(({ seq }) => seq)

describe('tail', () => {
  test('the newest, oldest first', async ({ expect }) => {
    const cwd = await prepared(12)
    const lines = await journalLines(['tail'], { cwd })
    expect(seqs(lines)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(lines.at(-1)).toEqual((await journalLines(['log', '-n', '1'], { cwd }))[0])
    expect(seqs(await journalLines(['tail', '-n', '2'], { cwd }))).toEqual([11, 12])
    expect(seqs(await journalLines(['tail', '--from', '10'], { cwd }))).toEqual([11, 12])
    expect(await journalLines(['tail', '--from', 'now'], { cwd })).toEqual([])
    expect(seqs(await journalLines(['tail', '--from', 'beginning'], { cwd }))).toHaveLength(12)
    expect((await journal(['tail', '-n', '1'], { cwd })).stdout).toMatch(/^t[0-9a-z]{15}\t12\t.*\tstep 12\t1\n$/)
  })

  test('--follow goes on, and ends when it is interrupted', async ({ expect }) => {
    const cwd = await prepared(3)
    const all = new Running(cwd, ['tail', '-f', '--json'])
    const two = new Running(cwd, ['tail', '-f', '-n', '1'])
    const now = new Running(cwd, ['tail', '--follow', '--from', 'now', '--json'])
    await all.has(3)
    await two.has(1)
    for (let n = 4; n <= 6; n += 1) await commit(cwd, { 'a.txt': String(n) }, { message: `step ${n}` })
    await all.has(6)
    await two.has(4)
    const read = (lines: readonly string[]) => seqs(lines.map((line) => JSON.parse(line) as { seq: number }))
    expect(read(all.lines)).toEqual([1, 2, 3, 4, 5, 6])
    expect(two.lines.map((line) => line.split('\t')[1])).toEqual(['3', '4', '5', '6'])
    for (const [follower, signal] of [
      [all, 'SIGINT'],
      [two, 'SIGTERM'],
    ] as const) {
      follower.child.kill(signal)
      expect(await follower.closed).toEqual({ code: 0, signal: null })
      expect(follower.stderr).toBe('')
    }
    // When it began nobody knows; that it has the last, everybody.
    await commit(cwd, { 'a.txt': '7' })
    await now.has(1)
    expect(read(now.lines).at(-1)).toBe(7)
  })

  test('whoever reads may go away', async ({ expect }) => {
    const cwd = await prepared(3)
    const follower = new Running(cwd, ['tail', '-f', '--json'])
    await follower.has(1)
    follower.child.stdout?.destroy()
    await commit(cwd, { 'a.txt': 'x' })
    await commit(cwd, { 'a.txt': 'y' })
    expect(await follower.closed).toEqual({ code: 0, signal: null })
    expect(follower.stderr).toBe('')
  })

  test('bad input', async ({ expect }) => {
    const cwd = await prepared(1)
    expect((await journal(['tail', '-n', '0'], { cwd })).code).toBe(2)
    expect((await journal(['tail', '-n', '1', '--from', '1'], { cwd })).code).toBe(2)
    for (const args of [
      ['tail', '--from', '9'],
      ['tail', '-f', '--from', '9'],
      ['tail', '-f', '--from', 'tzzzz'],
    ])
      expect(errorOf(await journal([...args, '--json'], { cwd })).code).toBe('NOT_FOUND')
    expect(errorOf(await journal(['tail', '--from', 'whenever', '--json'], { cwd })).code).toBe('INVALID')
    const empty = temporaryFolder()
    writeFileSync(path.join(empty, 'x'), '')
    expect(errorOf(await journal(['tail', '-f', '--json', '--root', empty], { cwd: empty })).code).toBe('NOT_FOUND')
  })
})

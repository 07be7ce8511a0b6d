import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import { commit, errorOf, journal, journalObject, LIBRARY, MAIN, runNode, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

interface Report {
  readonly replayed: string[]
  readonly reverted: string[]
  readonly discarded: string[]
  readonly conflicts: { tx: string; path: string }[]
  readonly tornBytes: number
}

const NOTHING: Report = { replayed: [], reverted: [], discarded: [], conflicts: [], tornBytes: 0 }

/**
 * A workspace as a crash leaves it: `a.txt` was `before`, then a transaction made it `after` and added `b.txt`; it is in the
 * log, but neither file was written.
 */
async function crashed(): Promise<{ cwd: string; tx: string }> {
  const cwd = await workspace()
  await commit(cwd, { 'a.txt': 'before' })
  const program = `
    import { openJournal } from ${JSON.stringify(LIBRARY)}
    const journal = await openJournal('.')
    const { tx } = await journal.transact({}, async (tx) => {
      await tx.write('a.txt', 'after')
      await tx.write('b.txt', 'after')
    })
    process.stdout.write(tx, () => process.kill(process.pid, 'SIGKILL'))
    await new Promise((resolve) => setTimeout(resolve, 60_000))`
  const { stdout } = await runNode(['--input-type=module', '-e', program], { cwd })
  writeFileSync(path.join(cwd, 'a.txt'), 'before')
  unlinkSync(path.join(cwd, 'b.txt'))
  return { cwd, tx: stdout }
}

describe.concurrent('recover', () => {
  test('has nothing to do after a clean end', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    expect(await journalObject<Report>(['recover', '--dry-run'], { cwd })).toEqual(NOTHING)
    expect(await journalObject<Report>(['recover'], { cwd })).toEqual(NOTHING)
    expect((await journal(['recover'], { cwd })).stdout).toBe('Nothing was left to recover.\n')
  })

  test('shows what it would do, and finishes the transaction', async ({ expect }) => {
    const { cwd, tx } = await crashed()
    const preview = await journalObject<Report>(['recover', '--dry-run'], { cwd })
    expect(preview).toMatchObject({ replayed: [tx], reverted: [], conflicts: [] })
    expect(Object.keys(preview)).toEqual(['replayed', 'reverted', 'discarded', 'conflicts', 'tornBytes'])
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('before')
    expect(await journalObject<Report>(['recover'], { cwd })).toMatchObject({
      replayed: [tx],
      reverted: [],
      conflicts: [],
    })
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('after')
    expect(readFileSync(path.join(cwd, 'b.txt'), 'utf8')).toBe('after')
    expect(await journalObject<Report>(['recover'], { cwd })).toMatchObject({ replayed: [], conflicts: [] })
  })

  test('takes it back with --revert', async ({ expect }) => {
    const { cwd, tx } = await crashed()
    expect(await journalObject<Report>(['recover', '--dry-run', '--revert'], { cwd })).toMatchObject({
      replayed: [],
      reverted: [tx],
    })
    const run = await journal(['recover', '--revert'], { cwd })
    expect(run.code).toBe(0)
    expect(run.stdout).toContain(`taken back: ${tx}`)
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('before')
    expect(existsSync(path.join(cwd, 'b.txt'))).toBe(false)
  })

  test('leaves alone what somebody changed, and says so: exit code 3', async ({ expect }) => {
    const { cwd, tx } = await crashed()
    writeFileSync(path.join(cwd, 'a.txt'), 'by hand')
    const run = await journal(['recover', '--json'], { cwd })
    expect(run.code).toBe(3)
    expect(JSON.parse(run.stdout)).toMatchObject({ conflicts: [{ tx, path: 'a.txt' }] })
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('by hand')
    expect(readFileSync(path.join(cwd, 'b.txt'), 'utf8')).toBe('after')
  })

  test('comes first for whatever compares with the workspace: exit code 6', async ({ expect }) => {
    const { cwd, tx } = await crashed()
    const commands = [['diff'], ['restore', '--to', '1', '--dry-run'], ['restore', '--to', '1']]
    for (const args of commands) {
      const run = await journal([...args, '--json'], { cwd })
      expect(run, args.join(' ')).toMatchObject({ code: 6, stdout: '' })
      expect(errorOf(run)).toMatchObject({ code: 'NEEDS_RECOVERY', hint: expect.stringContaining('journal recover') })
    }
    expect(await journalObject(['status'], { cwd })).toMatchObject({ needsRecovery: true, inFlight: [tx] })
    expect((await journal(['status'], { cwd })).stdout).toContain('journal recover')
    expect((await journal(['log'], { cwd })).code).toBe(0)
    expect((await journal(['cat', 'b.txt'], { cwd })).stdout).toBe('after')
  })

  test('happens by itself before the next write, and is mentioned', async ({ expect }) => {
    const { cwd } = await crashed()
    const run = await journal(['write', 'c.txt'], { cwd, input: 'c' })
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('Recovered 1 transaction')
    expect(readFileSync(path.join(cwd, 'b.txt'), 'utf8')).toBe('after')
  })
})

describe.concurrent('beside another process', () => {
  test('that shares the journal, commands write through it', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    const program = `
      import { openJournal } from ${JSON.stringify(LIBRARY)}
      const journal = await openJournal('.')
      console.log('open')
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(holder.stdout, 'data')
      const run = await journal(['write', 'b.txt', '--json'], { cwd, input: 'b' })
      expect(run.code).toBe(0)
      const status = await journalObject<{ writer: { pid: number }; seq: number }>(['status'], { cwd })
      expect(status.writer.pid).toBe(holder.pid)
      expect((await journal(['undo', 'head'], { cwd })).code).toBe(0)
      expect(existsSync(path.join(cwd, 'b.txt'))).toBe(false)
      expect((await journal(['compact'], { cwd })).code).toBe(0)
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'close')
    }
    expect((await journal(['verify'], { cwd })).code).toBe(0)
  })

  test('a second writer is refused with the process id, readers are not, and a killed holder is no hindrance', async ({
    expect,
  }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    const program = `
      import { openJournal } from ${JSON.stringify(LIBRARY)}
      await openJournal('.', { shared: false })
      console.log('open')
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(holder.stdout, 'data')
      const run = await journal(['write', 'b.txt', '--json'], { cwd, input: 'b' })
      expect(run.code).toBe(5)
      expect(errorOf(run)).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(String(holder.pid)) })
      expect(existsSync(path.join(cwd, 'b.txt'))).toBe(false)
      const status = await journalObject<{ writer: { pid: number } }>(['status'], { cwd })
      expect(status.writer.pid).toBe(holder.pid)
      expect((await journal(['cat', 'a.txt'], { cwd })).stdout).toBe('a')
      expect((await journal(['log'], { cwd })).code).toBe(0)
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'close')
    }
    expect((await journal(['write', 'b.txt'], { cwd, input: 'b' })).code).toBe(0)
  })

  test('an interruption while a content comes in leaves nothing behind', async ({ expect }) => {
    const cwd = await workspace()
    const child = spawn(process.execPath, [MAIN, 'write', 'a.txt', '--json'], { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {})
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.stdin.write(Buffer.alloc(8 * 1024 * 1024))
    const staging = path.join(cwd, '.journal', 'staging')
    while (readdirSync(staging).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'ABORTED' })
    expect(existsSync(path.join(cwd, 'a.txt'))).toBe(false)
    expect(await journalObject(['status'], { cwd })).toMatchObject({ seq: 0, changed: [], writer: null })
  })
})

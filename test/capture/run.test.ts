import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { journal as cli, errorOf, journalLines, MAIN } from '../cli/journal-process.ts'
import { ground, scratch, tree } from './ground.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Waits until something is so. */
async function until(what: string, is: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !is(); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function initialized(files: Record<string, string> = {}): Promise<string> {
  const root = scratch()
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(root, name), content)
  expect(await cli(['init'], { cwd: root })).toMatchObject({ code: 0 })
  return root
}

interface Line {
  readonly tx: string
  readonly message: string
  readonly tags?: readonly string[]
  readonly parent?: string
  readonly files: readonly { path: string }[]
}

describe('journal.run', () => {
  it('records what a failing command did, says how it ended, and takes it back', async () => {
    const { journal, root, write } = await ground()
    write('a.txt', 'one')
    const before = tree(root)
    const result = await journal.run(
      'sh',
      ['-c', 'echo said; echo two > a.txt; mkdir d; echo x > d/x; echo oh >&2; exit 7'],
      {
        message: 'try it',
        tags: ['mine'],
        actor: 'robot',
      },
    )
    expect(result).toMatchObject({ exitCode: 7, signal: null, timedOut: false, stdout: 'said\n', stderr: 'oh\n' })
    expect(result.baseline).toHaveLength(1)
    const commit = await journal.show(result.receipt?.tx ?? '')
    expect(commit).toMatchObject({ actor: 'robot', tags: ['mine', 'run', 'exit:7'] })
    expect(commit.message).toBe(`try it\n\n$ ${result.command}`)
    await journal.undo(commit.tx)
    expect(tree(root)).toEqual(before)
  })

  it('records nothing of a command that changes nothing', async () => {
    const { journal } = await ground()
    expect(await journal.run('true')).toMatchObject({ exitCode: 0, receipt: null, receipts: [], baseline: [] })
    expect((await journal.status()).seq).toBe(0)
  })

  it('ends a command, and what that started, when its time is over or it is no longer wanted', async () => {
    const { journal, has, read } = await ground()
    const script = 'trap "" TERM; echo begun > f; (sleep 30; echo late > g) & sleep 30'
    const late = await journal.run('bash', ['-c', script], { timeoutMs: 300, killAfterMs: 100 })
    expect(late).toMatchObject({ timedOut: true, signal: 'SIGKILL', exitCode: null })
    expect((await journal.show(late.receipt?.tx ?? '')).tags).toEqual(['run', 'signal:SIGKILL', 'timeout'])
    const wanted = new AbortController()
    setTimeout(() => wanted.abort(), 200)
    const ended = await journal.run('sh', ['-c', 'echo more >> f; exec sleep 30'], { signal: wanted.signal })
    expect(ended).toMatchObject({ signal: 'SIGTERM', timedOut: false })
    expect(ended.receipt?.files).toHaveLength(1)
    expect(read('f')).toBe('begun\nmore\n')
    expect(has('g')).toBe(false)
  })

  it('does not wait for what a command leaves running', async () => {
    const { journal } = await ground()
    const started = Date.now()
    await journal.run('sh', ['-c', 'sleep 20 & echo done > f'])
    expect(Date.now() - started).toBeLessThan(15_000)
  })

  it('keeps the end of a long output', async () => {
    const { journal } = await ground()
    const { stdout, truncated } = await journal.run('seq', ['100000'], { outputBytes: 1000 })
    expect(stdout).toHaveLength(1000)
    expect(stdout.endsWith('99999\n100000\n')).toBe(true)
    expect(truncated).toBe(true)
  })

  it('gives it what it is to read, where it is to run, and variables', async () => {
    const { journal, sh, root } = await ground()
    sh('mkdir sub')
    const { stdout } = await journal.run('cat; pwd; echo $GIVEN', [], {
      shell: true,
      input: 'read\n',
      cwd: 'sub',
      env: { GIVEN: 'given' },
    })
    expect(stdout).toBe(`read\n${root}/sub\ngiven\n`)
  })

  it('refuses what is no command, and changes nothing', async () => {
    const { journal, root, write, sh } = await ground()
    write('file', 'x')
    sh(`ln -s ${scratch()} out`)
    const before = tree(root)
    const code = async (running: Promise<unknown>): Promise<unknown> =>
      running.then(
        () => 'ok',
        (error: { code: string }) => error.code,
      )
    expect(await code(journal.run(''))).toBe('INVALID')
    expect(await code(journal.run('  '))).toBe('INVALID')
    expect(await code(journal.run('ls', 'x' as never))).toBe('INVALID')
    expect(await code(journal.run('ls', [1] as never))).toBe('INVALID')
    expect(await code(journal.run('ls', ['a\0b']))).toBe('INVALID')
    expect(await code(journal.run('no-such-command-here'))).toBe('NOT_FOUND')
    expect(await code(journal.run('./file'))).toBe('PERMISSION')
    expect(await code(journal.run('ls', [], { cwd: '..' }))).toBe('PATH_OUTSIDE')
    expect(await code(journal.run('ls', [], { cwd: 'out' }))).toBe('PATH_OUTSIDE')
    expect(await code(journal.run('ls', [], { cwd: 'missing' }))).toBe('NOT_FOUND')
    expect(await code(journal.run('ls', [], { cwd: 'file' }))).toBe('INVALID')
    expect(await code(journal.run('ls', [], { timeoutMs: -1 }))).toBe('INVALID')
    expect(tree(root)).toEqual(before)
  })
})

describe('journal run', () => {
  it('ends with the exit code of the command, and 127, 126, 124 as shells have them', async () => {
    const root = await initialized({ plain: 'no program' })
    const code = async (...args: string[]): Promise<number | null> => (await cli(['run', ...args], { cwd: root })).code
    expect(await code('--', 'sh', '-c', 'exit 0')).toBe(0)
    expect(await code('--', 'sh', '-c', 'exit 42')).toBe(42)
    expect(await code('sh', '-c', 'exit 43')).toBe(43)
    expect(await code('--', 'sh', '-c', 'kill -9 $$')).toBe(137)
    expect(await code('--', 'nowhere-to-be-found')).toBe(127)
    expect(await code('--', './plain')).toBe(126)
    expect(await code('--timeout', '1', '--', 'sleep', '30')).toBe(124)
    expect(await code('--')).toBe(2)
    expect(await code('--', '')).toBe(1)
    expect(await code('--cwd', '..', '--', 'ls')).toBe(1)
  })

  it('leaves standard output to the command, or to the JSON', async () => {
    const root = await initialized()
    const plain = await cli(['run', '--', 'echo', 'hello'], { cwd: root })
    expect(plain.stdout).toBe('hello\n')
    const json = await cli(['run', '--json', '--shell', 'echo hello && echo x > f && false'], { cwd: root })
    expect(json).toMatchObject({ code: 1, stderr: 'hello\n' })
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ command: 'echo hello && echo x > f && false', exitCode: 1, signal: null, timedOut: false },
      receipt: { files: [{ path: 'f', before: null }] },
    })
    const failed = await cli(['run', '--json', '--', 'nowhere-to-be-found'], { cwd: root })
    expect(errorOf(failed)).toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('hands %s on, and records what was done until then', async (signal) => {
    const root = await initialized({ a: 'a' })
    const script = 'echo changed > a; touch ready; exec sleep 60'
    const child = spawn(process.execPath, [MAIN, 'run', '--', 'bash', '-c', script], { cwd: root, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await until('the command has begun', () => fs.existsSync(path.join(root, 'ready')))
    child.kill(signal)
    expect(await ended).toBe(signal === 'SIGINT' ? 130 : 143)
    const [newest] = await journalLines<Line>(['log'], { cwd: root })
    expect(newest?.tags).toEqual(['run', `signal:${signal}`])
    expect(newest?.files.map((file) => file.path)).toEqual(['a', 'ready'])
  })

  it('finds with the next look what a killed journal did not record', async () => {
    const root = await initialized({ a: 'a', gone: 'gone' })
    const script = 'echo changed > a; rm gone; touch ready; exec sleep 3'
    const child = spawn(process.execPath, [MAIN, 'run', '--', 'bash', '-c', script], { cwd: root, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await until('the command has begun', () => fs.existsSync(path.join(root, 'ready')))
    child.kill('SIGKILL')
    await ended
    const [status] = await journalLines<{ changed: { path: string; change: string }[] }>(['status'], { cwd: root })
    expect(status?.changed.map(({ path: name, change }) => [name, change])).toEqual([
      ['a', 'modified'],
      ['gone', 'missing'],
    ])
    // It has its earlier contents all the same.
    expect((await cli(['cat', 'gone'], { cwd: root })).stdout).toBe('gone')
    const { journal } = await ground({}, root)
    const { receipt } = await journal.collect({ message: 'after the kill' })
    expect(receipt?.files.map((file) => file.path)).toEqual(['a', 'gone', 'ready'])
    await journal.undo(receipt?.tx ?? '')
    expect(tree(root)).toMatchObject({ a: expect.stringContaining('YQ=='), gone: expect.anything() })
  })

  it('can be run within itself, and with other commands of the journal: nothing is lost, nothing counts as having been there', async () => {
    const root = await initialized({ a: 'a' })
    const before = tree(root)
    const journal = `"${process.execPath}" "${MAIN}"`
    const inner = `${journal} run --shell 'echo inner > inner'`
    const script = `echo outer > outer; ${inner}; echo b | ${journal} write b; echo late > late`
    expect(await cli(['run', '--shell', script], { cwd: root })).toMatchObject({ code: 0 })
    const lines = await journalLines<Line>(['log'], { cwd: root })
    expect(lines.map(({ files }) => files.map((file) => file.path))).toEqual([
      ['late'],
      ['b'],
      ['inner'],
      ['outer'],
      ['a'],
    ])
    const [late, , first, second] = lines
    expect(late?.parent).toMatch(/^run-/)
    expect([first?.parent, second?.parent]).toEqual([late?.parent, late?.parent])
    for (const { tx } of lines.slice(0, 4)) expect(await cli(['undo', tx], { cwd: root })).toMatchObject({ code: 0 })
    expect(tree(root)).toEqual(before)
  })
})

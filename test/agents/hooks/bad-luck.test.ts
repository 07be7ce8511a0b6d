/** A hook never fails and never says anything, whatever it gets and whatever has become of its helper. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { helperAddress } from '../../../src/agents/hooks/address.ts'
import { askHelper } from '../../../src/agents/hooks/ask-helper.ts'
import { openJournal } from '../../../src/index.ts'
import { MAIN, type Run, temporaryFolder, workspace } from '../../cli/journal-process.ts'
import { helperOf, historyOf, openedAlone, SimulatedSession, tracesIn, treeOf, undoPrompts } from './simulator.ts'

const SILENT: Run = { code: 0, stdout: '', stderr: '' }
const WINDOWS = process.platform === 'win32'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function waitFor(what: () => boolean): Promise<void> {
  for (const until = Date.now() + 20_000; !what(); ) {
    if (Date.now() > until) throw new Error(`It did not come to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function addressOf(root: string): string {
  return helperAddress(root) as string
}

describe('an input that is none', () => {
  it.each([
    ['', 'nothing came on standard input'],
    ['{"hook_event_name":', 'no JSON'],
    ['{"hook_event_name":"PreToolUse"}', 'no session_id'],
    [new Uint8Array([0, 0xff, 0xfe, 0x80]), 'no JSON'],
  ])('leaves a trace: %j', async (input, reason) => {
    const root = await workspace()
    expect(await new SimulatedSession(root).raw(input)).toEqual(SILENT)
    expect(tracesIn(root)).toMatchObject([{ event: 'unknown', message: expect.stringContaining(reason) }])
    expect(existsSync(addressOf(root))).toBe(false)
  })

  it.each(['PreCompact', 'Notification', 'SomethingNew'])(
    'the journal has no use for is left alone: %s',
    async (name) => {
      const root = await workspace()
      expect(await new SimulatedSession(root).hook(name)).toEqual(SILENT)
      expect(tracesIn(root)).toEqual([])
    },
  )

  it('has an argument of 100 MB', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    const file = path.join(root, 'large.txt')
    const call = session.call('Write', { file_path: file, content: 'x'.repeat(100_000_000) })
    expect(await session.pre(call)).toEqual(SILENT)
    writeFileSync(file, 'x'.repeat(1000))
    expect(await session.post({ ...call, tool_input: { file_path: file } })).toEqual(SILENT)
    await session.settled()
    expect(await historyOf(root)).toMatchObject([{ tags: expect.arrayContaining([`call:${call.tool_use_id}`]) }])
  })
})

describe('where there is nothing to journal', () => {
  it('nothing is made', async () => {
    const folder = temporaryFolder()
    const session = new SimulatedSession(folder)
    for (const run of [await session.start(), await session.prompt('x'), await session.write('a.txt', 'a')]) {
      expect('code' in run ? run : SILENT).toEqual(SILENT)
    }
    expect(session.runs.every(({ code, stdout, stderr }) => code === 0 && stdout + stderr === '')).toBe(true)
    expect(Object.keys(treeOf(folder))).toEqual(['a.txt'])
    expect(existsSync(path.join(folder, '.journal'))).toBe(false)
  })

  it('a journal is made when that is asked for, but not of a whole home', async () => {
    const folder = temporaryFolder()
    const session = new SimulatedSession(folder)
    const start = session.input('SessionStart', { source: 'startup' })
    expect(await session.raw(start, ['--init'], { HOME: folder, USERPROFILE: folder })).toEqual(SILENT)
    expect(existsSync(path.join(folder, '.journal'))).toBe(false)
    writeFileSync(path.join(folder, 'a.txt'), 'before')
    expect(await session.raw(start, ['--init'])).toEqual(SILENT)
    await session.settled()
    expect(await historyOf(folder)).toMatchObject([{ actor: 'outside', entries: [{ path: 'a.txt' }] }])
  })

  it('paths outside of the workspace, in its journal, or of nothing are left alone', async () => {
    const root = await workspace()
    const elsewhere = temporaryFolder()
    symlinkSync(elsewhere, path.join(root, 'out'))
    const session = new SimulatedSession(root)
    const files = [path.join(elsewhere, 'x.txt'), path.join(root, '.journal', 'x'), path.join(root, 'out', 'y.txt')]
    for (const file_path of [...files, path.join(root, 'never', 'made.txt'), '/', root]) {
      const call = session.call('Write', { file_path, content: 'x' })
      expect(await session.pre(call)).toEqual(SILENT)
      if (files.includes(file_path)) session.act(call)
      expect(await session.post(call)).toEqual(SILENT)
    }
    await session.settled()
    const paths = (await historyOf(root)).flatMap(({ entries }) => entries.map((entry) => entry.path))
    expect(paths.filter((found) => found !== 'out')).toEqual([])
    expect(tracesIn(root)).toEqual([])
    expect(readFileSync(path.join(elsewhere, 'x.txt'), 'utf8')).toBe('x')
  })
})

describe('the journal', () => {
  it('that somebody else writes for long leaves traces, and the next look finds what was done', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    await session.settled()
    const other = await openedAlone(root)
    const call = session.call('Bash', { command: 'x' })
    try {
      expect(await session.pre(call)).toEqual(SILENT)
      writeFileSync(path.join(root, 'x.txt'), 'x')
      for (let at = 0; at < 3; at += 1)
        expect(await session.pre(session.call('Bash', { command: 'y' }))).toEqual(SILENT)
      expect(tracesIn(root)).toMatchObject(new Array(4).fill({ event: 'PreToolUse', tool: 'Bash', code: 'LOCKED' }))
    } finally {
      await other.close()
    }
    await session.bash('true')
    await session.settled()
    expect((await historyOf(root)).flatMap(({ entries }) => entries.map((entry) => entry.path))).toEqual(['x.txt'])
  })

  it('is free for a command that a tool runs', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Use the journal', 'prompt-1')
    for (let at = 0; at < 5; at += 1) {
      const call = session.call('Bash', {
        command: `echo ${at} | '${process.execPath}' '${MAIN}' write by-journal.txt`,
      })
      await session.pre(call)
      expect(session.act(call)).toBe(false)
      await session.post(call)
    }
    await session.settled()
    expect((await historyOf(root)).filter(({ kind }) => kind === 'write')).toHaveLength(5)
    expect(tracesIn(root)).toEqual([])
  })

  it('that was damaged leaves traces and nothing else', async () => {
    const root = await workspace()
    writeFileSync(path.join(root, '.journal', 'FORMAT'), '{"format":"write-journal","version":999,"journal":"x"}')
    const session = new SimulatedSession(root)
    await session.write('a.txt', 'a')
    await session.settled()
    expect(session.runs.every(({ code, stdout, stderr }) => code === 0 && stdout + stderr === '')).toBe(true)
    expect(tracesIn(root).length).toBeGreaterThan(0)
    expect(readFileSync(path.join(root, 'a.txt'), 'utf8')).toBe('a')
  })

  it.skipIf(WINDOWS).each(['hooks', 'hooks/calls', 'hooks.log'])(
    'writes through no link that stands in it: %s',
    async (name) => {
      const root = await workspace()
      const elsewhere = temporaryFolder()
      const target = path.join(elsewhere, 'target')
      if (name.endsWith('.log')) writeFileSync(target, 'mine\n')
      else mkdirSync(target)
      mkdirSync(path.dirname(path.join(root, '.journal', name)), { recursive: true })
      symlinkSync(target, path.join(root, '.journal', name))
      const before = treeOf(elsewhere)
      const session = new SimulatedSession(root)
      await session.raw('{')
      await session.write('a.txt', 'a')
      await session.settled()
      expect(session.runs.every(({ code, stdout, stderr }) => code === 0 && stdout + stderr === '')).toBe(true)
      expect(treeOf(elsewhere)).toEqual(before)
      if (!name.endsWith('.log'))
        expect(tracesIn(root)).toContainEqual(expect.objectContaining({ event: 'PreToolUse' }))
    },
  )

  it('has a trace of bounded length', async () => {
    const root = await workspace()
    const trace = path.join(root, '.journal', 'hooks.log')
    writeFileSync(trace, `${'x'.repeat(200_000)}\n`)
    await new SimulatedSession(root).raw('{')
    expect(statSync(trace).size).toBeLessThan(1000)
    expect(statSync(`${trace}.1`).size).toBe(200_001)
  })
})

describe('the helper', () => {
  it('is one, however many hooks begin at once', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    const runs = await Promise.all(Array.from({ length: 6 }, () => session.start()))
    expect(runs).toEqual(new Array(6).fill(SILENT))
    const pid = await helperOf(root)
    await session.prompt('x')
    expect(await helperOf(root)).toBe(pid)
    expect(tracesIn(root)).toEqual([])
  })

  it('ends soon after the last session, and takes its socket along', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    const pid = await helperOf(root)
    await session.end()
    await waitFor(() => !isAlive(pid) && !existsSync(addressOf(root)))
  })

  it('ends when its workspace is removed', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    await session.settled()
    const pid = await helperOf(root)
    // It has let go of the journal.
    await (await openedAlone(root)).close()
    rmSync(root, { recursive: true, force: true, maxRetries: 10 })
    await waitFor(() => !isAlive(pid))
  })

  it.skipIf(WINDOWS)('takes the place of one that was killed, whose socket is still there', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    const pid = await helperOf(root)
    process.kill(pid, 'SIGKILL')
    await waitFor(() => !isAlive(pid))
    expect(existsSync(addressOf(root))).toBe(true)
    await session.write('a.txt', 'a')
    await session.settled()
    expect(await helperOf(root)).not.toBe(pid)
    expect((await historyOf(root)).map(({ message }) => message)).toEqual(['Write a.txt'])
  })

  it.skipIf(WINDOWS)('takes the place of a file that stands where its socket should', async () => {
    const root = await workspace()
    mkdirSync(path.dirname(addressOf(root)), { recursive: true })
    writeFileSync(addressOf(root), 'no socket')
    const session = new SimulatedSession(root)
    await session.write('a.txt', 'a')
    await session.settled()
    expect((await historyOf(root)).map(({ message }) => message)).toEqual(['Write a.txt'])
  })

  it('of an older version makes room for a newer', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    const pid = await helperOf(root)
    const ask = (version: string) => askHelper(addressOf(root), { version, root, event: null }, 5_000)
    expect(await ask('0.0.1')).toMatchObject({ done: true, pid })
    expect(await ask('99.0.0')).toEqual({ ending: true })
    await session.write('a.txt', 'a')
    await session.settled()
    expect(await helperOf(root)).not.toBe(pid)
    expect((await historyOf(root)).map(({ message }) => message)).toEqual(['Write a.txt'])
    expect(session.runs.every(({ code }) => code === 0)).toBe(true)
  })

  it.skipIf(WINDOWS)('that is frozen is not waited for to report what was done', async () => {
    const root = await workspace()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Freeze', 'prompt-1')
    const call = session.call('Write', { file_path: path.join(root, 'a.txt'), content: 'a' })
    await session.pre(call)
    session.act(call)
    const pid = await helperOf(root)
    process.kill(pid, 'SIGSTOP')
    try {
      expect(await session.post(call)).toEqual(SILENT)
      expect(tracesIn(root)).toMatchObject([
        { event: 'PostToolUse', message: expect.stringContaining('did not answer') },
      ])
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await session.end()
    await session.settled()
    expect(await undoPrompts(root, ['prompt-1'])).toBe(1)
    expect(treeOf(root)).toEqual({})
  })

  it.each(['', 'x', '{}\n', 'null\n', '[1]\n', '{"root":7,"version":null}\n', `${'x'.repeat(200_000)}\n`])(
    'is not moved by rubbish on its socket: %#',
    async (rubbish) => {
      const root = await workspace()
      await new SimulatedSession(root).start()
      const pid = await helperOf(root)
      await new Promise<void>((resolve) => {
        const socket = connect(addressOf(root), () => socket.end(rubbish))
        socket.on('error', () => undefined)
        socket.resume()
        socket.on('close', () => resolve())
      })
      expect(await helperOf(root)).toBe(pid)
      expect(tracesIn(root)).toEqual([])
    },
  )

  it.skipIf(WINDOWS)('listens elsewhere when the path is too long for a socket', async () => {
    const folder = temporaryFolder()
    const root = path.join(folder, 'x'.repeat(120))
    mkdirSync(root)
    await (await openJournal(root)).close()
    expect(addressOf(root).length).toBeLessThan(108)
    expect(statSync(path.dirname(addressOf(root))).mode & 0o077).toBe(0)
    const session = new SimulatedSession(root)
    await session.write('a.txt', 'a')
    await session.settled()
    expect((await historyOf(root)).map(({ message }) => message)).toEqual(['Write a.txt'])
    expect(existsSync(addressOf(root))).toBe(true)
  })

  it.skipIf(WINDOWS)('is done without where there is no place for a socket', async () => {
    const folder = temporaryFolder()
    const root = path.join(folder, 'x'.repeat(120))
    const TMPDIR = path.join(folder, 'y'.repeat(120))
    for (const made of [root, TMPDIR]) mkdirSync(made)
    await (await openJournal(root)).close()
    const session = new SimulatedSession(root)
    const file = path.join(root, 'a.txt')
    writeFileSync(file, 'before')
    const call = session.call('Write', { file_path: file, content: 'after' })
    const env = { TMPDIR }
    expect(await session.raw(session.input('UserPromptSubmit', { prompt: 'x' }), [], env)).toEqual(SILENT)
    expect(await session.raw(session.input('PreToolUse', { ...call }), [], env)).toEqual(SILENT)
    session.act(call)
    expect(await session.raw(session.input('PostToolUse', { ...call }), [], env)).toEqual(SILENT)
    const history = await historyOf(root)
    expect(history.map(({ actor, message }) => [actor, message])).toEqual([
      ['outside', 'changed outside of Claude Code'],
      ['claude-code', 'Write a.txt'],
    ])
    await undoPrompts(root, [history[1]?.parent as string])
    expect(readFileSync(file, 'utf8')).toBe('before')
  })

  it.skipIf(WINDOWS)('is not looked for in a folder that somebody else may enter', () => {
    const folder = temporaryFolder()
    const root = `/${'x'.repeat(120)}`
    const near = path.join(folder, `write-journal-${process.getuid?.()}`)
    mkdirSync(near, { mode: 0o755 })
    expect(helperAddress(root, folder)).toBeNull()
    rmSync(near, { recursive: true })
    symlinkSync(temporaryFolder(), near)
    expect(helperAddress(root, folder)).toBeNull()
    rmSync(near)
    expect(helperAddress(root, folder)).toContain(near)
  })
})

describe('standard input', () => {
  it('that never ends is ended by whoever waits for it', async () => {
    const root = await workspace()
    const child = spawn(process.execPath, [MAIN, 'hook'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.write('{"hook_event_name":"PreToolUse"')
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(child.exitCode).toBeNull()
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('close', resolve))
    expect(existsSync(path.join(root, '.journal', 'hooks'))).toBe(false)
  })
})

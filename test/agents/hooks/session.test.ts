/** Whole sessions, as Claude Code plays them to hooks that are processes of their own. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ChainedCommit } from '../../../src/entry/commit.ts'
import { workspace } from '../../cli/journal-process.ts'
import { helperOf, historyOf, killedHook, SimulatedSession, tracesIn, treeOf, undoPrompts } from './simulator.ts'

/** A workspace with files that no journal has heard of. */
async function project(): Promise<string> {
  const root = await workspace()
  mkdirSync(path.join(root, 'src'))
  writeFileSync(path.join(root, 'src/a.ts'), 'export const a = 1\r\n')
  writeFileSync(path.join(root, 'src/b.ts'), 'export const b = 1\nexport const c = 1\n')
  writeFileSync(path.join(root, 'run.sh'), '#!/bin/sh\n')
  chmodSync(path.join(root, 'run.sh'), 0o755)
  symlinkSync('src/a.ts', path.join(root, 'link'))
  const cell = { cell_type: 'code', id: 'one', source: ['1'], outputs: [], execution_count: null, metadata: {} }
  const notebook = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 }
  writeFileSync(path.join(root, 'n.ipynb'), JSON.stringify(notebook, null, 1))
  return root
}

/** What was put down to one call. */
function ofCall(history: readonly ChainedCommit[], id: string): ChainedCommit[] {
  return history.filter(({ tags }) => tags?.includes(`call:${id}`))
}

function pathsOf(commits: readonly ChainedCommit[]): string[] {
  return commits.flatMap(({ entries }) => entries.map((entry) => (entry.op === 'note' ? '' : entry.path))).sort()
}

function expectSilence({ runs }: SimulatedSession): void {
  expect(runs.filter(({ code, stdout, stderr }) => code !== 0 || stdout !== '' || stderr !== '')).toEqual([])
}

describe('a session', () => {
  it('is in the history with its ids, and can be taken back byte for byte', async () => {
    const root = await project()
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Rename everything\nand tidy up')
    const write = await session.write('src/new/deep.ts', 'export {}\n')
    const edit = await session.edit('src/a.ts', '= 1', '= 2')
    const both = [
      { old_string: 'b = 1', new_string: 'b = 2' },
      { old_string: 'c = 1', new_string: 'c = 3' },
    ]
    const multi = await session.use(session.call('MultiEdit', { file_path: path.join(root, 'src/b.ts'), edits: both }))
    const cell = { notebook_path: path.join(root, 'n.ipynb'), new_source: '2', cell_id: 'one' }
    const notebook = await session.use(session.call('NotebookEdit', cell))
    const removing = await session.bash('rm run.sh link && mv src/b.ts src/moved.ts && mkdir empty')
    const sed = await session.bash("sed -i 's/2/20/' src/a.ts && chmod 600 src/moved.ts && ln -s src/moved.ts link2")
    const failing = await session.bash('echo half > half.txt; exit 1')
    await session.end()
    await session.settled()

    const history = await historyOf(root)
    const prompt = history.find(({ parent }) => parent !== undefined)?.parent as string
    for (const [call, paths] of [
      [write, ['src/new', 'src/new/deep.ts']],
      [edit, ['src/a.ts']],
      [multi, ['src/b.ts']],
      [notebook, ['n.ipynb']],
      [sed, ['link2', 'src/a.ts', 'src/moved.ts']],
      [failing, ['half.txt']],
    ] as const) {
      const commits = ofCall(history, call.tool_use_id)
      expect(pathsOf(commits), call.tool_name).toEqual(paths)
      const tags = [`session:${session.id}`, `tool:${call.tool_name}`, `call:${call.tool_use_id}`]
      const meta = { actor: 'claude-code', parent: prompt, tags: [...tags, 'prompt:Rename everything and tidy up'] }
      expect(commits).toMatchObject([meta])
    }
    const [removed, ...more] = ofCall(history, removing.tool_use_id)
    expect(more).toEqual([])
    expect(pathsOf([removed as ChainedCommit])).toEqual(expect.arrayContaining(['empty', 'link', 'run.sh', 'src/b.ts']))
    expect(ofCall(history, edit.tool_use_id)[0]?.message).toBe('Edit src/a.ts')
    expect(removed?.message).toBe('Bash: rm run.sh link && mv src/b.ts src/moved.ts && mkdir empty')
    expectSilence(session)
    expect(tracesIn(root)).toEqual([])

    expect(treeOf(root)).not.toEqual(before)
    expect(await undoPrompts(root, [prompt])).toBe(7)
    expect(treeOf(root)).toEqual(before)
  })

  it('keeps what somebody else did apart from what the tools did', async () => {
    const root = await project()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('one', 'prompt-1')
    await session.edit('src/a.ts', '= 1', '= 2')
    writeFileSync(path.join(root, 'src/a.ts'), 'export const a = 3 // by hand\n')
    writeFileSync(path.join(root, 'mine.txt'), 'mine\n')
    await session.prompt('two', 'prompt-2')
    await session.edit('src/a.ts', '= 3', '= 4')
    writeFileSync(path.join(root, 'src/b.ts'), 'by hand\n')
    const beforeShell = treeOf(root)
    await session.bash('rm src/b.ts mine.txt')
    await session.settled()

    const history = await historyOf(root)
    const outside = history.filter(({ actor }) => actor === 'outside')
    expect(pathsOf(outside)).toEqual(expect.arrayContaining(['mine.txt', 'src/a.ts', 'src/b.ts']))
    expect(history.filter(({ parent }) => parent === 'prompt-1').map(({ message }) => message)).toEqual([
      'Edit src/a.ts',
    ])
    expect(await undoPrompts(root, ['prompt-2'])).toBe(2)
    expect(treeOf(root)).toEqual({
      ...beforeShell,
      'src/a.ts': `file 644 ${Buffer.from('export const a = 3 // by hand\n').toString('base64')}`,
    })
  })

  it('has agents with actors of their own, in parallel', async () => {
    const root = await project()
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Divide and rule')
    const [one, two] = [session.subagent('a1', 'general-purpose'), session.subagent('b2', 'refactorer')]
    const task = session.call('Task', { description: 'x', prompt: 'y', subagent_type: 'general-purpose' })
    await session.pre(task)
    const calls = await Promise.all([
      ...['w1', 'w2', 'w3'].map((name) => one.write(`${name}.txt`, name)),
      ...['v1', 'v2', 'v3'].map((name) => two.write(`${name}.txt`, name)),
    ])
    await session.post(task)
    await session.end()
    await session.settled()
    const history = await historyOf(root)
    for (const [at, name] of ['w1', 'w2', 'w3', 'v1', 'v2', 'v3'].entries()) {
      const [agent, type] = at < 3 ? ['a1', 'general-purpose'] : ['b2', 'refactorer']
      const commits = ofCall(history, calls[at]?.tool_use_id as string)
      expect(pathsOf(commits)).toEqual([`${name}.txt`])
      expect(commits).toMatchObject([
        { actor: `claude-code/${type}`, tags: expect.arrayContaining([`agent:${agent}`]) },
      ])
    }
    const prompts = new Set(history.flatMap(({ parent }) => parent ?? []))
    expect(prompts.size).toBe(1)
    expect(await undoPrompts(root, [...prompts])).toBe(6)
    expect(treeOf(root)).toEqual(before)
  })

  it('tells a file from a command that runs at the same time', async () => {
    const root = await project()
    const session = new SimulatedSession(root)
    const other = session.subagent('a1', 'writer')
    await session.start()
    await session.prompt('Both')
    const shell = session.call('Bash', { command: 'make' })
    const write = other.call('Write', { file_path: path.join(root, 'w.txt'), content: 'w' })
    await session.pre(shell)
    writeFileSync(path.join(root, 'made-1.txt'), '1')
    await other.pre(write)
    other.act(write)
    writeFileSync(path.join(root, 'made-2.txt'), '2')
    // The command is over before the end of the other call is heard.
    await session.post(shell)
    await other.post(write)
    await session.settled()
    const history = await historyOf(root)
    expect(pathsOf(ofCall(history, write.tool_use_id))).toEqual(['w.txt'])
    expect(pathsOf(ofCall(history, shell.tool_use_id))).toEqual(['made-1.txt', 'made-2.txt'])
  })
})

describe('what is not heard', () => {
  it.each(['Stop', 'UserPromptSubmit', 'SessionEnd', 'SessionStart'])(
    'of a call without an end is put down to it at %s',
    async (name) => {
      const root = await project()
      const before = treeOf(root)
      const session = new SimulatedSession(root)
      await session.start()
      await session.prompt('Fail', 'prompt-1')
      const shell = session.call('Bash', { command: 'rm -r src' })
      await session.pre(shell)
      session.act(shell)
      const write = session.call('Write', { file_path: path.join(root, 'w.txt'), content: 'w' })
      await session.pre(write)
      session.act(write)
      await session.hook(name, { prompt: 'Go on', prompt_id: 'prompt-2', source: 'resume', reason: 'other' })
      await session.settled()
      const history = await historyOf(root)
      expect(pathsOf(ofCall(history, shell.tool_use_id))).toEqual(['src', 'src/a.ts', 'src/b.ts'])
      expect(pathsOf(ofCall(history, write.tool_use_id))).toEqual(['w.txt'])
      writeFileSync(path.join(root, 'later.txt'), 'by hand')
      await session.bash('true')
      await session.settled()
      expect((await historyOf(root)).at(-1)).toMatchObject({ actor: 'outside', entries: [{ path: 'later.txt' }] })
      await undoPrompts(root, ['prompt-1'])
      expect(treeOf(root)).toEqual({ ...before, 'later.txt': expect.any(String) })
    },
  )

  it('for so long that it must have ended is put down to nobody', async () => {
    const root = await project()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Vanish', 'prompt-1')
    await session.pre(session.call('Bash', { command: 'sleep 1' }))
    await session.settled()
    const folder = path.join(root, '.journal', 'hooks', 'calls')
    for (const name of readdirSync(folder)) {
      const note = JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
      writeFileSync(path.join(folder, name), JSON.stringify({ ...note, since: note.since - 16 * 60_000 }))
    }
    writeFileSync(path.join(root, 'mine.txt'), 'by hand')
    const other = new SimulatedSession(root, 'another-session')
    await other.start()
    await other.bash('true')
    await session.prompt('Here again', 'prompt-2')
    await session.settled()
    const history = await historyOf(root)
    expect(pathsOf(history.filter(({ actor }) => actor === 'outside'))).toContain('mine.txt')
    expect(history.filter(({ actor }) => actor !== 'outside')).toEqual([])
  })

  it('before a call leaves what may have been there when it is taken back', async () => {
    const root = await project()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('One half', 'prompt-1')
    await session.settled()
    writeFileSync(path.join(root, 'mine.txt'), 'by hand')
    const call = session.call('Bash', { command: "echo x > theirs.txt; sed -i 's/1/2/' src/a.ts" })
    session.act(call)
    await session.post(call)
    await session.settled()
    expect(pathsOf(ofCall(await historyOf(root), call.tool_use_id))).toEqual(['mine.txt', 'src/a.ts', 'theirs.txt'])
    await undoPrompts(root, ['prompt-1'])
    expect(readFileSync(path.join(root, 'mine.txt'), 'utf8')).toBe('by hand')
    expect(readFileSync(path.join(root, 'src/a.ts'), 'utf8')).toBe('export const a = 1\r\n')
  })

  it('because its hook was killed is in the history with the next that is', async () => {
    const root = await project()
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Be killed', 'prompt-1')
    const ids: string[] = []
    for (const afterMs of [1, 40, 60, 80, 100, 150]) {
      const call = session.call('Bash', {
        command: `echo ${afterMs} > file-${afterMs}; echo ${afterMs} >> src/a.ts`,
      })
      ids.push(call.tool_use_id)
      await session.pre(call)
      session.act(call)
      await killedHook(root, session.input('PostToolUse', { ...call }), afterMs)
    }
    await session.end()
    await session.settled()
    const history = await historyOf(root)
    for (const id of ids) expect(pathsOf(ofCall(history, id))).toContain('src/a.ts')
    expect(history.filter(({ actor }) => actor === 'outside').length).toBeLessThanOrEqual(1)
    await undoPrompts(root, ['prompt-1'])
    expect(treeOf(root)).toEqual(before)
  })

  it('because the helper was killed is in the history with the next that is', async () => {
    const root = await project()
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Kill the helper', 'prompt-1')
    for (const round of [1, 2, 3]) {
      const call = session.call('Bash', { command: `echo ${round} > file-${round}` })
      await session.pre(call)
      session.act(call)
      process.kill(await helperOf(root), 'SIGKILL')
      if (round < 3) await session.post(call)
    }
    await session.end()
    await session.settled()
    const paths = pathsOf((await historyOf(root)).filter(({ parent }) => parent === 'prompt-1'))
    expect(paths).toEqual(['file-1', 'file-2', 'file-3'])
    await undoPrompts(root, ['prompt-1'])
    expect(treeOf(root)).toEqual(before)
    expectSilence(session)
  })
})

describe('where a tool writes', () => {
  it('behind a symbolic link, both ends are looked at', async () => {
    const root = await project()
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Through links', 'prompt-1')
    await session.edit('link', '= 1', '= 2')
    const replacing = session.call('Write', { file_path: path.join(root, 'link'), content: 'a file now' })
    await session.pre(replacing)
    writeFileSync(path.join(root, 'fresh'), 'a file now')
    renameSync(path.join(root, 'fresh'), path.join(root, 'link'))
    await session.post(replacing)
    await session.settled()
    await undoPrompts(root, ['prompt-1'])
    expect(treeOf(root)).toEqual(before)
  })

  it('what git ignores is journaled when a tool is told to write it', async () => {
    const root = await project()
    writeFileSync(path.join(root, '.gitignore'), '.env\nbuild/\n')
    writeFileSync(path.join(root, '.env'), 'KEY=1\n')
    const before = treeOf(root)
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('Secrets', 'prompt-1')
    await session.edit('.env', '1', '2')
    await session.bash('mkdir build && echo x > build/x')
    await session.settled()
    const history = await historyOf(root)
    expect(pathsOf(history.filter(({ parent }) => parent === 'prompt-1'))).toEqual(['.env'])
    await undoPrompts(root, ['prompt-1'])
    expect(treeOf(root)).toMatchObject({ '.env': before['.env'] })
  })
})

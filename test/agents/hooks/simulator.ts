/**
 * Plays what Claude Code does in a session: the same events with the same inputs, each to a process of its own, and between them what its tools do to the
 * files. See the section on hooks in the runtime's documentation for the shapes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { helperAddress } from '../../../src/agents/hooks/address.ts'
import { askHelper } from '../../../src/agents/hooks/ask-helper.ts'
import type { ChainedCommit } from '../../../src/entry/commit.ts'
import { openJournal } from '../../../src/index.ts'
import type { Journal } from '../../../src/journal.ts'
import { MAIN, type Run, runNode } from '../../cli/journal-process.ts'

export interface ToolCall {
  readonly tool_name: string
  readonly tool_input: Readonly<Record<string, unknown>>
  readonly tool_use_id: string
}

/** One agent of a session: the main one, or one that it sent out. */
export interface Agent {
  readonly agent_id?: string
  readonly agent_type?: string
}

let calls = 0

export class SimulatedSession {
  readonly id: string
  readonly root: string
  readonly runs: Run[] = []
  readonly #agent: Agent
  #promptId: string | undefined

  constructor(root: string, id = 'f0e1d2c3-0000-4000-8000-123456789abc', agent: Agent = {}) {
    this.root = root
    this.id = id
    this.#agent = agent
  }

  /** An agent that works for the same session. */
  subagent(agent_id: string, agent_type: string): SimulatedSession {
    return new SimulatedSession(this.root, this.id, { agent_id, agent_type })
  }

  async hook(hook_event_name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Run> {
    return this.raw(this.input(hook_event_name, more))
  }

  input(hook_event_name: string, more: Readonly<Record<string, unknown>> = {}): string {
    return JSON.stringify({
      session_id: this.id,
      transcript_path: `/home/anna/.claude/projects/x/${this.id}.jsonl`,
      cwd: this.root,
      permission_mode: 'default',
      hook_event_name,
      ...(this.#promptId === undefined ? {} : { prompt_id: this.#promptId }),
      ...this.#agent,
      ...more,
    })
  }

  async raw(input: string | Uint8Array, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Run> {
    const run = await runNode([MAIN, 'hook', ...args], {
      cwd: this.root,
      input,
      env: { CLAUDE_PROJECT_DIR: this.root, ...env },
    })
    this.runs.push(run)
    return run
  }

  start(): Promise<Run> {
    return this.hook('SessionStart', { source: 'startup' })
  }

  prompt(prompt: string, promptId?: string): Promise<Run> {
    this.#promptId = promptId
    return this.hook('UserPromptSubmit', { prompt })
  }

  end(): Promise<Run> {
    return this.hook('SessionEnd', { reason: 'prompt_input_exit' })
  }

  call(tool_name: string, tool_input: Readonly<Record<string, unknown>>): ToolCall {
    calls += 1
    return { tool_name, tool_input, tool_use_id: `toolu_${String(calls).padStart(24, '0')}` }
  }

  pre(call: ToolCall): Promise<Run> {
    return this.hook('PreToolUse', { ...call })
  }

  post(call: ToolCall, tool_response: unknown = {}): Promise<Run> {
    return this.hook('PostToolUse', { ...call, tool_response, duration_ms: 12 })
  }

  /** The whole of a call: hook, tool, hook. */
  async use(call: ToolCall): Promise<ToolCall> {
    await this.pre(call)
    const failed = this.act(call)
    if (failed) await this.hook('PostToolUseFailure', { ...call, error: 'Exit code 1' })
    else await this.post(call)
    return call
  }

  /** What the tool does. True: it failed. */
  act({ tool_name, tool_input }: ToolCall): boolean {
    const file = String(tool_input.file_path ?? tool_input.notebook_path)
    switch (tool_name) {
      case 'Write':
        mkdirSync(path.dirname(file), { recursive: true })
        writeFileSync(file, String(tool_input.content))
        return false
      case 'Edit':
        this.#edit(file, [tool_input])
        return false
      case 'MultiEdit':
        this.#edit(file, tool_input.edits as Record<string, unknown>[])
        return false
      case 'NotebookEdit': {
        const notebook = JSON.parse(readFileSync(file, 'utf8'))
        notebook.cells[0].source = tool_input.new_source
        writeFileSync(file, JSON.stringify(notebook, null, 1))
        return false
      }
      default: {
        const { status } = spawnSync('sh', ['-c', String(tool_input.command)], { cwd: this.root })
        return status !== 0
      }
    }
  }

  write(name: string, content: string): Promise<ToolCall> {
    return this.use(this.call('Write', { file_path: path.join(this.root, name), content }))
  }

  edit(name: string, old_string: string, new_string: string): Promise<ToolCall> {
    return this.use(this.call('Edit', { file_path: path.join(this.root, name), old_string, new_string }))
  }

  bash(command: string): Promise<ToolCall> {
    return this.use(this.call('Bash', { command, description: 'Does something' }))
  }

  /** All that was told is in the history when this resolves: events are heard in their order, and this one is waited for. */
  async settled(): Promise<void> {
    const session = new SimulatedSession(this.root, 'settling')
    await session.pre(session.call('Write', { file_path: path.join(this.root, '.journal', 'nothing') }))
  }

  #edit(file: string, edits: readonly Readonly<Record<string, unknown>>[]): void {
    let text = readFileSync(file, 'utf8')
    for (const { old_string, new_string, replace_all } of edits) {
      const [from, to] = [String(old_string), String(new_string)]
      text = replace_all === true ? text.replaceAll(from, () => to) : text.replace(from, () => to)
    }
    writeFileSync(file, text)
  }
}

/** The history, oldest first. */
export async function historyOf(root: string): Promise<ChainedCommit[]> {
  const journal = await openJournal(root, { readOnly: true })
  try {
    const commits: ChainedCommit[] = []
    for await (const commit of journal.history({ order: 'oldest' })) commits.push(commit)
    return commits
  } finally {
    await journal.close()
  }
}

/** The journal for this process alone: nobody else writes meanwhile. */
export async function openedAlone(root: string): Promise<Journal> {
  for (const until = Date.now() + 60_000; ; ) {
    try {
      return await openJournal(root, { shared: false })
    } catch (error) {
      if ((error as { code?: string }).code !== 'LOCKED' || Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Takes back all that was done for some prompts, newest first. */
export async function undoPrompts(root: string, prompts: readonly string[]): Promise<number> {
  const commits = (await historyOf(root)).filter(({ parent }) => parent !== undefined && prompts.includes(parent))
  const journal = await openJournal(root)
  try {
    for (const { tx } of commits.reverse()) await journal.undo(tx)
  } finally {
    await journal.close()
  }
  return commits.length
}

/** Everything in a workspace but its journal: kinds, modes, contents. */
export function treeOf(root: string, folder = ''): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const name of readdirSync(path.join(root, folder)).sort()) {
    const at = folder === '' ? name : `${folder}/${name}`
    if (name === '.journal') continue
    const stat = lstatSync(path.join(root, at))
    const mode = (stat.mode & 0o7777).toString(8)
    if (stat.isDirectory()) Object.assign(tree, { [at]: `folder ${mode}` }, treeOf(root, at))
    else if (stat.isSymbolicLink()) tree[at] = `link ${readlinkSync(path.join(root, at))}`
    else tree[at] = `file ${mode} ${readFileSync(path.join(root, at)).toString('base64')}`
  }
  return tree
}

/** The lines of the trace of failures. */
export function tracesIn(root: string): Record<string, unknown>[] {
  const file = path.join(root, '.journal', 'hooks.log')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Starts a hook and kills it after so many milliseconds. */
export async function killedHook(root: string, input: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'hook'], { cwd: root, stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await new Promise((resolve) =>
    child.exitCode !== null || child.signalCode !== null ? resolve(null) : child.once('close', resolve),
  )
}

/** The process id of the helper, once there is one. */
export async function helperOf(root: string): Promise<number> {
  for (const until = Date.now() + 10_000; Date.now() < until; ) {
    const answer = await askHelper(helperAddress(root) as string, { version: '0.0.0', root, event: null }, 5_000)
    if (typeof answer === 'object' && 'done' in answer && answer.done) return answer.pid
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('There is no helper')
}

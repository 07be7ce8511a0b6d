import { resolve } from 'node:path'

/** Longest id, name or text that goes further than the standard input of one call. */
const MAX_ID = 256
const MAX_TEXT = 160
const MAX_PATH = 8192

export const HOOK_EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'PreToolUse',
  'PostToolUse',
  'PostToolUseFailure',
  'Stop',
  'SessionEnd',
] as const

export type HookEventName = (typeof HOOK_EVENTS)[number]

/** A tool call that may change files. */
export interface HookCall {
  /** The runtime's id of the call. */
  readonly id: string
  readonly tool: string
  /** The file that the tool writes, absolute; null: it may write anything. */
  readonly path: string | null
  /** The beginning of a command, of a tool that takes one. */
  readonly command?: string
}

/** What the journal needs to know of one event of the runtime. */
export interface HookEvent {
  readonly name: HookEventName
  readonly session: string
  readonly cwd: string
  /** The runtime's id of the prompt, where it gives one. */
  readonly prompt?: string
  readonly agent?: string
  readonly agentType?: string
  readonly call?: HookCall
  /** The beginning of the prompt. */
  readonly text?: string
}

/** The argument that names the file, of tools that write one. */
const FILE_TOOLS: Readonly<Record<string, string>> = {
  Write: 'file_path',
  Edit: 'file_path',
  MultiEdit: 'file_path',
  NotebookEdit: 'notebook_path',
}

/** Tools that change no files themselves. Those that have others work for them are heard through these. */
const QUIET_TOOLS = new Set([
  ...['Read', 'Glob', 'Grep', 'LS', 'NotebookRead', 'WebFetch', 'WebSearch', 'ToolSearch', 'LSP'],
  ...['TodoRead', 'TodoWrite', 'TaskCreate', 'TaskGet', 'TaskList', 'TaskUpdate', 'TaskOutput', 'TaskStop'],
  ...['Task', 'Agent', 'SendMessage', 'BashOutput', 'KillShell', 'KillBash', 'Skill', 'SlashCommand'],
  ...['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode', 'ListMcpResourcesTool', 'ReadMcpResourceTool'],
])

/** Why an input is of no use. */
export interface Unreadable {
  readonly unreadable: string
}

/** The event in what the runtime wrote on standard input; null for one that is none of the journal's business. */
export function readHookEvent(input: string): HookEvent | Unreadable | null {
  if (input.trim() === '') return { unreadable: 'nothing came on standard input' }
  let given: unknown
  try {
    given = JSON.parse(input)
  } catch (error) {
    return { unreadable: `standard input is no JSON: ${(error as Error).message}` }
  }
  if (!isObject(given)) return { unreadable: 'standard input is no JSON object' }
  const name = given.hook_event_name
  if (typeof name !== 'string') return { unreadable: 'there is no hook_event_name' }
  if (!HOOK_EVENTS.includes(name as HookEventName)) return null
  const session = text(given.session_id, MAX_ID)
  if (session === undefined) return { unreadable: `${name} has no session_id` }
  const cwd = pathOf(given.cwd) ?? process.cwd()
  const isTool = name === 'PreToolUse' || name === 'PostToolUse' || name === 'PostToolUseFailure'
  const call = isTool ? callOf(given, cwd) : undefined
  if (call === null || (call !== undefined && 'unreadable' in call)) return call
  return {
    name: name as HookEventName,
    session,
    cwd,
    ...optional('prompt', text(given.prompt_id, MAX_ID)),
    ...optional('agent', text(given.agent_id, MAX_ID)),
    ...optional('agentType', text(given.agent_type, MAX_ID)),
    ...optional('text', name === 'UserPromptSubmit' ? (beginning(given.prompt) ?? '') : undefined),
    ...(call === undefined ? {} : { call }),
  }
}

function callOf(given: Readonly<Record<string, unknown>>, cwd: string): HookCall | Unreadable | null {
  const tool = text(given.tool_name, MAX_ID)
  if (tool === undefined) return { unreadable: `${given.hook_event_name} has no tool_name` }
  if (QUIET_TOOLS.has(tool)) return null
  const input = isObject(given.tool_input) ? given.tool_input : {}
  const argument = Object.hasOwn(FILE_TOOLS, tool) ? FILE_TOOLS[tool] : undefined
  const named = argument === undefined ? null : pathOf(input[argument])
  if (named === undefined) return { unreadable: `${tool} has no ${argument}` }
  const path = named === null ? null : resolve(cwd, named)
  const id = text(given.tool_use_id, MAX_ID) ?? `${tool}:${path ?? ''}`
  return { id, tool, path, ...optional('command', beginning(input.command)) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown, limit: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, limit) : undefined
}

function pathOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_PATH && !value.includes('\0')
    ? value
    : undefined
}

/** The first words of a text, on one line. */
function beginning(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const line = value
    .slice(0, MAX_TEXT * 4)
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string })
}

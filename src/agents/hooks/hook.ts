/**
 * `journal hook`: one event of the runtime, from standard input to the helper. Loads next to nothing, never fails, prints nothing: whatever goes wrong here
 * must not be in the way of the work.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { helperAddress } from './address.ts'
import { askHelper } from './ask-helper.ts'
import { type HookEvent, readHookEvent } from './hook-event.ts'
import { leaveTrace, makeHookFolder, workspaceAbove } from './hook-folder.ts'
import { traceOf } from './trace-of.ts'
import { packageVersion } from './version.ts'

/** How long a tool waits for what it may overwrite to be safe: less than the runtime waits for a hook, so that there is time for a trace. */
const PATIENCE_MS = 25_000
/** How long anything else waits: it is answered at once, if at all. */
const REPORT_MS = 3_000
/** How long a helper may take to start, before the hook does the work itself. */
const START_MS = 5_000
const POLL_MS = 10
/** Helpers that go away in the middle of an event, before the hook does the work itself. */
const BROKEN = 2

export interface HookOptions {
  /** Make a journal where the project has none. */
  readonly init?: boolean
}

/** Always resolves. */
export async function answerHook(options: HookOptions = {}): Promise<void> {
  let root: string | null = null
  let event: HookEvent | null = null
  try {
    const found = readHookEvent(await standardInput())
    if (found === null) return
    if ('unreadable' in found) {
      root = workspaceAbove(process.env.CLAUDE_PROJECT_DIR ?? process.cwd())
      if (root !== null) leaveTrace(root, { event: 'unknown', message: found.unreadable })
      return
    }
    event = found
    root = workspaceOf(event)
    if (root === null && options.init === true) {
      const { initialize } = await import('./direct.ts')
      root = (await initialize(projectOf(event))) ? workspaceOf(event) : null
    }
    if (root !== null) await deliver(root, event)
  } catch (error) {
    if (root !== null) leaveTrace(root, { ...traceOf(event), message: (error as Error)?.message ?? String(error) })
  }
}

/** The workspace that an event is about: that of the file, else that of the project. */
function workspaceOf(event: HookEvent): string | null {
  const { call, cwd } = event
  if (call !== undefined && call.path !== null) return workspaceAbove(dirname(call.path))
  return workspaceAbove(cwd) ?? workspaceAbove(projectOf(event))
}

function projectOf({ cwd }: HookEvent): string {
  return process.env.CLAUDE_PROJECT_DIR || cwd
}

async function deliver(root: string, event: HookEvent): Promise<void> {
  makeHookFolder(root)
  const address = helperAddress(root)
  if (address !== null && (await toHelper(address, root, event))) return
  const { handleDirectly } = await import('./direct.ts')
  await handleDirectly(root, event)
}

/** False: there is no helper, and none could be started. */
async function toHelper(address: string, root: string, event: HookEvent): Promise<boolean> {
  const request = { version: packageVersion(), root, event }
  const patienceMs = event.name === 'PreToolUse' ? PATIENCE_MS : REPORT_MS
  let started = 0
  for (let broken = 0; broken < BROKEN; ) {
    const answer = await askHelper(address, request, patienceMs)
    if (answer === 'silent') {
      leaveTrace(root, { ...traceOf(event), message: `the helper did not answer within ${patienceMs} ms` })
      return true
    }
    if (answer === 'broken') broken += 1
    // A failure of its own the helper has noted itself.
    else if (answer !== 'absent' && 'done' in answer) return true
    else {
      if (started === 0) {
        started = Date.now()
        const { startHelper } = await import('./start-helper.ts')
        if (!(await startHelper(root))) return false
      } else if (Date.now() - started > START_MS) return false
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
  return false
}

async function standardInput(): Promise<string> {
  try {
    // A stream would take Node ten milliseconds more to make.
    return readFileSync(0, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

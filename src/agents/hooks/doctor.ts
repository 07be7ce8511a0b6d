import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asJournalError } from '../../errors.ts'
import { openJournal } from '../../open-journal.ts'
import { openReading } from '../../reading.ts'
import { helperAddress } from './address.ts'
import { askHelper } from './ask-helper.ts'
import { TAGS } from './attribution.ts'
import { type Trace, tracePath } from './hook-folder.ts'
import { hooksDisabled, type InstalledHook, installedHooks } from './installed-hooks.ts'
import { SCOPES, SettingsFile, settingsPath } from './settings-file.ts'
import { packageVersion } from './version.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly check: 'settings' | 'journal' | 'trial' | 'traces' | 'helper' | 'versions'
  readonly ok: boolean
  readonly message: string
  readonly hint?: string
}

export interface Diagnosis {
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

/** How long one call of a hook may take in a trial, its first helper included. */
const TRIAL_MS = 30_000
/** How long what a hook noted may take to be in the history. */
const RECORDED_MS = 5_000
const POLL_MS = 50
/** A failure is news for so long. */
const RECENT_MS = 24 * 3_600_000

/** Says whether the hooks of a project work, by trying them on a journal of its own. `root`: its workspace; null: it has none. */
export async function diagnose(project: string, root: string | null): Promise<Diagnosis> {
  const installed: InstalledHook[] = []
  const findings: Finding[] = [
    ...(await settingsFindings(project, installed)),
    root === null
      ? bad('journal', `no journal in ${project}`, 'Make one with `journal init`; without one the hooks do nothing.')
      : good('journal', `a journal in ${root}`),
  ]
  for (const command of new Set(installed.map((hook) => hook.command))) findings.push(await trial(command, project))
  if (root !== null) findings.push(...traceFindings(root), await helperFinding(root))
  findings.push(
    good('versions', `write-journal ${packageVersion()}, Node ${process.versions.node}, ${process.platform}`),
  )
  return { ok: findings.every(({ ok }) => ok), findings }
}

async function settingsFindings(project: string, installed: InstalledHook[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const scope of SCOPES) {
    const path = settingsPath(scope, project)
    try {
      const { text } = SettingsFile.read(path)
      if (text === null) continue
      const hooks = await installedHooks(text, path)
      if (await hooksDisabled(text, path)) {
        findings.push(bad('settings', `${path} turns all hooks off`, 'Take disableAllHooks out of it.'))
      }
      if (hooks.length === 0) continue
      installed.push(...hooks)
      const events = [...new Set(hooks.map(({ event }) => event))]
      findings.push(good('settings', `${path}: ${events.join(', ')}`))
    } catch (error) {
      const { message, hint } = asJournalError(error, 'reading the settings', path)
      findings.push(bad('settings', message, hint))
    }
  }
  if (installed.length === 0) {
    findings.push(bad('settings', 'no settings have these hooks', 'Put them in with `journal hook install`.'))
  }
  if (new Set(installed.map(({ event, matcher }) => JSON.stringify([event, matcher]))).size < installed.length) {
    const hint = 'Take them out of one with `journal hook uninstall` and --user, --project or --local.'
    findings.push(bad('settings', 'several settings have these hooks, so each event is heard twice', hint))
  }
  return findings
}

/** Plays a tool call to a command, as the runtime does, in a workspace made for it. */
async function trial(command: string, project: string): Promise<Finding> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'journal-doctor-')))
  try {
    await (await openJournal(folder)).close()
    const file = join(folder, 'trial.txt')
    const id = `trial-${process.pid}`
    const base = { session_id: id, cwd: folder, transcript_path: '', permission_mode: 'default' }
    const call = { tool_name: 'Write', tool_input: { file_path: file, content: 'a trial\n' }, tool_use_id: id }
    const events = [
      { hook_event_name: 'UserPromptSubmit', prompt: 'a trial' },
      { hook_event_name: 'PreToolUse', ...call },
      { hook_event_name: 'PostToolUse', ...call, tool_response: {} },
      { hook_event_name: 'SessionEnd', reason: 'other' },
    ]
    const took: number[] = []
    for (const event of events) {
      if (event.hook_event_name === 'PostToolUse') writeFileSync(file, 'a trial\n')
      const begun = performance.now()
      const fault = await run(command, JSON.stringify({ ...base, ...event }), folder, project)
      took.push(performance.now() - begun)
      if (fault !== null)
        return bad('trial', `${command}: ${fault}`, 'Install the hooks again: `journal hook install`.')
    }
    if (!(await isRecorded(folder, id))) {
      const reason = tracesOf(folder).at(-1)?.message ?? 'nothing came into the history'
      return bad('trial', `${command}: ${reason}`, 'Is it another version of this package? Install it anew.')
    }
    return good('trial', `${command}: works, ${Math.round(Math.max(...took.slice(1)))} ms a call at most`)
  } catch (error) {
    const { message, hint } = asJournalError(error, 'trying the hooks')
    return bad('trial', message, hint)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

/** What is wrong with how a command ended; null: nothing. */
function run(command: string, input: string, cwd: string, project: string): Promise<string | null> {
  return new Promise((resolve) => {
    const env = { ...process.env, CLAUDE_PROJECT_DIR: project }
    const child = spawn(command, { cwd, env, shell: true, stdio: ['pipe', 'pipe', 'pipe'], timeout: TRIAL_MS })
    const said: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
    child.stdin.on('error', () => undefined)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => {
      const [line = ''] = Buffer.concat(said).toString('utf8').trim().split('\n')
      if (code !== 0) resolve(`ended with ${signal ?? code}${line === '' ? '' : `: ${line}`}`)
      else resolve(line === '' ? null : `printed what nobody asked for: ${line}`)
    })
    child.stdin.end(input)
  })
}

/** What is noted is in the history a little later. */
async function isRecorded(root: string, call: string): Promise<boolean> {
  for (const until = Date.now() + RECORDED_MS; Date.now() < until; ) {
    const reading = await openReading(root, () => undefined)
    try {
      for await (const { tags, entries } of reading.history({ tag: `${TAGS.call}${call}` })) {
        if (tags !== undefined && entries.length > 0) return true
      }
    } finally {
      await reading.close()
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return false
}

function traceFindings(root: string): Finding[] {
  const traces = tracesOf(root)
  const recent = traces.filter(({ time }) => Date.now() - Date.parse(time) < RECENT_MS)
  const last = recent.at(-1)
  if (last === undefined) {
    return [good('traces', traces.length === 0 ? 'no failures' : `no failures within a day, ${traces.length} before`)]
  }
  const what = `${last.event}${last.tool === undefined ? '' : ` of ${last.tool}`}: ${last.message}`
  const hint = `All of them stand in ${tracePath(root)}; \`journal hook doctor --forget\` removes it.`
  return [bad('traces', `${recent.length} failed within a day, the last at ${last.time}: ${what}`, hint)]
}

/** What failed hooks left behind, oldest first. */
export function tracesOf(root: string): Trace[] {
  return [`${tracePath(root)}.1`, tracePath(root)].flatMap((path) => {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch {
      return []
    }
    return text.split('\n').flatMap((line) => {
      try {
        const trace: unknown = JSON.parse(line)
        return typeof trace === 'object' && trace !== null ? [trace as Trace] : []
      } catch {
        return []
      }
    })
  })
}

export function forgetTraces(root: string): void {
  for (const path of [`${tracePath(root)}.1`, tracePath(root)]) rmSync(path, { force: true })
}

async function helperFinding(root: string): Promise<Finding> {
  const address = helperAddress(root)
  if (address === null) {
    const message = 'there is no safe place for a socket, so each hook does its work itself, which takes longer'
    return good('helper', message)
  }
  const answer = await askHelper(address, { version: '0.0.0', root, event: null }, 2_000)
  if (answer === 'absent' || answer === 'broken') return good('helper', 'none runs now; the next hook starts one')
  if (answer === 'silent') return bad('helper', 'it does not answer', `End the process that listens at ${address}.`)
  if ('done' in answer && answer.done) return good('helper', `process ${answer.pid}, version ${answer.version}`)
  return good('helper', 'it is just ending')
}

function good(check: Finding['check'], message: string): Finding {
  return { check, ok: true, message }
}

function bad(check: Finding['check'], message: string, hint: string): Finding {
  return { check, ok: false, message, hint }
}

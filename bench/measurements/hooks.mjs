import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openJournal } from '../../dist/index.js'
import { figure, median } from '../measure.mjs'
import { table } from '../table.mjs'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const ROUNDS = 100
/** Milliseconds that a model takes for its next step, at least: the helper has let go of the journal by then. */
const PAUSE_MS = 340
const LIMIT_MS = 150
const FILES = 1000
const KINDS = {
  node: 'node -e 0',
  SessionStart: 'SessionStart',
  UserPromptSubmit: 'UserPromptSubmit',
  'PreToolUse Write': 'PreToolUse of Write',
  'PostToolUse Write': 'PostToolUse of Write',
  'PreToolUse Bash': `PreToolUse of Bash, ${FILES} files in the workspace`,
  'PostToolUse Bash': `PostToolUse of Bash, ${FILES} files in the workspace`,
  SessionEnd: 'SessionEnd',
}

export const title = `A call of a hook of Claude Code, process start included (milliseconds, ${ROUNDS} calls of each)`

/** Plays sessions: each event a process of its own, from before it is started until it has ended. Before each step there is a pause, as there is one in use. */
export async function measure({ folder, quick, progress }) {
  const rounds = quick ? 5 : ROUNDS
  for (let at = 0; at < FILES; at += 1) {
    const own = join(folder, `folder-${at >> 5}`)
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, `file-${at}.js`), `export const x${at} = ${at}\n`.repeat(100))
  }
  await (await openJournal(folder)).close()
  const times = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]))
  // The first starts the helper, and takes in what is there.
  await call(folder, { hook_event_name: 'SessionStart', source: 'startup' })
  await call(folder, {
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command: 'x' },
    tool_use_id: '0',
  })
  for (let round = 0; round < rounds; round += 1) {
    progress(`hooks: round ${round + 1} of ${rounds}`)
    times.node.push(await run(['-e', '0'], '', folder))
    const step = async (kind, event) => {
      const [hook_event_name] = kind.split(' ')
      times[kind].push(await call(folder, { session_id: `session-${round}`, hook_event_name, ...event }))
    }
    await pause()
    await step('SessionStart', { source: 'startup' })
    await pause()
    await step('UserPromptSubmit', { prompt: `Do the work of round ${round}` })
    const file = join(folder, `written-${round % 10}.txt`)
    const write = {
      tool_name: 'Write',
      tool_input: { file_path: file, content: `${round}\n` },
      tool_use_id: `w${round}`,
    }
    await pause()
    await step('PreToolUse Write', write)
    writeFileSync(file, `${round}\n`)
    await step('PostToolUse Write', { ...write, tool_response: {} })
    const bash = { tool_name: 'Bash', tool_input: { command: 'make' }, tool_use_id: `b${round}` }
    await pause()
    await step('PreToolUse Bash', bash)
    writeFileSync(join(folder, 'folder-3', 'file-100.js'), `made in round ${round}\n`)
    await step('PostToolUse Bash', { ...bash, tool_response: {} })
    await pause()
    await step('SessionEnd', { reason: 'other' })
  }
  const results = Object.fromEntries(Object.entries(times).map(([kind, list]) => [kind, summary(list)]))
  const rows = Object.entries(KINDS).map(([kind, name]) => {
    const { middle, high, most } = results[kind]
    return [name, figure(middle), figure(high), figure(most), figure(middle - results.node.middle)]
  })
  return {
    results,
    text: table(['call', 'median', '95th percentile', 'most', 'median above node -e 0'], rows),
    targets: Object.keys(KINDS)
      .slice(1)
      .map((kind) => ({
        target: `${KINDS[kind]}: 95th percentile under ${LIMIT_MS} ms`,
        found: `${figure(results[kind].high)} ms, node -e 0 ${figure(results.node.high)} ms`,
        reached: results[kind].high < LIMIT_MS,
      })),
  }
}

function summary(list) {
  const sorted = [...list].sort((a, b) => a - b)
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.95) - 1)]
  return { middle: median(list), high, most: sorted.at(-1), calls: list.length }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

function call(cwd, event) {
  const input = { session_id: 'bench', transcript_path: '/x', cwd, permission_mode: 'default', ...event }
  return run([MAIN, 'hook'], JSON.stringify(input), cwd)
}

/** Milliseconds until the process has ended. */
function run(args, input, cwd) {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    const child = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'ignore', 'inherit'] })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code) => {
      const taken = performance.now() - begun
      if (code === 0) resolve(taken)
      else reject(new Error(`${args.join(' ')} ended with ${code}`))
    })
  })
}

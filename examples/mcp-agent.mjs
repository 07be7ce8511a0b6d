/**
 * An agent that works over MCP, is killed with SIGKILL in the middle of its work, twice, and goes on. Its model is a script: nothing leaves this machine.
 * Exits with 1 when anything does not hold.
 *
 *   npm run build && node examples/mcp-agent.mjs
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const SERVER = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const TASK = 'task-welcome'
const FILES = Array.from({ length: 400 }, (_, n) => `src/guest-${String(n).padStart(3, '0')}.js`)

// ---- the model: asks for one call after the other, and gets what each said ----

const PLAN = [
  { why: 'begin a change log', calls: [['write_file', { path: 'CHANGES.md', content: '# Changes\n' }]] },
  {
    why: 'greet becomes welcome',
    calls: [
      ...[0, 100, 200, 300].map((from) => [
        'edit_files',
        {
          files: FILES.slice(from, from + 100).map((path) => ({
            path,
            edits: [{ oldText: 'greet', newText: 'welcome', all: true }],
          })),
        },
      ]),
      ['move_file', { source: 'src/greet.js', destination: 'src/welcome.js' }],
    ],
  },
  {
    why: 'say so in the change log',
    calls: [
      [
        'edit_file',
        { path: 'CHANGES.md', edits: [{ oldText: '# Changes\n', newText: '# Changes\n\n- greet is welcome\n' }] },
      ],
    ],
  },
]

/** What a model makes of its instructions; after a restart it finds in the history what it has done. */
function* model() {
  const past = yield ['history', { tag: TASK }]
  const done = new Set((past.structuredContent?.transactions ?? []).map(({ message }) => message))
  for (const { why, calls } of PLAN) {
    if (done.has(why)) continue
    yield ['begin_transaction', { message: why, tags: [TASK] }]
    for (const call of calls) {
      const { isError, content } = yield call
      if (isError) throw new Error(content[0].text)
    }
    yield ['commit_transaction', {}]
  }
}

// ---- the agent: a loop between the model and the tools ----

/** `dawdle`: after so many calls it takes its time, so that it is killed there and nowhere else. */
async function agent(root, dawdle) {
  let calls = 0
  const client = new Client({ name: 'example-agent', version: '1.0.0' })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [SERVER, 'mcp', root],
    stderr: 'ignore',
  })
  await client.connect(transport)
  tell({ server: transport.pid })
  const thinking = model()
  for (let next = thinking.next(); !next.done; ) {
    const [name, args] = next.value
    tell({ calling: name })
    const result = await client.callTool({ name, arguments: args }, undefined, { timeout: 120_000 })
    tell({ called: name })
    calls += 1
    if (calls === dawdle) await new Promise((resolve) => setTimeout(resolve, 60_000))
    next = thinking.next(result)
  }
  await client.close()
}

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

// ---- the world around it: starts the agent, and kills it ----

/** Runs the agent until it ends, or `watch` wants it dead. Gives what it called, and how it ended. */
async function live(root, { watch = () => false, dawdle = 0 } = {}) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'agent', root, String(dawdle)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const called = []
  let server
  let killed = false
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line)
    server ??= event.server
    if (event.called !== undefined) called.push(event.called)
    if (killed || !watch(event, called)) continue
    killed = true
    for (const pid of [server, child.pid]) kill(pid)
  }
  const code = await ended
  if (!killed && code !== 0) throw new Error(`the agent ended with ${code}`)
  return { called, killed }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function renamed(root) {
  return FILES.filter((path) => readFileSync(join(root, path), 'utf8').includes('welcome')).length
}

/** Looks at a few files until some of them, and not all, have changed. */
function untilHalfWay(root) {
  const watched = FILES.filter((_, at) => at % 20 === 0)
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const changed = watched.filter((path) => readFileSync(join(root, path), 'utf8').includes('welcome')).length
    if (changed > 0) return true
  }
  return true
}

function prove(holds, what) {
  console.log(`  ${holds ? '✓' : '✗'} ${what}`)
  if (!holds) throw new Error(`Does not hold: ${what}`)
}

async function main() {
  const root = mkdtempSync(join(tmpdir(), 'mcp-agent-'))
  try {
    mkdirSync(join(root, 'src'))
    writeFileSync(join(root, 'src/greet.js'), 'export const greet = (name) => `hello ${name}`\n')
    const source = (n) => `import { greet } from './greet.js'\n\nconsole.log(greet('guest ${n}'))\n`
    for (const [n, path] of FILES.entries()) writeFileSync(join(root, path), source(n))

    console.log('1. The agent is killed in the middle of a transaction over several calls')
    const first = await live(root, { watch: (_event, called) => called.length === 7, dawdle: 7 })
    const edits = first.called.filter((name) => name === 'edit_files').length
    prove(edits === 2 && renamed(root) === 0, 'two of four edits are made, and no file has changed')

    console.log('2. It comes back, and is killed while its commit changes files')
    const committing = ({ calling }, called) => calling === 'commit_transaction' && called.includes('edit_files')
    const second = await live(root, { watch: (event, called) => committing(event, called) && untilHalfWay(root) })
    const found = renamed(root)
    console.log(`    ${found} of ${FILES.length} files have changed when it is dead`)
    prove(!second.called.includes('write_file'), 'it did not do again what the history says it had done')

    console.log('3. It comes back: the server finishes what was committed, and the agent goes on')
    const third = await live(root)
    prove(!third.killed && renamed(root) === FILES.length, `all ${FILES.length} files have changed`)
    if (found > 0) prove(!third.called.includes('edit_files'), 'none of them was edited again')
    prove(readFileSync(join(root, 'CHANGES.md'), 'utf8').includes('greet is welcome'), 'the rest of the work is done')
    await look(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What a person finds afterwards. */
async function look(root) {
  const client = new Client({ name: 'person', version: '1.0.0' })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [SERVER, 'mcp', root], stderr: 'ignore' }),
  )
  const call = async (name, args = {}) => (await client.callTool({ name, arguments: args })).structuredContent
  const { transactions } = await call('history', { tag: TASK })
  const done = transactions.map(({ message }) => message).reverse()
  prove(
    JSON.stringify(done) === JSON.stringify(PLAN.map(({ why }) => why)),
    `the history has each step once: ${done.join('; ')}`,
  )
  prove((await call('verify', { workspace: true })).ok, 'the journal is sound')
  await call('undo', { transaction: transactions[1].transaction })
  prove(renamed(root) === 0, 'the person takes the second step back, and keeps the others')
  await client.close()
}

if (process.argv[2] === 'agent') await agent(process.argv[3], Number(process.argv[4]))
else {
  await main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}

/**
 * An agent with a text editor is killed in the middle of a change of three files. It comes back, and goes on.
 *
 *     node examples/agent-loop.mjs
 *
 * The model is a script, so nothing goes over a network; the loop is one that works with a real model too.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openJournal } from 'write-journal'
import { createTextEditor } from 'write-journal/anthropic'

/** What the model does for each task: one tool call after the other. */
const TASKS = [
  {
    id: 'task-1',
    prompt: 'Write a module that greets, a program that uses it, and a README.',
    calls: [
      { command: 'create', path: 'greet.js', file_text: 'export const greet = (name) => "hello " + name\n' },
      {
        command: 'create',
        path: 'main.js',
        file_text: "import { greet } from './greet.js'\nconsole.log(greet('you'))\n",
      },
      { command: 'create', path: 'README.md', file_text: '# Greetings\n\n`greet(name)` greets.\n' },
    ],
  },
  {
    id: 'task-2',
    prompt: 'Rename greet to welcome, everywhere.',
    calls: [
      { command: 'str_replace', path: 'greet.js', old_str: 'const greet', new_str: 'const welcome' },
      { command: 'str_replace', path: 'main.js', old_str: '{ greet }', new_str: '{ welcome }' },
      { command: 'str_replace', path: 'main.js', old_str: "greet('you')", new_str: "welcome('you')" },
      { command: 'str_replace', path: 'README.md', old_str: '`greet(name)`', new_str: '`welcome(name)`' },
    ],
  },
  {
    id: 'task-3',
    prompt: 'Say in the README how to run it.',
    calls: [{ command: 'insert', path: 'README.md', insert_line: 3, insert_text: '\nRun `node main.js`.' }],
  },
]

/** Stands for a model: answers a conversation with the next tool call, or with nothing when it is done. */
function model(task, messages) {
  const results = messages.filter(({ role }) => role === 'tool').length
  const input = task.calls[results]
  return input === undefined ? null : { type: 'tool_use', id: `${task.id}-call-${results + 1}`, name: 'editor', input }
}

/** The loop: each task is one transaction. Which ones are done, the history knows. */
async function agent(root, dieAfterCalls) {
  const journal = await openJournal(root, { actor: 'agent' })
  const done = new Set()
  for await (const { parent } of journal.history({ actor: 'agent' })) done.add(parent)
  let calls = 0
  for (const task of TASKS) {
    if (done.has(task.id)) continue
    const transaction = journal.begin({ message: task.prompt, parent: task.id })
    const editor = createTextEditor(journal, { transaction })
    const messages = [{ role: 'user', content: task.prompt }]
    for (let call = model(task, messages); call !== null; call = model(task, messages)) {
      const result = await editor.answer(call)
      if (result.is_error) throw new Error(result.content)
      messages.push({ role: 'tool', content: [result] })
      calls += 1
      if (calls === dieAfterCalls) process.kill(process.pid, 'SIGKILL')
    }
    const { files } = await transaction.commit()
    console.log(`  ${task.id} done: ${files.map(({ path }) => path).join(', ')}`)
  }
  await journal.close()
}

/** Starts the agent in a process of its own. */
function start(root, ...more) {
  const { signal, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'agent', root, ...more], {
    stdio: 'inherit',
  })
  console.log(signal === null ? `  the agent ended with ${status}` : `  the agent was killed: ${signal}`)
}

function show(root) {
  for (const name of readdirSync(root).filter((name) => name !== '.journal')) {
    const uses = readFileSync(join(root, name), 'utf8').match(/\b(greet|welcome)\b(?!\.js)/g) ?? []
    console.log(`  ${name.padEnd(10)} ${[...new Set(uses)].join(', ')}`)
  }
}

async function collected(items) {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

async function demonstration() {
  const root = mkdtempSync(join(tmpdir(), 'agent-loop-'))
  try {
    console.log('The agent begins, and is killed when two of four edits of its second task are made:')
    start(root, '5')
    console.log('The folder is as the first task left it:')
    show(root)
    console.log('The agent comes back:')
    start(root)
    show(root)
    const journal = await openJournal(root, { actor: 'person' })
    console.log('The history:')
    for await (const { seq, actor, message } of journal.history({ order: 'oldest' })) {
      console.log(`  ${seq} ${actor}: ${message}`)
    }
    console.log('The person does not want the new name:')
    const [renaming] = await collected(journal.history({ parent: 'task-2' }))
    const refused = await journal.undo(renaming.tx).catch((error) => error)
    console.log(`  ${refused.code}: ${refused.message}`)
    const [run] = await collected(journal.history({ parent: 'task-3' }))
    await journal.undo(run.tx)
    await journal.undo(renaming.tx)
    show(root)
    console.log(`Every content is in the journal: ${(await journal.verify({ workspace: true })).ok}`)
    await journal.close()
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const [, , role, root, dieAfterCalls] = process.argv
if (role === 'agent') await agent(root, Number(dieAfterCalls))
else await demonstration()

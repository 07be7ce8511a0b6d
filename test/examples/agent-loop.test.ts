import { expect, it } from 'vitest'
import { runExample } from './run.ts'

const PRINTED = [
  'The agent begins, and is killed when two of four edits of its second task are made:',
  '  task-1 done: greet.js, main.js, README.md',
  '  the agent was killed: SIGKILL',
  'The folder is as the first task left it:',
  '  README.md  greet',
  '  greet.js   greet',
  '  main.js    greet',
  'The agent comes back:',
  '  task-2 done: greet.js, main.js, README.md',
  '  task-3 done: README.md',
  '  the agent ended with 0',
  '  README.md  welcome',
  '  greet.js   welcome',
  '  main.js    welcome',
  'The history:',
  '  1 agent: Write a module that greets, a program that uses it, and a README.',
  '  2 agent: Rename greet to welcome, everywhere.',
  '  3 agent: Say in the README how to run it.',
  'The person does not want the new name:',
  '  CONFLICT: changed since: README.md',
  '  README.md  greet',
  '  greet.js   greet',
  '  main.js    greet',
  'Every content is in the journal: true',
]

it.skipIf(process.platform === 'win32')(
  'an agent is killed in the middle of a change, comes back and goes on',
  async () => {
    const { status, stdout, stderr } = await runExample('agent-loop.mjs')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout.trimEnd().split('\n')).toEqual(PRINTED)
  },
)

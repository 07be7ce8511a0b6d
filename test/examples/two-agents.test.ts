import { expect, it } from 'vitest'
import { runExample } from './run.ts'

it('two agents and a person work in one folder', async () => {
  const { status, stdout, stderr } = await runExample('two-agents.mjs')
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout.trimEnd().split('\n')).toEqual([
    'both agents ended with 0 and 0',
    'alice: 10 lines in the list, 10 transactions, none lost',
    'bob: 10 lines in the list, 10 transactions, none lost',
    "the person's notes are whole: true",
    'the folder is what the history says: true',
  ])
})

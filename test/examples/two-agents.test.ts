/** Needs a journal that several processes write at a time; where a second one is refused, there is nothing to be tried. */
import { expect, it } from 'vitest'
import { scratchFolder } from '../agents/scratch.ts'
import { built } from '../crash/built.ts'
import { runExample } from './run.ts'

async function isShared(root: string): Promise<boolean> {
  const { openJournal } = await built()
  const first = await openJournal(root)
  try {
    await (await openJournal(root)).close()
    return true
  } catch {
    return false
  } finally {
    await first.close()
  }
}

it('two agents and a person work in one folder', async (context) => {
  if (!(await isShared(scratchFolder()))) context.skip('one process writes at a time')
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

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ChainedCommit, type Journal, type OpenOptions, openJournal } from '../../src/index.ts'

/** A folder of its own for one test, removed after it. */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'journal-agents-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** An empty workspace with its journal open, on the real file system. */
export async function scratchJournal(options: OpenOptions = {}): Promise<Journal> {
  const root = join(scratchFolder(), 'workspace')
  mkdirSync(root)
  const journal = await openJournal(root, { durability: 'os', ...options })
  onTestFinished(() => journal.close())
  return journal
}

/** All transactions, oldest first. */
export async function historyOf(journal: Journal): Promise<ChainedCommit[]> {
  const commits: ChainedCommit[] = []
  for await (const commit of journal.history({ order: 'oldest' })) commits.push(commit)
  return commits
}

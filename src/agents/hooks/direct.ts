import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { asJournalError } from '../../errors.ts'
import { openJournal } from '../../open-journal.ts'
import { HeldJournal } from './held-journal.ts'
import type { HookEvent } from './hook-event.ts'
import { leaveTrace } from './hook-folder.ts'
import { HookRecorder } from './recorder.ts'
import { traceOf } from './trace-of.ts'

/** What the helper would have done, in the hook's own process. Leaves a trace when it fails. */
export async function handleDirectly(root: string, event: HookEvent): Promise<void> {
  const journal = new HeldJournal(root, 0)
  try {
    await new HookRecorder(root, (found) => journal.collect(found)).record(event)
  } catch (error) {
    const { code, message } = asJournalError(error, 'recording')
    leaveTrace(root, { ...traceOf(event), code, message })
  } finally {
    await journal.close()
  }
}

/** Makes a journal in a project's folder. False: that is no project, but a whole home folder or disk. */
export async function initialize(folder: string): Promise<boolean> {
  const root = resolve(folder)
  if (root === resolve(homedir()) || root === dirname(root)) return false
  await (await openJournal(root)).close()
  return true
}

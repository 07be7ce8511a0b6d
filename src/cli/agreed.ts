import { createInterface } from 'node:readline/promises'
import { JournalError } from '../errors.ts'
import { UsageError } from './failure.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** Asks the person at the terminal whether a file may be written. @throws UsageError when there is nobody to ask */
export async function agreed({ signal }: Session, file: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError('there is nobody to ask, and nothing was written', 'Give --yes, or --dry-run to only look.')
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await dialogue.question(`Write this to ${printable(file)}? [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    throw new JournalError('ABORTED', 'Interrupted', { hint: 'Nothing was written.', cause: error })
  } finally {
    dialogue.close()
  }
}

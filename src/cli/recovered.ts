import { JournalError } from '../errors.ts'
import type { Journal } from '../journal.ts'
import { counted } from './measure.ts'

/** Throws NEEDS_RECOVERY while transactions are in flight from a crash: the files are then of no one point. */
export async function requireRecovered(journal: Journal): Promise<void> {
  const { needsRecovery, inFlight } = await journal.status()
  if (!needsRecovery) return
  throw new JournalError('NEEDS_RECOVERY', `A crash left ${counted(inFlight.length, 'transaction')} in flight`, {
    hint: 'Run `journal recover --dry-run` to see what that is, and `journal recover` to finish it.',
    details: { inFlight },
  })
}

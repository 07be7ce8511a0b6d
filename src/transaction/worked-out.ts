import { JournalError } from '../errors.ts'
import type { Draft } from './draft.ts'
import type { PlainTransaction, Seen } from './plain-transaction.ts'

type Work = Pick<PlainTransaction, 'operations' | 'reads'> & { readonly tx: string }

/**
 * Works the operations of a transaction out in a new draft, on what is in the workspace now.
 * @throws JournalError `CONFLICT` when what it read is not so any more, or an operation cannot be done: it could be when it was asked for
 */
export async function workedOut(fresh: Draft, { tx, operations, reads }: Work): Promise<Draft> {
  try {
    for (const [path, state] of reads) {
      // It read what it had made itself.
      if (state?.kind !== 'file') continue
      await fresh.read(path)
      if (JSON.stringify(fresh.base.get(path)?.state) !== JSON.stringify(state)) {
        throw new JournalError('CONFLICT', `${path} was read by this transaction and has changed since`, {
          hint: 'Run the transaction again.',
          path,
          tx,
        })
      }
    }
    for (const operation of operations) await fresh.apply(operation)
  } catch (error) {
    if (error instanceof JournalError && ['INVALID', 'NOT_FOUND', 'EXISTS'].includes(error.code)) {
      throw new JournalError('CONFLICT', `the workspace changed meanwhile: ${error.message}`, {
        hint: 'Look at the change and run the transaction again.',
        path: error.path,
        tx,
        cause: error,
      })
    }
    throw error
  }
  return fresh
}

/** Of paths that were looked at in the workspace, not only as the draft made them. */
export function seenBy({ base }: Draft, paths: Iterable<string>): Seen[] {
  const seen: Seen[] = []
  for (const path of paths) {
    const observation = base.get(path)
    if (observation !== undefined) seen.push([path, observation.state])
  }
  return seen
}

import type { JournalError } from '../../../src/errors.ts'

/** What an action throws. */
export async function failure(action: () => unknown): Promise<JournalError> {
  try {
    await action()
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

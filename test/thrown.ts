import type { JournalError } from '../src/errors.ts'

/** What an action throws. */
export function failure(action: () => unknown): JournalError {
  try {
    action()
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

/** The code of what an action throws, or `ok`. */
export function codeOf(action: () => unknown): string {
  try {
    action()
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  }
}

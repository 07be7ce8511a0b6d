import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import { JournalError, shown } from '../errors.ts'

const PERMISSIONS = 0o7777

export function notFound(path: string): JournalError {
  return new JournalError('NOT_FOUND', `there is no ${path}`, {
    hint: 'Check the spelling; paths are relative to the workspace.',
    path,
  })
}

export function notAFile(path: string): JournalError {
  return new JournalError('INVALID', `${path} is not a file`, { hint: 'Name a file.', path })
}

/** @throws JournalError `INVALID` for what are no permission bits */
export function checkedMode(mode: number, path: string): number {
  if (!Number.isInteger(mode) || mode < 0 || mode > PERMISSIONS) {
    throw new JournalError('INVALID', `${shown(mode)} is not a file mode`, {
      hint: 'Give permission bits, 0o000 to 0o7777.',
      path,
    })
  }
  return mode
}

/** Does a path have the content that the caller expects? @throws JournalError `CONFLICT`, or `INVALID` for what is no hash */
export function checkExpected(path: string, state: State, expected: ContentHash | null | undefined): void {
  if (expected === undefined) return
  if (expected !== null && (typeof expected !== 'string' || !/^[0-9a-f]{64}$/i.test(expected))) {
    throw new JournalError(
      'INVALID',
      `what ${path} is expected to hold must be a SHA-256 in hex, or null for no file`,
      {
        hint: 'Take the hash from a receipt, or from sha256sum.',
        path,
      },
    )
  }
  const found = hashOf(state)
  if (found === (expected === null ? null : expected.toLowerCase())) return
  throw new JournalError('CONFLICT', `${path} does not have the expected content`, {
    hint: 'Read it again and decide anew.',
    path,
    details: { expected, found },
  })
}

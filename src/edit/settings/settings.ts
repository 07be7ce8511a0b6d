/** Values by key path in JSON, YAML, TOML and INI files. `change`: `{ changes, format? }`. */
import { JournalError } from '../../errors.ts'
import type { Reviser } from '../revisers.ts'

export const settings: Reviser = {
  check(path, change) {
    // The slot for what is worked out elsewhere: until it is filled, nothing is taken.
    if (Object.keys(change).length >= 0)
      throw new JournalError('INVALID', 'settings is not there yet', { hint: 'Wait for it.', path })
    return change
  },
  revise(text) {
    return { text, report: null }
  },
}

import type { JournalError } from '../../errors.ts'
import { invalidAt, invalidLine, lineAt } from '../place.ts'
import { type KeyPath, shownPath } from './key-path.ts'

/** Refusals of changes to one file, each with the line that it is about. */
export class Refusal {
  readonly #path: string
  readonly #text: string

  constructor(path: string, text: string) {
    this.#path = path
    this.#text = text
  }

  at(offset: number, what: string, hint: string): JournalError {
    return invalidAt(this.#path, this.#text, offset, what, hint)
  }

  /** `through`: what stands where a table or a list would have to be. */
  noWay(offset: number, through: KeyPath, what = 'a single value'): JournalError {
    return this.at(
      offset,
      `${shownPath(through)} is ${what}`,
      'Nothing can be set inside of it: set it as a whole first.',
    )
  }

  noPlace(offset: number, list: KeyPath, length: number): JournalError {
    const hint = `It has ${length}, counted from 0; a place right after the last adds to it.`
    return this.at(offset, `the list ${shownPath(list)} has no such place`, hint)
  }

  twice(offsets: readonly number[], key: KeyPath): JournalError {
    const lines = offsets.map((offset) => lineAt(this.#text, offset))
    const what = `${shownPath(key)} stands ${lines.length} times, at lines ${lines.join(', ')}`
    return invalidLine(this.#path, lines[0] ?? 1, what, 'Take out all but one first, as text.')
  }
}

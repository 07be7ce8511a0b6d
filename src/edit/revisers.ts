/** What works new contents out of old ones, by name: the `by` of a revision in the history. Each is loaded when it is first asked for. */
import type { Json } from '../entry/entry.ts'
import { JournalError, shown } from '../errors.ts'

/** What is asked of a reviser, as it stands in the history. */
export type Change = { readonly [key: string]: Json }

export interface Revised {
  readonly text: string
  /** What a caller may want to know of it: plain values. */
  readonly report: Json
  /** How many changes it was, each of which might have been a reading and a writing of the file. Default 1. */
  readonly changes?: number
}

/** Pure: the same text and change give the same result, whenever and however often it is asked. */
export interface Reviser {
  /**
   * Looks at what is asked for, before any file is read; gives it in the form that is to stand in the history.
   * @throws JournalError `INVALID`
   */
  check(path: string, change: Change): Change
  /**
   * `text`: the whole content without a byte order mark, line ends as they are in the file. What is not to be changed must stay as it is.
   * @throws JournalError `INVALID` when the text is not of its kind, or has not what is to be changed
   */
  revise(text: string, change: Change, path: string): Revised | Promise<Revised>
}

const REVISERS = {
  notebook: async (): Promise<Reviser> => (await import('./notebook.ts')).notebook,
  set: async (): Promise<Reviser> => (await import('./settings/settings.ts')).settings,
  imports: async (): Promise<Reviser> => (await import('./imports/imports.ts')).imports,
}

export type ReviserName = keyof typeof REVISERS

/** @throws JournalError `INVALID` for a name that none has */
export function reviserOf(name: string): Promise<Reviser> {
  if (typeof name === 'string' && Object.hasOwn(REVISERS, name)) return REVISERS[name as ReviserName]()
  throw new JournalError('INVALID', `nothing that revises files is called ${shown(name)}`, {
    hint: `Known are ${Object.keys(REVISERS).join(', ')}.`,
  })
}

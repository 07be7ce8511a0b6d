import type { PlainValue } from '../plain-value.ts'
import type { Splice } from '../splice.ts'
import type { KeyPath } from './key-path.ts'

/** A configuration file that was read: what it says, and how to make it say something else by changing no more than that. */
export interface SettingsFile {
  /** What it says. Values that are no plain ones (dates, aliases) stand as objects that are equal to themselves alone. */
  readonly value: PlainValue
  /** @throws JournalError `INVALID` with the line where there is no way to it */
  put(path: KeyPath, value: PlainValue): Splice[]
  /** Of what is there. */
  drop(path: KeyPath): Splice[]
}

export interface SettingsFormat {
  readonly name: FormatName
  /** Empty tables and lists are the same as none: they vanish with their last item. */
  readonly forgetsEmpty: boolean
  /** A value as a file of this format can hold it. @throws JournalError `INVALID` where it cannot */
  normal?(value: PlainValue, path: string): PlainValue
  /** `document`: which one of several in the file, from 0. @throws JournalError `INVALID` with the line of the first mistake */
  read(text: string, path: string, document?: number): Promise<SettingsFile>
}

export type FormatName = 'json' | 'yaml' | 'toml' | 'ini'

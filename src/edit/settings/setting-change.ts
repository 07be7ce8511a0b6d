import { JournalError, shown } from '../../errors.ts'
import { checkedValue, isTable, type PlainTable, type PlainValue } from '../plain-value.ts'
import { type KeyPath, keyPathOf } from './key-path.ts'

/** One change to a configuration file; `key` as a list of keys and places, or as text (`scripts.test`, `servers[0].host`). */
export type SettingChange =
  /** Sets a value; tables on the way that are missing are made. A place right after the last of a list adds to it. */
  | { readonly key: string | KeyPath; readonly value: PlainValue }
  /** Sets each value of a table, and of tables in it; what it does not name stays. */
  | { readonly key: string | KeyPath; readonly merge: PlainTable }
  | { readonly key: string | KeyPath; readonly delete: true }

export type CheckedChange = SettingChange & { readonly key: KeyPath }

/**
 * A frozen copy of a list of changes, once it is one.
 * @throws JournalError `INVALID` that names the change by its number
 */
export function checkedSettings(path: string, changes: readonly SettingChange[]): readonly CheckedChange[] {
  if (!Array.isArray(changes) || changes.length === 0) {
    throw refused(path, `the changes for ${shown(path)} are no list with anything in it`)
  }
  return changes.map((change: unknown, index) => checkedSetting(path, change, index + 1))
}

function checkedSetting(path: string, change: unknown, number: number): CheckedChange {
  const what = `change ${number} of ${shown(path)}`
  if (!isTable(change)) throw refused(path, `${what} is no object`)
  const { key: given, value, merge, delete: gone, ...unknown } = change
  const forms = [value, merge, gone].filter((form) => form !== undefined).length
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw refused(path, `${what} has an unknown key ${shown(name)}`)
  if (forms !== 1) throw refused(path, `${what} has ${forms} of value, merge and delete`)
  const key = keyPathOf(given, what)
  if (merge !== undefined) {
    const table = checkedValue(merge, what)
    if (!isTable(table)) throw refused(path, `${what} merges what is no object`)
    return Object.freeze({ key, merge: table })
  }
  if (key.length === 0) throw refused(path, `${what} is for the whole file: write it, or merge`)
  if (value !== undefined) return Object.freeze({ key, value: checkedValue(value, what) })
  if (gone !== true) throw refused(path, `${what}: delete is ${shown(gone)}, not true`)
  return Object.freeze({ key, delete: true })
}

function refused(path: string, what: string): JournalError {
  return new JournalError('INVALID', what, {
    hint: 'Give { key, value }, { key, merge } or { key, delete: true }.',
    path,
  })
}

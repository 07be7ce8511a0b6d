import { JournalError, shown } from '../../errors.ts'
import { isTable } from '../plain-value.ts'

/** One change to the imports of a source file, in the words of its language. */
export type ImportChange =
  /** An import statement: what it binds is imported once afterwards, whatever was there. */
  | { readonly add: string }
  /** An import statement: what it binds is no longer imported. Or the name of a module: nothing is imported from it any more. */
  | { readonly remove: string }

/**
 * A frozen copy of a list of changes, once it is one.
 * @throws JournalError `INVALID` that names the change by its number
 */
export function checkedImports(path: string, changes: readonly ImportChange[]): readonly ImportChange[] {
  if (!Array.isArray(changes) || changes.length === 0) {
    throw refused(path, `the changes for ${shown(path)} are no list with anything in it`)
  }
  return changes.map((change: unknown, index) => {
    const what = `change ${index + 1} of ${shown(path)}`
    if (!isTable(change)) throw refused(path, `${what} is no object`)
    const [[kind, said] = [], ...more] = Object.entries(change).filter(([, value]) => value !== undefined)
    if ((kind !== 'add' && kind !== 'remove') || more.length > 0)
      throw refused(path, `${what} is not one of add and remove`)
    if (typeof said !== 'string' || said.trim() === '' || !said.isWellFormed()) {
      throw refused(path, `${what}: ${shown(said)} is no import`)
    }
    return Object.freeze(kind === 'add' ? { add: said } : { remove: said })
  })
}

function refused(path: string, what: string): JournalError {
  return new JournalError('INVALID', what, { hint: 'Give { add: "import …" } or { remove: "import …" }.', path })
}

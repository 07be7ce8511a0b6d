import { readApplyPatch } from '../../edit/patch/apply-patch-text.ts'
import { JournalError, shown } from '../../errors.ts'

/** One file to be made, changed or removed. `diff`: hunks without the marks of a whole patch; for a new file, lines that begin with `+`. */
export type PatchOperation =
  | { readonly type: 'create_file'; readonly path: string; readonly diff: string }
  | { readonly type: 'update_file'; readonly path: string; readonly diff: string; readonly moveTo?: string }
  | { readonly type: 'delete_file'; readonly path: string }

const HEADERS = { create_file: 'Add', update_file: 'Update', delete_file: 'Delete' } as const
const CHANGES = { create_file: 'add', update_file: 'update', delete_file: 'delete' } as const

/** Operations as one patch. @throws JournalError `INVALID`: what one says of a file cannot become something about another */
export function patchOf(operations: readonly PatchOperation[]): string {
  return `*** Begin Patch\n${operations.map(sectionOf).join('')}*** End Patch\n`
}

function sectionOf(operation: PatchOperation): string {
  const { type, path } = operation ?? {}
  if (typeof type !== 'string' || !Object.hasOwn(HEADERS, type)) {
    throw invalid(`${shown(type)} is no type of a patch operation`, `Name one of ${Object.keys(HEADERS).join(', ')}.`)
  }
  checkName(path)
  const { diff = '', moveTo } = operation as { readonly diff?: unknown; readonly moveTo?: unknown }
  if (typeof diff !== 'string') throw invalid(`the diff of ${path} is no text`, 'Give the hunks as a text.')
  if (moveTo !== undefined) checkName(moveTo)
  const move = moveTo === undefined ? '' : `*** Move to: ${moveTo}\n`
  const body = diff === '' || diff.endsWith('\n') ? diff : `${diff}\n`
  const section = `*** ${HEADERS[type]} File: ${path}\n${move}${type === 'delete_file' ? '' : body}`
  const [file, ...others] = readApplyPatch(`*** Begin Patch\n${section}*** End Patch\n`)
  if (
    others.length > 0 ||
    file?.path !== path ||
    file.change !== CHANGES[type] ||
    (file.to ?? path) !== (moveTo ?? path)
  ) {
    throw invalid(`the diff of ${path} speaks of other files`, 'Give only the hunks of this file.')
  }
  return section
}

function checkName(path: unknown): asserts path is string {
  if (typeof path === 'string' && path.trim() === path && path !== '' && !/[\r\n]/.test(path)) return
  throw invalid(`${shown(path)} is no path that a patch can name`, 'Name a file, on one line.')
}

function invalid(message: string, hint: string): JournalError {
  return new JournalError('INVALID', message, { hint })
}

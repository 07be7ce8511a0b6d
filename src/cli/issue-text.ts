import type { Issue } from '../safety/validation/validation.ts'
import { printable } from './printable.ts'

/** `path:line:column: message`, and the line it is about with a mark below the place. */
export function issueLines({ path, line, column, message, excerpt, existing }: Issue): string[] {
  const before = existing === true ? ' (as before)' : ''
  const head = `  ${printable(path)}:${line}:${column}: ${printable(message)}${before}`
  if (excerpt.trim() === '') return [head]
  // A cut line is not where its columns say.
  if (excerpt.startsWith('…')) return [head, `    ${printable(excerpt)}`]
  const shown = printable(excerpt)
  const mark = printable(excerpt.slice(0, column - 1)).length
  return [head, `    ${shown}`, `    ${' '.repeat(mark)}^`]
}

import type { UndoConflict } from '../history/undo/plan.ts'
import { printable } from './printable.ts'

/** What conflicts of all kinds say; those of an undo say more. */
export type Conflicting = Pick<UndoConflict, 'path'> & Partial<Pick<UndoConflict, 'sides' | 'by'>>

/** Lines of a side that are shown. */
const SHOWN = 6

/** The path, who changed it since, and both sides of each place where they differ. */
export function conflictText({ path, by, sides = [] }: Conflicting): string[] {
  const who = by === undefined ? '' : by.length > 0 ? `, changed since by ${by.join(', ')}` : ', changed by hand'
  const places = sides.flatMap(({ lines: [from, to], ours, theirs }) => [
    `  ${to > from ? `lines ${from} to ${to}` : `line ${from}`}, now:`,
    ...side(ours),
    '  and it would be:',
    ...side(theirs),
  ])
  return [`${printable(path)}${who}`, ...places]
}

function side(text: string): string[] {
  if (text === '') return ['    (nothing)']
  const lines = text.replace(/\n$/, '').split('\n')
  const more = lines.length > SHOWN ? [`    … ${lines.length - SHOWN} more`] : []
  return [...lines.slice(0, SHOWN).map((line) => `    ${printable(line)}`), ...more]
}

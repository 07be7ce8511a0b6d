/** Three-way merge of texts, line by line. */
import { JournalError } from '../errors.ts'
import { linesOf } from './lines.ts'

/** Both sides of a place that was changed in two ways. */
export interface MergeConflict {
  /** First and last line of it in what stands in the file, from 1; the last is one less than the first where nothing stands. */
  readonly lines: readonly [from: number, to: number]
  readonly base: string
  /** What the caller makes of it. */
  readonly ours: string
  /** What stands there. */
  readonly theirs: string
}

export interface Merged {
  readonly text: string
  readonly conflicts: readonly MergeConflict[]
}

/** Lines of each side that a hint shows. */
const SHOWN = 10

/** What comes of `theirs` with all that `ours` changed in `base`. Where both changed the same lines otherwise, theirs stands, and a conflict tells. */
export async function merge(base: string, ours: string, theirs: string): Promise<Merged> {
  if (theirs === base || theirs === ours) return { text: ours, conflicts: [] }
  if (ours === base) return { text: theirs, conflicts: [] }
  const { diff3Merge } = await import('node-diff3')
  const sides = [ours, base, theirs].map(wholeLines) as [string[], string[], string[]]
  const head = common(sides, (lines, at) => lines[at])
  const tail = common(
    sides.map((lines) => lines.slice(head)),
    (lines, at) => lines[lines.length - 1 - at],
  )
  const [a, o, b] = sides.map((lines) => lines.slice(head, lines.length - tail)) as [string[], string[], string[]]
  const merged: string[] = [sides[0].slice(0, head).join('')]
  const conflicts: MergeConflict[] = []
  for (const { ok, conflict } of diff3Merge(a, o, b, { excludeFalseConflicts: true })) {
    if (ok !== undefined) merged.push(ok.join(''))
    if (conflict === undefined) continue
    const from = head + conflict.bIndex + 1
    const [ours, base, theirs] = [conflict.a, conflict.o, conflict.b].map((lines) => lines.join('')) as [
      string,
      string,
      string,
    ]
    conflicts.push({ lines: [from, from + conflict.b.length - 1], base, ours, theirs })
    merged.push(theirs)
  }
  merged.push(sides[0].slice(sides[0].length - tail).join(''))
  return { text: merged.join(''), conflicts }
}

/** How many lines all sides have the same at one end. */
function common(
  sides: readonly (readonly string[])[],
  lineAt: (lines: readonly string[], at: number) => string | undefined,
) {
  const least = Math.min(...sides.map(({ length }) => length))
  let at = 0
  while (at < least && sides.every((lines) => lineAt(lines, at) === lineAt(sides[0] as readonly string[], at))) at += 1
  return at
}

/** Lines with their ends. */
function wholeLines(text: string): string[] {
  return linesOf(text).map(({ from, next }) => text.slice(from, next))
}

/** @throws JournalError `CONFLICT` with both sides of every place */
export function mergeError(path: string, conflicts: readonly MergeConflict[]): JournalError {
  const places = conflicts.map(({ lines: [from] }) => from)
  const [first] = conflicts as [MergeConflict]
  const side = (name: string, text: string) => `${name}:\n${text.split('\n').slice(0, SHOWN).join('\n')}`
  return new JournalError('CONFLICT', `${path} was changed meanwhile in the same lines: ${places.join(', ')}`, {
    hint: `Read it again and decide. ${side('Yours', first.ours)}\n${side('There', first.theirs)}`,
    path,
    details: { sides: conflicts },
  })
}

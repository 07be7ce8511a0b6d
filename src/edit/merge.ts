/** Three-way merge of texts, line by line. */
import { JournalError } from '../errors.ts'

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
/** Pairs of lines that are the same, as many as are compared. */
const MOST_PAIRS = 20_000_000

/**
 * What comes of `theirs` with all that `ours` changed in `base`. Where both changed the same lines otherwise, theirs stands, and a conflict tells. Null:
 * they differ in too much.
 */
export async function merge(base: string, ours: string, theirs: string): Promise<Merged | null> {
  if (theirs === base || theirs === ours) return { text: ours, conflicts: [] }
  if (ours === base) return { text: theirs, conflicts: [] }
  const head = commonHead(base, ours, theirs)
  const tail = commonTail(head, base, ours, theirs)
  const [a, o, b] = [ours, base, theirs].map((text) => wholeLines(text.slice(head, text.length - tail))) as Sides
  if (isTooMuch(a, o, b)) return null
  const { diff3Merge } = await import('node-diff3')
  const above = countLines(theirs.slice(0, head))
  const merged: string[] = [base.slice(0, head)]
  const conflicts: MergeConflict[] = []
  for (const { ok, conflict } of diff3Merge(a, o, b, { excludeFalseConflicts: true })) {
    if (ok !== undefined) merged.push(ok.join(''))
    if (conflict === undefined) continue
    const from = above + conflict.bIndex + 1
    const [ours, base, theirs] = [conflict.a, conflict.o, conflict.b].map((lines) => lines.join('')) as [
      string,
      string,
      string,
    ]
    conflicts.push({ lines: [from, from + conflict.b.length - 1], base, ours, theirs })
    merged.push(theirs)
  }
  merged.push(base.slice(base.length - tail))
  return { text: merged.join(''), conflicts }
}

type Sides = [ours: string[], base: string[], theirs: string[]]

/** Characters of whole lines that all of them begin with. */
function commonHead(base: string, ...others: readonly string[]): number {
  const least = Math.min(base.length, ...others.map(({ length }) => length))
  let at = 0
  while (at < least && others.every((text) => text.charCodeAt(at) === base.charCodeAt(at))) at += 1
  return at === 0 ? 0 : base.lastIndexOf('\n', at - 1) + 1
}

/** Characters of whole lines that all of them end with, behind their common head. */
function commonTail(head: number, base: string, ...others: readonly string[]): number {
  const least = Math.min(base.length, ...others.map(({ length }) => length)) - head
  const same = (back: number) => others.every((text) => text.at(-back) === base.at(-back))
  let back = 0
  while (back < least && same(back + 1)) back += 1
  // What lies between begins, and ends, with a whole line in all of them.
  const start = base.indexOf('\n', base.length - back)
  return start < 0 ? 0 : base.length - start - 1
}

/** Would comparing them take too long? Each line of one is held against all that are the same in another. */
function isTooMuch(...[ours, base, theirs]: Sides): boolean {
  const counts = new Map<string, number>()
  for (const line of base) counts.set(line, (counts.get(line) ?? 0) + 1)
  let pairs = 0
  for (const side of [ours, theirs]) for (const line of side) pairs += counts.get(line) ?? 0
  return pairs > MOST_PAIRS
}

function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

/** Lines with their ends. */
function wholeLines(text: string): string[] {
  const lines: string[] = []
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    const next = end < 0 ? text.length : end + 1
    lines.push(text.slice(from, next))
    from = next
  }
  return lines
}

/** @throws JournalError `CONFLICT` for texts that differ in too much to be merged */
export function unmergeable(path: string): JournalError {
  return new JournalError('CONFLICT', `${path} was changed meanwhile in too much to be merged`, {
    hint: 'Read it again and decide anew.',
    path,
  })
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

import { openJournal } from '../../src/index.ts'
import { type Program, ROOT } from './program.ts'
import { acknowledged, type Span, treeOf } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'
import { differences, type Tree } from './tree.ts'

/** What must be found on a disk that is left of a crash. */
export interface Moment {
  readonly span: Span
  /** Newest commit that was acknowledged when it came. */
  readonly acknowledged: number
}

export const momentOf = (span: Span): Moment => ({ span, acknowledged: acknowledged(span) })

/**
 * Invariant 3: opens what a crash left, and compares the tree with that of a prefix of the transactions that has every acknowledged one.
 * `watched`: called around what may crash again.
 */
export async function recoverAndCheck(
  disk: SimDisk,
  { span, acknowledged }: Moment,
  { segmentSize, durability }: Program,
  watched: (on: boolean) => void,
): Promise<void> {
  watched(true)
  const journal = await openJournal(ROOT, { disk, segmentSize, durability })
  watched(false)
  const problems: string[] = []
  let seq = 0
  for await (const commit of journal.history()) {
    if (commit.kind === 'recovery') continue
    seq = commit.seq
    break
  }
  const trees = new Map<number, Tree>([[span.before.seq, span.before.tree], ...span.after])
  const expected = trees.get(seq)
  if (seq < acknowledged) problems.push(`commit ${acknowledged} was acknowledged, and the history ends at ${seq}`)
  if (expected === undefined) problems.push(`the history ends at ${seq}, of ${[...trees.keys()]}`)
  else problems.push(...differences(expected, treeOf(disk)).filter((line) => !span.edited.has(line.split(':')[0] ?? '')))
  for (const { path } of journal.recovery.conflicts) if (!span.edited.has(path)) problems.push(`conflict at ${path}`)
  const staged = disk.readDirectory(`${ROOT}/.journal/staging`)
  if (staged.length > 0) problems.push(`left in staging: ${staged.map(({ name }) => name)}`)
  const report = await journal.verify({ workspace: true })
  for (const problem of report.problems) problems.push(JSON.stringify(problem))
  for (const { path } of report.changed ?? []) if (!span.edited.has(path)) problems.push(`${path} is not as the history says`)
  watched(true)
  await journal.close()
  watched(false)
  if (disk.openHandles.length > 0) problems.push(`left open: ${disk.openHandles}`)
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

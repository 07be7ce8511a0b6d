import { type Journal, JournalError, openJournal } from '../../src/index.ts'
import { type Program, ROOT, type Step, take } from './program.ts'
import type { SimDisk } from './sim-disk.ts'
import { differences, type Tree } from './tree.ts'

/** One step of a program: what there was before it, and what it makes of that when nothing stops it. */
export interface Span {
  readonly step: Step
  readonly before: { readonly seq: number; readonly tree: Tree }
  /** Set when the step is over. */
  final: Tree
  /** Ids of the transactions that were acknowledged so far. */
  readonly acknowledged: string[]
  /** Paths that a person changed since the last checkpoint: recovery may report them. */
  readonly edited: ReadonlySet<string>
  /** Paths that a person ever changed: the history may know nothing of it. */
  readonly foreign: ReadonlySet<string>
}

export const treeOf = (disk: SimDisk): Tree => disk.tree(ROOT, ['.journal'])

const REFUSALS = new Set(['INVALID', 'NOT_FOUND', 'EXISTS', 'CONFLICT', 'PATH_OUTSIDE', 'PERMISSION'])

/**
 * Runs a program to its end; `begin` is told of each span when it begins.
 * @param undisturbed the trees after each span of a run in which no operation of the disk failed. With it, some may fail in this one: each step
 * then does the same, or fails as a whole and ends the run.
 * @returns the trees after each span
 */
export async function rehearse(
  program: Program,
  disk: SimDisk,
  begin: (span: Span) => void,
  undisturbed?: readonly Tree[],
): Promise<Tree[]> {
  const { segmentSize, durability } = program
  const trees: Tree[] = []
  let journal: Journal | null = null
  let edited = new Set<string>()
  const foreign = new Set<string>()
  let span: Span | null = null
  const open = async () => {
    journal = await openJournal(ROOT, { disk, segmentSize, durability })
    journal.on('commit', ({ tx }) => span?.acknowledged.push(tx))
    return journal
  }
  const steps: readonly Step[] = [{ kind: 'reopen' }, ...program.steps, { kind: 'reopen' }]
  let seq = 0
  try {
    for (const step of steps) {
      if (step.kind === 'person') {
        edited.add(step.path)
        foreign.add(step.path)
      }
      let goesOn = true
      const tree = treeOf(disk)
      const final = undisturbed?.[trees.length] ?? tree
      span = { step, before: { seq, tree }, final, acknowledged: [], edited: new Set(edited), foreign }
      begin(span)
      if (step.kind === 'reopen') {
        await (journal as Journal | null)?.close()
        journal = await open()
      } else goesOn = await tryStep(journal as unknown as Journal, disk, step, undisturbed !== undefined)
      if (step.kind === 'person') disk.settle()
      if (step.kind === 'reopen' || step.kind === 'checkpoint') edited = new Set()
      span.final = treeOf(disk)
      trees.push(span.final)
      seq = (journal as unknown as Journal).head.seq
      const other = differences(undisturbed?.[trees.length - 1] ?? span.final, span.final)
      if (other.length > 0) throw new Error(`${step.kind} ended with ${other.join('; ')}`)
      if (!goesOn) break
    }
  } catch (error) {
    if (undisturbed === undefined || !(error instanceof JournalError)) throw error
  }
  try {
    await (journal as Journal | null)?.close()
  } catch (error) {
    if (undisturbed === undefined || !(error instanceof JournalError)) throw error
  }
  if (disk.openHandles.length > 0) throw new Error(`left open: ${disk.openHandles}`)
  return trees
}

/** What is refused changes nothing. False: the step is done, but left a history other than undisturbed, on which later steps would do something else. */
async function tryStep(journal: Journal, disk: SimDisk, step: Step, disturbed: boolean): Promise<boolean> {
  const before = treeOf(disk)
  try {
    return (await take(journal, disk, step)) !== false
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    // Of several transactions some may be done; a poisoned journal leaves the rest to recovery.
    if (step.kind !== 'together' && error.code !== 'POISONED') {
      const changed = differences(before, treeOf(disk))
      if (changed.length > 0)
        throw new Error(`${step.kind} failed with ${error.code}, and changed ${changed.join('; ')}`)
    }
    if (disturbed || !REFUSALS.has(error.code)) throw error
    return true
  }
}

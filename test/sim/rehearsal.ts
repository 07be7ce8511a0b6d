import { type Journal, JournalError, openJournal, type Receipt } from '../../src/index.ts'
import { type Program, ROOT, type Step, take } from './program.ts'
import type { SimDisk } from './sim-disk.ts'
import { differences, type Tree } from './tree.ts'

/** One step of a program: what there was before it, and what each of its commits made of that. */
export interface Span {
  readonly step: Step
  readonly before: { readonly seq: number; readonly tree: Tree }
  /** By number of the commit. Complete when the step is over. */
  readonly after: Map<number, Tree>
  /** What was acknowledged so far. */
  readonly receipts: Receipt[]
  /** Paths that a person changed since the last checkpoint: recovery may report them. */
  readonly edited: ReadonlySet<string>
}

export const treeOf = (disk: SimDisk): Tree => disk.tree(ROOT, ['.journal'])

export const acknowledged = ({ before, receipts }: Span): number =>
  receipts.reduce((newest, { seq }) => Math.max(newest, seq), before.seq)

const REFUSALS = new Set(['INVALID', 'NOT_FOUND', 'EXISTS', 'CONFLICT', 'PATH_OUTSIDE'])

/** Runs a program to its end; `begin` is told of each span when it begins. */
export async function rehearse(program: Program, disk: SimDisk, begin: (span: Span) => void): Promise<void> {
  const { segmentSize, durability } = program
  let seq = 0
  let edited = new Set<string>()
  const start = (step: Step): Span => {
    const span = { step, before: { seq, tree: treeOf(disk) }, after: new Map(), receipts: [], edited: new Set(edited) }
    begin(span)
    return span
  }
  let span = start({ kind: 'reopen' })
  const open = async () => {
    const journal = await openJournal(ROOT, { disk, segmentSize, durability })
    return journal.on('commit', (receipt) => span.receipts.push(receipt))
  }
  let journal = await open()
  for (const step of program.steps) {
    if (step.kind === 'person') edited.add(step.path)
    span = start(step)
    if (step.kind === 'reopen') {
      await journal.close()
      journal = await open()
    } else await tryStep(journal, disk, step)
    if (step.kind === 'person') disk.settle()
    if (step.kind === 'reopen' || step.kind === 'checkpoint') edited = new Set()
    note(span, journal.head.seq, treeOf(disk))
    seq = journal.head.seq
  }
  span = start({ kind: 'reopen' })
  await journal.close()
}

async function tryStep(journal: Journal, disk: SimDisk, step: Step): Promise<void> {
  const before = treeOf(disk)
  try {
    await take(journal, disk, step)
  } catch (error) {
    if (!(error instanceof JournalError && REFUSALS.has(error.code))) throw error
    const changed = differences(before, treeOf(disk))
    if (changed.length > 0) throw new Error(`${step.kind} was refused, and changed ${changed.join('; ')}`)
  }
}

/** The trees after each commit of a step that is over. Of transactions at the same time, each has a folder of its own. */
function note({ before, after, receipts, step }: Span, head: number, tree: Tree): void {
  const laneOf = (seq: number) => receipts.find((receipt) => receipt.seq === seq)?.files[0]?.path.split('/')[0] ?? ''
  for (let seq = before.seq + 1; seq <= head; seq += 1) {
    const last = after.get(seq - 1) ?? before.tree
    after.set(seq, step.kind === 'together' ? withLane(last, tree, laneOf(seq)) : tree)
  }
}

function withLane(last: Tree, final: Tree, lane: string): Tree {
  const inLane = (path: string) => path === lane || path.startsWith(`${lane}/`)
  return new Map([...[...last].filter(([path]) => !inLane(path)), ...[...final].filter(([path]) => inLane(path))])
}

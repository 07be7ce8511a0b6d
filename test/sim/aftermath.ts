import { readCommit } from '../../src/entry/chain.ts'
import type { Commit } from '../../src/entry/commit.ts'
import { openJournal, type RecoveryReport } from '../../src/index.ts'
import type { FrameKind } from '../../src/log/frame.ts'
import { beginningOf } from '../../src/store/base.ts'
import { Layout } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/opening.ts'
import { LARGE, type Program, ROOT } from './program.ts'
import type { Random } from './random.ts'
import { type Span, treeOf } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'
import { differences, type Tree } from './tree.ts'

const OTHERS: ReadonlySet<FrameKind> = new Set(['segment', 'term', 'content', 'checkpoint', 'gap'])
/** Share of the recoveries after which every content is read, too. */
const VERIFIED = 0.25
/** Share of the recoveries that are followed by another commit and a power cut. */
const GOES_ON = 0.05
/** Share of the recoveries that take back what was not finished, instead of finishing it. */
const REVERTS = 0.3

/** What must be found on a disk that is left of a crash. */
export interface Moment {
  readonly span: Span
  /** Transactions of the span that were acknowledged when it came. */
  readonly acknowledged: readonly string[]
}

export const momentOf = (span: Span): Moment => ({ span, acknowledged: [...span.acknowledged] })

/** How to recover. An edit by a person may make what was acknowledged look as if it had never been done: then it is always finished. */
export function modeFor({ span }: Moment, random: Random): 'replay' | 'revert' {
  return random.chance(REVERTS) && span.edited.size === 0 ? 'revert' : 'replay'
}

/**
 * Invariant 3: opens what a crash left, and compares the tree with that of a prefix of the transactions that has every acknowledged one.
 * `watched`: called around what may crash again.
 * @throws Error with a line a problem
 */
export async function recoverAndCheck(
  disk: SimDisk,
  moment: Moment,
  { segmentSize, durability }: Program,
  random: Random,
  watched: (on: boolean) => void,
): Promise<void> {
  const { edited, foreign } = moment.span
  const broken = brokenOf(disk)
  const recover = modeFor(moment, random)
  watched(true)
  const journal = await openJournal(ROOT, { disk, segmentSize, durability, recover })
  watched(false)
  const problems = unexpected(disk, moment)
  problems.push(...misreported(disk, journal.recovery, recover))
  if (journal.recovery.tornBytes > 0) problems.push(...notKept(disk, broken))
  for (const { path } of journal.recovery.conflicts) if (!edited.has(path)) problems.push(`conflict at ${path}`)
  const staged = disk.readDirectory(`${ROOT}/.journal/staging`)
  if (staged.length > 0) problems.push(`left in staging: ${staged.map(({ name }) => name)}`)
  if (random.chance(VERIFIED)) {
    const report = await journal.verify({ workspace: true })
    for (const problem of report.problems) problems.push(JSON.stringify(problem))
    for (const { path } of report.changed ?? []) if (!foreign.has(path)) problems.push(`${path} is not as recorded`)
  }
  watched(true)
  await journal.close()
  watched(false)
  if (disk.openHandles.length > 0) problems.push(`left open: ${disk.openHandles}`)
  if (problems.length > 0) throw new Error([`(${recover})`, ...problems].join('\n'))
  if (random.chance(GOES_ON)) await goesOn(disk, segmentSize, random)
}

function brokenOf(disk: SimDisk): Tree {
  const path = `${ROOT}/.journal/broken`
  return disk.exists(path) ? disk.tree(path) : new Map()
}

/** What a repair cuts off is kept for good before it is cut. `before`: what earlier ones left, which may not have got so far. */
function notKept(disk: SimDisk, before: Tree): string[] {
  const made = new Map([...brokenOf(disk)].filter(([name]) => !before.has(name)))
  const durable = brokenOf(disk.crash('none'))
  return differences(made, new Map([...durable].filter(([name]) => made.has(name))))
}

/** What is committed after a recovery is as safe as anything. */
async function goesOn(disk: SimDisk, segmentSize: number, random: Random): Promise<void> {
  const content = 'x'.repeat(random.pick([3, LARGE]))
  const journal = await openJournal(ROOT, { disk, segmentSize })
  await journal.write('afterwards', content)
  if (random.chance(0.5)) await journal.checkpoint()
  const left = disk.crash(random.pick(['ordered', 'any'] as const), { seed: random.uint32() })
  await (await openJournal(ROOT, { disk: left })).close()
  const path = `${ROOT}/afterwards`
  if (!left.exists(path) || left.readText(path) !== content) throw new Error('what was committed afterwards is lost')
}

/** How history and tree differ from what they may be. */
export function unexpected(disk: SimDisk, { span, acknowledged }: Moment): string[] {
  const { before, final, step, edited } = span
  const done = new Map<string, string>()
  const commits = commitsOf(disk).reverse()
  const reverted = revertedIn(commits)
  for (const { seq, tx, kind, entries } of commits) {
    if (seq <= before.seq) break
    if (kind !== 'recovery' && kind !== 'revert' && !reverted.has(tx))
      done.set(tx, entries[0]?.path?.split('/')[0] ?? '')
  }
  const horizon = horizonOf(disk)
  // What was committed beside a drop, and dropped with the rest, is there in the tree.
  if (horizon > before.seq) for (const tx of acknowledged) done.set(tx, '')
  const problems: string[] = []
  for (const tx of acknowledged) if (!done.has(tx)) problems.push(`${tx} was acknowledged, and is gone`)
  const newest = commits.at(0)?.seq ?? horizon
  if (newest < before.seq) problems.push(`the history ends at ${newest}, and was at ${before.seq} when the step began`)
  let expected = before.tree
  if (step.kind === 'together') for (const lane of done.values()) expected = withLane(expected, final, lane)
  else if (done.size > 0 || horizon > before.seq || step.kind === 'person') expected = final
  const found = differences(expected, treeOf(disk))
  problems.push(...found.filter((line) => !edited.has(line.slice(0, line.indexOf(':')))))
  return problems
}

/** What was taken back for good, of commits of which the newest comes first: what takes back may be taken back in turn. */
function revertedIn(commits: readonly Commit[]): Set<string> {
  const reverted = new Set<string>()
  for (const { tx, kind, of } of commits) if (kind === 'revert' && !reverted.has(tx)) reverted.add(of ?? '')
  return reverted
}

/** Does the history say what the recovery reports? */
function misreported(disk: SimDisk, { replayed, reverted }: RecoveryReport, mode: 'replay' | 'revert'): string[] {
  if (replayed.length + reverted.length === 0) return []
  const known = revertedIn(commitsOf(disk).reverse())
  return [
    ...reverted.filter((tx) => mode === 'replay' || !known.has(tx)).map((tx) => `${tx} is reported as taken back`),
    ...replayed.filter((tx) => known.has(tx)).map((tx) => `${tx} is reported as finished, and was taken back`),
  ]
}

/** Number of the last transaction that was dropped. */
function horizonOf(disk: SimDisk): number {
  const { reader, format } = openStore(disk, new Layout(ROOT))
  return beginningOf(reader, format.journal).head.seq
}

/** What is in the log, read without the index. */
function commitsOf(disk: SimDisk): Commit[] {
  const { reader } = openStore(disk, new Layout(ROOT))
  const commits: Commit[] = []
  for (const { kind, payload } of reader.read(reader.start, { skip: OTHERS }))
    if (kind === 'commit') commits.push(readCommit(payload))
  return commits
}

/** Of transactions at the same time, each has a folder of its own: so they may be there in any combination. */
function withLane(before: Tree, final: Tree, lane: string): Tree {
  const inLane = (path: string) => path === lane || path.startsWith(`${lane}/`)
  return new Map([...[...before].filter(([path]) => !inLane(path)), ...[...final].filter(([path]) => inLane(path))])
}

import type { Anchor, Disk } from '../disk/disk.ts'
import { isStirred, stir } from '../disk/file.ts'
import { effectsOf } from '../entry/effects.ts'
import { type Entry, isAboutPath } from '../entry/entry.ts'
import { asJournalError, hasSystemCode } from '../errors.ts'
import type { Committer } from '../transaction/committer.ts'
import { newTransactionId } from '../transaction/transaction-id.ts'
import type { Change } from '../workspace/change.ts'
import { Materialization, type Site } from '../workspace/materialization.ts'
import { parentOf } from '../workspace/safe-path.ts'
import { mayBeSynced } from '../workspace/staged-file.ts'
import { asideMark, contentsOf, findLeftovers, isAccountedFor, isGone, type Leftover } from './leftovers.ts'
import type { FlightCommit, LogScan } from './log-scan.ts'
import { isMixture, mixtureStates } from './mixture.ts'
import { historiesOf, type PathHistory } from './path-history.ts'
import { type PathPlan, planRecovery, type RecoveryPlan } from './plan.ts'
import type { RecoveryReport } from './report.ts'

export interface RecoverySite extends Site {
  readonly root: string
  readonly broken: string
  /** A sync of workspace files failed before. */
  readonly suspect: boolean
  /** Files of more bytes than this may have been changed in place. */
  readonly inline: number
  /** Is the transaction in the history? Asked only about those that left something in `staging`. */
  readonly isCommitted: (tx: string) => Promise<boolean>
}

export interface RecoveryOptions {
  readonly mode: 'replay' | 'revert'
  /** Keep staged contents of transactions that were never committed, in `broken/`. */
  readonly salvage: boolean
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** What there is to recover from, found without changing anything. */
export async function examine(
  site: RecoverySite,
  scan: LogScan,
  mode: 'replay' | 'revert',
): Promise<{ readonly plan: RecoveryPlan; readonly leftovers: readonly Leftover[] }> {
  const { disk } = site.observer
  const leftovers = findLeftovers(disk, site.root, site.staging, scan.inFlight)
  const known = contentsOf(scan.inFlight)
  const movedAside = new Set<string>()
  const asideMarks = new Set<string>()
  for (const leftover of leftovers) {
    const mark = await asideMark(disk, leftover)
    if (mark !== null) asideMarks.add(mark)
    if (
      leftover.path !== null &&
      isGone(leftover) &&
      (await isAccountedFor(disk, leftover, scan.inFlight, known, site.contents))
    )
      movedAside.add(leftover.path)
  }
  const { observer, contents, suspect, inline } = site
  const plan = await planRecovery({ disk, observer, contents, movedAside, asideMarks, suspect, inline }, scan, mode)
  const committed = new Set(scan.inFlight.map(({ commit }) => commit.tx))
  const discarded = new Set(plan.report.discarded)
  for (const tx of new Set(leftovers.map((leftover) => leftover.tx))) {
    if (tx === '' || committed.has(tx) || discarded.has(tx)) continue
    // A file removed after its transaction was done is back after a power cut: nothing made its removal durable.
    if (!(await site.isCommitted(tx))) discarded.add(tx)
  }
  return { plan: { ...plan, report: { ...plan.report, discarded: [...discarded] } }, leftovers }
}

/** Does the plan ask for anything to be done to the workspace? */
export function isIdle(plan: RecoveryPlan): boolean {
  return plan.paths.every(({ rule }) => rule.decision === 'nothing')
}

/**
 * Carries a plan out: what was moved aside and belongs to somebody goes into the history first, then what is said of transactions taken back, and
 * only then does the workspace change. It may crash anywhere and begin anew.
 */
export async function recover(
  site: RecoverySite,
  committer: Committer,
  scan: LogScan,
  options: RecoveryOptions,
): Promise<RecoveryReport> {
  const { plan, leftovers } = await examine(site, scan, options.mode)
  const { disk } = site.observer
  const known = contentsOf(scan.inFlight)
  const found: { tx: string; path: string }[] = []
  const histories = historiesOf(scan.inFlight)
  for (const leftover of leftovers) {
    if (await isAccountedFor(disk, leftover, scan.inFlight, known, site.contents)) continue
    const path = leftover.path ?? firstPath(scan.inFlight, leftover.tx)
    await committer.preserve(
      newTransactionId(),
      path,
      leftover.file,
      `moved aside while committing ${leftover.tx}, which was interrupted`,
    )
    // Kept to be sure: changed in place before it was moved aside, it may be what a power cut left of it.
    if (!(await isMixedLeftover(site, leftover, scan, histories))) found.push({ tx: leftover.tx, path })
  }
  for (const { commit } of plan.revert) await committer.record(revertOf(commit.tx, commit.entries), null)
  const blocked = await keepFindings(site, committer, plan)
  await writeGoals(site, committer, plan, blocked, options)
  const discarded = new Set(plan.report.discarded)
  for (const leftover of leftovers) removeLeftover(site, leftover, options.salvage && discarded.has(leftover.tx))
  for (const { commit } of scan.inFlight) await committer.ownBlobs(commit.entries)
  const touched = plan.paths.map(({ path }) => path)
  const folders = new Set(touched.map(parentOf))
  for (const { path, goal } of plan.paths) if (goal?.kind === 'dir') folders.add(path)
  for (const folder of folders) stirIn(site, folder)
  committer.dirty(
    plan.paths.filter(({ goal }) => goal?.kind === 'file' && mayBeSynced(disk, goal.mode)).map(({ path }) => path),
    folders,
  )
  return { ...plan.report, conflicts: [...plan.report.conflicts, ...blocked, ...found] }
}

async function isMixedLeftover(
  { observer: { disk }, contents, inline }: RecoverySite,
  { path, file }: Leftover,
  { inFlight }: LogScan,
  histories: ReadonlyMap<string, PathHistory>,
): Promise<boolean> {
  if (!inFlight.some(({ boot }) => boot !== disk.bootId)) return false
  for (const history of histories.values()) {
    const known = path === null || path === history.path ? mixtureStates(history, inline, true) : null
    if (known !== null && (await isMixture(disk, file, contents, known, true))) return true
  }
  return false
}

/** Null where a link has come to stand above the folder: then it is another one. */
function anchorOf(disk: Disk, folder: string): Anchor | null {
  try {
    return disk.anchor(folder)
  } catch (error) {
    if (hasSystemCode(error, 'ELOOP', 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/** After a failed sync the names in a folder of the workspace are written again. */
function stirIn({ observer: { disk, root }, suspect }: RecoverySite, folder: string): void {
  const full = folder === '' ? root : `${root}/${folder}`
  if (disk.lstat(full)?.kind !== 'dir' || (!suspect && !isStirred(disk, full))) return
  const anchor = anchorOf(disk, full)
  try {
    if (anchor !== null) stir(disk, anchor.path)
  } finally {
    anchor?.release()
  }
}

function revertOf(tx: string, entries: readonly Entry[]): Parameters<Committer['record']>[0] {
  const back = effectsOf(entries).map(
    ({ path, before, after }): Entry => ({ op: 'put', path, before: after, after: before }),
  )
  return { tx: newTransactionId(), kind: 'revert', of: tx, message: 'taken back by recovery', entries: back.reverse() }
}

/** Takes into the history what recovery leaves alone, or is about to replace. Returns paths whose folder is gone. */
async function keepFindings(
  site: RecoverySite,
  committer: Committer,
  plan: RecoveryPlan,
): Promise<{ tx: string; path: string }[]> {
  const planned = new Set(plan.paths.filter(({ goal }) => goal?.kind === 'dir').map(({ path }) => path))
  const blocked: { tx: string; path: string }[] = []
  for (const { path, rule, observed, tx, goal } of plan.paths) {
    const keeps = rule.decision === 'keep and report' || rule.decision === 'keep and write'
    const something = observed.state?.kind === 'symlink' || (observed.state?.kind === 'file' && observed.state.size > 0)
    if (keeps && something) {
      await committer.preserve(
        newTransactionId(),
        path,
        site.observer.absolute(path),
        `found by recovery in place of ${tx}`,
      )
    }
    const parent = parentOf(path)
    const writes = rule.decision === 'write' || rule.decision === 'keep and write'
    if (writes && goal !== null && parent !== '' && !planned.has(parent)) {
      if (site.observer.disk.lstat(site.observer.absolute(parent))?.kind !== 'dir') blocked.push({ tx, path })
    }
  }
  return blocked
}

async function writeGoals(
  site: RecoverySite,
  committer: Committer,
  plan: RecoveryPlan,
  blocked: readonly { path: string }[],
  options: RecoveryOptions,
): Promise<void> {
  const skipped = new Set(blocked.map(({ path }) => path))
  const writing = plan.paths.filter(
    ({ rule, path }) => (rule.decision === 'write' || rule.decision === 'keep and write') && !skipped.has(path),
  )
  if (writing.length === 0) return
  options.onProgress?.(0, writing.length)
  const id = `${writing[0]?.tx}.r`
  for (const name of site.observer.disk.readDirectory(site.staging)) {
    if (name.name.startsWith(`${id}.`)) site.observer.disk.unlink(`${site.staging}/${name.name}`)
  }
  const materialization = new Materialization(site, id, writing.map(changeOf), () => ({ at: 'stored' }))
  try {
    await materialization.stage()
  } catch (error) {
    materialization.discard()
    throw asJournalError(error, 'recovering')
  }
  await materialization.apply()
  for (const { path, file } of materialization.surprises) {
    await committer.preserve(newTransactionId(), path, file, 'found while recovering')
    site.observer.disk.unlink(file)
  }
  await materialization.finish()
  options.onProgress?.(writing.length, writing.length)
}

function changeOf({ path, goal, observed }: PathPlan): Change {
  // What was observed decides how the path is replaced; what the log says was there before does not matter any more.
  return { path, before: observed.state, after: goal, observed }
}

function firstPath(flight: readonly FlightCommit[], tx: string): string {
  const commit = flight.find((member) => member.commit.tx === tx)?.commit
  return commit?.entries.find(isAboutPath)?.path ?? 'unknown'
}

function removeLeftover(site: RecoverySite, { file }: Leftover, salvage: boolean): void {
  const { disk } = site.observer
  const stat = disk.lstat(file)
  if (stat === null) return
  if (salvage && stat.kind === 'file' && stat.size > 0) {
    const kept = `${site.broken}/${file.slice(file.lastIndexOf('/') + 1)}`
    if (disk.lstat(kept) !== null) disk.unlink(kept)
    disk.rename(file, kept)
  } else if (stat.kind !== 'dir') disk.unlink(file)
}

import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { OWNER_READ } from '../disk/file.ts'
import { effectsOf } from '../entry/effects.ts'
import { type FileState, type State, sameState } from '../entry/state.ts'
import { asJournalError } from '../errors.ts'
import { NOTHING_OBSERVED, type Observation, type Observer } from '../workspace/observer.ts'
import { ancestorsOf, checkPath } from '../workspace/safe-path.ts'
import { mayBeSynced } from '../workspace/staged-file.ts'
import { markOf } from './leftovers.ts'
import type { FlightCommit, LogScan } from './log-scan.ts'
import { isMixture, mixtureStates } from './mixture.ts'
import { historiesOf, type PathHistory } from './path-history.ts'
import type { RecoveryReport } from './report.ts'
import { decide, type Found, type Rule } from './table.ts'
import { isTornForm } from './torn-form.ts'

/** What recovery means to do about one path. */
export interface PathPlan {
  readonly path: string
  readonly goal: State
  readonly observed: Observation
  readonly rule: Rule
  /** The last transaction that wrote it. */
  readonly tx: string
}

export interface RecoveryPlan {
  readonly paths: readonly PathPlan[]
  /** To be taken back, newest first. */
  readonly revert: readonly FlightCommit[]
  readonly report: RecoveryReport
}

export interface PlanningSite {
  readonly disk: Disk
  readonly observer: Observer
  readonly contents: ContentStore
  /** Paths whose content was moved aside and not yet replaced. */
  readonly movedAside: ReadonlySet<string>
  /** What an interrupted recovery had moved aside, wherever it came from. */
  readonly asideMarks: ReadonlySet<string>
  /** A sync failed before: what reads back right may not be on the disk, so it is written anew. */
  readonly suspect: boolean
  /** Files of more bytes than this may have been changed in place. */
  readonly inline: number
}

/** Works out what recovery will do. Changes nothing. */
export async function planRecovery(
  site: PlanningSite,
  scan: LogScan,
  mode: 'replay' | 'revert',
): Promise<RecoveryPlan> {
  const histories = historiesOf(scan.inFlight)
  const observations = new Map<string, Observation>()
  const missing = new Set<FlightCommit>()
  for (const history of histories.values()) {
    checkPath(history.path)
    const observed = await observe(site, history)
    observations.set(history.path, observed)
    const restarted = isRestarted(site, history)
    const found = await classify(site, history, history.states.at(-1) ?? null, observed, restarted)
    // An edit by somebody says nothing about what was done before it.
    if (found === 'other') continue
    // Whatever stands there, the transactions after the newest state that it matches are not done.
    const reached =
      found === 'mixed' && !restarted
        ? history.states.length - 2
        : history.states.findLastIndex((state) => matches(observed.state, state))
    for (const [index, writer] of history.writers.entries()) {
      if (writer !== null && index + 1 > reached) missing.add(writer)
    }
  }
  const revert = mode === 'revert' ? revertible(site, scan, histories, missing) : []
  const reverting = new Set(revert)
  const paths: PathPlan[] = []
  for (const history of histories.values()) {
    // None, and thus -1: the last state.
    const undone = history.writers.findIndex((writer) => writer !== null && reverting.has(writer))
    const goal = history.states.at(undone) ?? null
    const observed = observations.get(history.path) as Observation
    const last = history.writers.at(-1) as FlightCommit
    const restarted = isRestarted(site, history)
    const found = await classify(site, history, goal, observed, restarted)
    paths.push({ path: history.path, goal, observed, rule: decide(found, restarted), tx: last.commit.tx })
  }
  const gone = takenBack(scan.inFlight)
  const conflicts = paths
    .filter(({ rule }) => rule.decision === 'keep and report')
    .map(({ tx, path }) => ({ tx, path }))
  return {
    paths,
    revert,
    report: {
      replayed: scan.inFlight
        .filter((member) => missing.has(member) && !reverting.has(member) && !gone.has(member.commit.tx))
        .map(({ commit }) => commit.tx),
      reverted: revert.map(({ commit }) => commit.tx),
      discarded: scan.uncommitted,
      conflicts,
      tornBytes: scan.tail?.verdict === 'torn' ? scan.tail.bytes : 0,
    },
  }
}

/**
 * Transactions to take back, newest first: from the newest on those that are not known to have been done, and are not wholly in the workspace.
 * It ends at the first that stays, so that what is left is a prefix.
 */
function revertible(
  { disk, suspect }: PlanningSite,
  scan: LogScan,
  histories: ReadonlyMap<string, PathHistory>,
  missing: ReadonlySet<FlightCommit>,
): FlightCommit[] {
  const chosen: FlightCommit[] = []
  // After a failed sync, as after a restart, what was done and acknowledged may look as if it had never been done.
  if (suspect) return chosen
  const done = Math.max(0, ...scan.inFlight.map(({ commit }) => commit.done))
  for (const member of [...scan.inFlight].reverse()) {
    if (member.boot !== disk.bootId || member.commit.seq <= done || !missing.has(member)) break
    // Its paths were its own until it was done: one that a later transaction wrote too says that it was.
    if (effectsOf(member.commit.entries).some(({ path }) => histories.get(path)?.writers.at(-1) !== member)) break
    chosen.push(member)
  }
  return chosen
}

/** Ids of those that a later one says were taken back, and that was not taken back in turn. */
function takenBack(flight: readonly FlightCommit[]): Set<string> {
  const gone = new Set<string>()
  for (const { commit } of [...flight].reverse()) {
    if (commit.kind === 'revert' && commit.of !== undefined && !gone.has(commit.tx)) gone.add(commit.of)
  }
  return gone
}

function isRestarted(site: PlanningSite, history: PathHistory): boolean {
  return history.writers.some((writer) => writer !== null && writer.boot !== site.disk.bootId)
}

async function observe(site: PlanningSite, { path, states }: PathHistory): Promise<Observation> {
  // A folder that has become a link leads elsewhere: what is there has other paths.
  if (isBelowLeaf(site, path)) return NOTHING_OBSERVED
  try {
    return await site.observer.observe(path)
  } catch (error) {
    return unreadable(site, path, states) ?? thrown(asJournalError(error, 'looking at the workspace', path))
  }
}

function isBelowLeaf({ disk, observer }: PlanningSite, path: string): boolean {
  // From the top down: a link is not followed to see what is behind it.
  return ancestorsOf(path)
    .reverse()
    .some((folder) => {
      const stat = disk.lstat(observer.absolute(folder))
      return stat !== null && stat.kind !== 'dir'
    })
}

/** Of a file that its own transaction made unreadable, what can be seen must do: it is written anew, and looked at when it is moved aside. */
function unreadable({ disk, observer }: PlanningSite, path: string, states: readonly State[]): Observation | null {
  const stat = disk.lstat(observer.absolute(path))
  if (stat?.kind !== 'file' || mayBeSynced(disk, stat.mode)) return null
  const state = states.findLast(
    (known) => known?.kind === 'file' && known.size === stat.size && known.mode === stat.mode,
  )
  return state === undefined ? null : { state, stat, seenNs: 0n }
}

function thrown(error: unknown): never {
  throw error
}

function isLeaf(state: State): boolean {
  return state !== null && state.kind !== 'dir'
}

/** Folders match whatever their permissions: those are set last, and set again. */
function matches(found: State, state: State): boolean {
  return sameState(found, state) || (found?.kind === 'dir' && state?.kind === 'dir')
}

async function isMixed(site: PlanningSite, history: PathHistory, restarted: boolean): Promise<boolean> {
  if (history.mixed !== undefined) return history.mixed
  const known = mixtureStates(history, site.inline, restarted)
  if (known === null) return false
  history.mixed = await isMixture(site.disk, site.observer.absolute(history.path), site.contents, known, restarted)
  return history.mixed
}

async function classify(
  site: PlanningSite,
  history: PathHistory,
  goal: State,
  { state }: Observation,
  restarted: boolean,
): Promise<Found> {
  if (sameState(state, goal)) {
    // A checkpoint could not make it durable, as it must what a process that was killed half-way has left.
    const locked = goal?.kind === 'file' && !mayBeSynced(site.disk, goal.mode)
    return locked || (site.suspect && goal?.kind === 'file') ? 'known' : 'goal'
  }
  if (history.states.some((known) => matches(state, known))) return 'known'
  // A power cut may lose a file's permissions and keep its content; who opened a file that nobody may read may have been killed.
  const opened = (known: FileState, mode: number) => mode === (known.mode | OWNER_READ)
  if (
    state?.kind === 'file' &&
    history.states.some(
      (known) => known?.kind === 'file' && known.hash === state.hash && (restarted || opened(known, state.mode)),
    )
  ) {
    return 'known'
  }
  if (state === null) {
    // A folder goes away before a file can take its place.
    const between = history.writers.some(
      (writer, index) =>
        writer !== null && history.states[index]?.kind === 'dir' && isLeaf(history.states[index + 1] ?? null),
    )
    if (between) return 'known'
    const aside = history.states.some((known) => site.asideMarks.has(markOf(known) ?? ''))
    return aside || site.movedAside.has(history.path) ? 'known' : 'torn'
  }
  if (state.kind !== 'file') return 'other'
  if (await isMixed(site, history, restarted)) return 'mixed'
  if (state.size === 0) return 'torn'
  // The first one too: a transaction that could not be put in place was taken back, by a file that nothing had synced yet.
  for (const known of history.states) {
    if (known?.kind !== 'file') continue
    // Those of a file that may have been changed in place were looked at.
    if (restarted && history.mixed === false && known.size > site.inline) continue
    if (await isTornForm(site.disk, site.observer.absolute(history.path), site.contents, known.hash)) return 'torn'
  }
  return 'other'
}

/** Works out how transactions are taken back, or made again, from what is in the workspace now. */
import type { ContentStore } from '../../content/content-store.ts'
import { hashBytes } from '../../content/hash.ts'
import type { Disk } from '../../disk/disk.ts'
import { MAX_TEXT_BYTES } from '../../edit/text.ts'
import type { About, Of } from '../../entry/commit.ts'
import { type FileState, type State, sameState } from '../../entry/state.ts'
import { JournalError } from '../../errors.ts'
import { Finder } from '../found-state.ts'
import type { HistoryIndex } from '../history-index.ts'
import { inPutOrder } from '../put-order.ts'
import { type Chosen, chooseRedo, chooseUndo } from './choice.ts'
import { Ground } from './ground.ts'
import { type ConflictChoice, type ConflictSide, type Outcome, type ReversalSite, reverse } from './reversal.ts'
import type { Run } from './run.ts'
import type { Selected } from './selection.ts'

export interface UndoSite {
  readonly index: HistoryIndex
  readonly contents: ContentStore
  readonly disk: Disk
  readonly root: string
}

/** How to go about what was changed since. */
export interface UndoManner {
  readonly choice: ConflictChoice
  /** Set paths to what they were, whatever is there. */
  readonly force: boolean
  readonly merge: boolean
}

/** What is to be done at one path. */
export interface UndoStep {
  readonly path: string
  /** What is there now. */
  readonly from: State
  readonly state: State
  readonly merged: boolean
  /** Did the choice of a side decide? */
  readonly decided: boolean
  /** The content that was merged, worked out anew; null where the journal has it. */
  readonly bytes: (() => Promise<Uint8Array>) | null
}

/** A path that others changed since, so that the change cannot be taken out of it. */
export interface UndoConflict {
  readonly path: string
  /** What would have to be there. */
  readonly expected: State
  readonly found: State
  /** What would be put there. */
  readonly wanted: State
  /** Of texts: the places where both sides differ. */
  readonly sides?: readonly ConflictSide[]
  /** The newest transactions that changed the path since; none: it was changed behind the journal's back. */
  readonly by: readonly string[]
}

export interface UndoPlan {
  readonly kind: 'undo' | 'redo'
  readonly of: Of
  /** In the order in which they are taken back, or made again. */
  readonly transactions: readonly (About & { readonly seq: number })[]
  /** Meant too, with nothing to be done: undone already, or without effect. */
  readonly passedOver: readonly string[]
  /** In an order in which they can be carried out. */
  readonly steps: readonly UndoStep[]
  /** Where the choice of a side decided, be it that nothing happens there. */
  readonly decided: readonly string[]
  /** Left as they are, and not taken back. */
  readonly kept: readonly string[]
  readonly conflicts: readonly UndoConflict[]
}

/** Transactions named for a conflict, and conflicts for which they are looked up. */
const NAMED = 3
const LOOKED_UP = 50

/** @throws JournalError `NOT_FOUND`, `INVALID` */
export async function planUndo(site: UndoSite, selected: Selected, manner: UndoManner, now: number): Promise<UndoPlan> {
  return plan(site, 'undo', await chooseUndo(site.index, selected, now), manner)
}

/** @throws JournalError `NOT_FOUND`, `INVALID` */
export async function planRedo(site: UndoSite, selected: Selected, manner: UndoManner, now: number): Promise<UndoPlan> {
  return plan(site, 'redo', await chooseRedo(site.index, selected, now), manner)
}

async function plan(
  site: UndoSite,
  kind: 'undo' | 'redo',
  { transactions, passedOver, runs }: Chosen,
  manner: UndoManner,
): Promise<UndoPlan> {
  const { disk, root, index } = site
  const finder = new Finder(disk, root)
  const steps: UndoStep[] = []
  const kept: string[] = []
  const decided: string[] = []
  const conflicts: UndoConflict[] = []
  const names = new Set(transactions.map(({ tx }) => tx))
  const collide = async (path: string, collision: Omit<UndoConflict, 'path' | 'by'>): Promise<void> => {
    if (manner.choice === 'keep') kept.push(path)
    else if (manner.choice === 'ours') decided.push(path)
    else {
      const by = conflicts.length < LOOKED_UP ? await changers(index, path, names) : []
      conflicts.push({ path, ...collision, by })
    }
  }
  for (const [path, own] of runs.entries()) {
    const { state: found, other } = await finder.find(path)
    const wanted = (own.at(-1) as Run).to
    if (manner.force) {
      if (!sameState(found, wanted)) steps.push({ path, from: found, state: wanted, ...PLAIN })
      continue
    }
    const outcome = other
      ? NOTHING_REACHED
      : await reverse(found, own, manner.choice, reversalSite(site, finder, path, manner))
    if ('expected' in outcome) {
      const { sides } = outcome
      const expected = other ? (own[0] as Run).from : outcome.expected
      await collide(path, { expected, found, wanted, ...(sides.length === 0 ? {} : { sides }) })
      continue
    }
    if (outcome.decided) decided.push(path)
    if (sameState(outcome.value.state, found)) continue
    steps.push(stepOf(path, found, outcome, () => again(site, finder, path, found, own, manner)))
  }
  const ground = new Ground(disk, root, steps)
  const possible: UndoStep[] = []
  for (const step of steps) {
    const { path, from, state } = step
    if (ground.spares(step)) continue
    if (manner.force || manner.choice === 'theirs' || !ground.blocks(step)) possible.push(step)
    else await collide(path, { expected: from, found: from, wanted: state })
  }
  const left = new Set(kept)
  const about = transactions.flatMap((part) => withoutPaths(part, left))
  return {
    kind,
    of: ofAll(about),
    transactions: about,
    passedOver,
    steps: inPutOrder(possible),
    decided,
    kept,
    conflicts,
  }
}

const PLAIN = { merged: false, decided: false, bytes: null } as const
const NOTHING_REACHED = { expected: null, wanted: null, sides: [] } as const

function stepOf(path: string, from: State, outcome: Outcome, bytes: () => Promise<Uint8Array>): UndoStep {
  const { value, merged, decided } = outcome
  return { path, from, state: value.state, merged, decided, bytes: value.bytes === undefined ? null : bytes }
}

/** Not held from the planning on: there may be many of them. */
async function again(
  site: UndoSite,
  finder: Finder,
  path: string,
  found: State,
  runs: readonly Run[],
  manner: UndoManner,
): Promise<Uint8Array> {
  const outcome = await reverse(found, runs, manner.choice, reversalSite(site, finder, path, manner))
  if ('value' in outcome && outcome.value.bytes !== undefined) return outcome.value.bytes
  throw new JournalError('CONFLICT', `${path} was changed just now`, { hint: 'Try again.', path })
}

function reversalSite({ contents }: UndoSite, finder: Finder, path: string, { merge }: UndoManner): ReversalSite {
  return {
    merge,
    hash: hashBytes,
    recorded: async ({ hash, size }: FileState) =>
      size > MAX_TEXT_BYTES || (await contents.purgedBy(hash)) !== null ? null : contents.read(hash),
    found: async (state: FileState) => {
      const { state: now, bytes } = await finder.find(path, MAX_TEXT_BYTES)
      return now?.kind === 'file' && now.hash === state.hash ? bytes : null
    },
  }
}

/** The newest transactions, other than those, that changed a path since they did. */
async function changers(index: HistoryIndex, path: string, own: ReadonlySet<string>): Promise<string[]> {
  const { seq: to } = await index.head()
  const query = { from: index.dropped + 1, to, order: 'newest', scope: path } as const
  const { items } = await index.commits(query, NAMED + 1)
  const first = items.findIndex(({ tx }) => own.has(tx))
  return items.slice(0, first < 0 ? NAMED : Math.min(first, NAMED)).map(({ tx }) => tx)
}

type Part = About & { readonly seq: number; readonly all: readonly string[] }

function withoutPaths(part: Part, left: ReadonlySet<string>): (About & { readonly seq: number })[] {
  const { tx, seq, paths, all } = part
  if (!all.some((path) => left.has(path))) return [{ tx, seq, paths }]
  const rest = all.filter((path) => !left.has(path))
  return rest.length === 0 ? [] : [{ tx, seq, paths: rest }]
}

function ofAll(about: readonly About[]): Of {
  const [only] = about
  if (about.length === 1 && only?.paths === null) return only.tx
  return about.map(({ tx, paths }) => ({ tx, paths }))
}

/** Which changes of which transactions are to be taken back, or made again. */
import type { About, ChainedCommit } from '../../entry/commit.ts'
import { type Effect, effectsOf } from '../../entry/effects.ts'
import { JournalError } from '../../errors.ts'
import type { HistoryIndex } from '../history-index.ts'
import { resolveTransaction } from '../point.ts'
import { Runs } from './run.ts'
import { pathsWithin, type Selected, selectedCommits } from './selection.ts'
import { type Act, Standing } from './standing.ts'

export interface Chosen {
  /** In the order in which they are dealt with; `all`: every path of theirs that is. */
  readonly transactions: readonly (About & { readonly seq: number; readonly all: readonly string[] })[]
  readonly passedOver: readonly string[]
  readonly runs: Runs
}

type Choosing = {
  readonly transactions: (About & { seq: number; all: readonly string[] })[]
  readonly passedOver: string[]
  readonly runs: Runs
}

/** More are not named in one transaction. */
const MOST = 100_000

/**
 * From the newest to the oldest. What is undone already is passed over; what only an undo has taken back that is itself taken back here is not.
 * @throws JournalError `NOT_FOUND` when nothing is meant, `INVALID` when nothing of it is left to take back
 */
export async function chooseUndo(index: HistoryIndex, selected: Selected, now: number): Promise<Chosen> {
  const chosen: Choosing = { transactions: [], passedOver: [], runs: new Runs() }
  const standing = new Standing(index)
  let undone: { readonly commit: ChainedCommit; readonly by: Act } | null = null
  let meant = 0
  for await (const commit of selectedCommits(index, selected, 'newest', now)) {
    const { all, effects } = meantOf(commit, selected)
    if (all.length > 0 && effects.length === 0) continue
    meant += 1
    const untouched = await standing.isUntouched(commit.tx)
    const left: Effect[] = []
    for (const effect of effects) {
      const by = untouched ? null : await standing.undoneBy(commit.tx, effect.path)
      if (by === null) left.push(effect)
      else undone ??= { commit, by }
    }
    if (left.length === 0) {
      chosen.passedOver.push(commit.tx)
      continue
    }
    take(chosen, commit, all, left)
    standing.take(commit.tx, left.length === all.length ? null : new Set(left.map(({ path }) => path)))
    for (const { path, before, after } of left) chosen.runs.add(path, after, before)
  }
  if (meant === 0) throw nothingMeant(selected)
  if (chosen.transactions.length > 0) return chosen
  if (undone === null) throw withoutEffect(chosen.passedOver)
  const { commit, by } = undone
  if (meant === 1) {
    throw new JournalError('INVALID', `transaction ${commit.tx} is undone already, by ${by.tx}`, {
      hint: `To make its changes again: journal redo ${commit.tx}`,
      tx: commit.tx,
    })
  }
  throw new JournalError('INVALID', `all ${meant} transactions that are meant are undone already`, {
    hint: `To make their changes again, redo them: journal redo ${commit.tx} …`,
    details: { transactions: chosen.passedOver },
  })
}

/**
 * From the oldest to the newest. An undo that is named and stands is taken for what it took back.
 * @throws JournalError `NOT_FOUND` when nothing is meant, `INVALID` when nothing of it is undone
 */
export async function chooseRedo(index: HistoryIndex, selected: Selected, now: number): Promise<Chosen> {
  const chosen: Choosing = { transactions: [], passedOver: [], runs: new Runs() }
  const standing = new Standing(index)
  const again = new Remaking(index)
  let meant = 0
  let stands: Candidate | null = null
  for await (const candidate of redoable(index, selected, standing, now)) {
    const { commit, only } = candidate
    const { all, effects } = meantOf(commit, selected)
    if (all.length > 0 && effects.length === 0) continue
    meant += 1
    const untouched = await standing.isUntouched(commit.tx)
    const left: Effect[] = []
    for (const effect of effects) {
      if (untouched || (only !== null && !only.has(effect.path))) continue
      const by = await standing.undoneBy(commit.tx, effect.path)
      if (by === null) continue
      left.push(effect)
      again.add(effect, by, commit.seq)
    }
    if (left.length === 0) {
      stands ??= candidate
      // Of those that criteria meet, most were never undone: that is not worth saying.
      if (selected.names !== null) chosen.passedOver.push(commit.tx)
      continue
    }
    take(chosen, commit, all, left)
  }
  if (chosen.transactions.length > 0) {
    await again.into(chosen)
    return chosen
  }
  if (stands === null) throw nothingMeant(selected)
  const { commit, by } = stands
  const hint = `There is nothing to redo. To take it back: journal undo ${commit.tx}`
  if (by !== null) {
    throw new JournalError('INVALID', `what ${by} took back, ${commit.tx}, stands again`, { hint, tx: by })
  }
  throw new JournalError(
    'INVALID',
    meant === 1
      ? `transaction ${commit.tx} is not undone`
      : `none of the ${meant} transactions that are meant is undone`,
    { hint, tx: commit.tx },
  )
}

/** A change that is made again. */
interface Remade {
  readonly effect: Effect
  readonly by: Act
  readonly seq: number
}

/**
 * Changes that are made again. What took them back is turned round where all that it is about is made again: that brings back what was there before it, later changes that it
 * was merged with included. Else each change is made anew.
 */
class Remaking {
  readonly #index: HistoryIndex
  /** By the number of what took them back. */
  readonly #changes = new Map<number, Remade[]>()
  readonly #anew: Remade[] = []

  constructor(index: HistoryIndex) {
    this.#index = index
  }

  /** `seq`: of the transaction that made the change. */
  add(effect: Effect, by: Act, seq: number): void {
    const remade = { effect, by, seq }
    const known = this.#changes.get(by.seq)
    if (known === undefined) this.#changes.set(by.seq, [remade])
    else known.push(remade)
  }

  async into({ transactions, runs }: Choosing): Promise<void> {
    const again = new Set(transactions.map(({ tx }) => tx))
    for (const seq of [...this.#changes.keys()].sort((a, b) => b - a)) {
      const changes = this.#changes.get(seq) ?? []
      const commit = await this.#index.commit(seq)
      const whole = namedBy(commit).every(({ tx }) => again.has(tx))
      const turned = new Set(changes.filter(({ by }) => whole && by.original).map(({ effect }) => effect.path))
      for (const { path, before, after } of effectsOf(commit.entries))
        if (turned.has(path)) runs.add(path, after, before)
      for (const change of changes) if (!turned.has(change.effect.path)) this.#anew.push(change)
    }
    for (const { effect } of this.#anew.sort((a, b) => a.seq - b.seq)) {
      runs.add(effect.path, effect.before, effect.after)
    }
  }
}

/** A transaction that may be undone. */
interface Candidate {
  readonly commit: ChainedCommit
  /** Only these paths of it are meant; null: all. */
  readonly only: ReadonlySet<string> | null
  /** The undo that was named for it; null: it was meant itself. */
  readonly by: string | null
}

async function* redoable(
  index: HistoryIndex,
  selected: Selected,
  standing: Standing,
  now: number,
): AsyncGenerator<Candidate> {
  const found = new Map<number, Candidate>()
  for await (const commit of selectedCommits(index, selected, 'oldest', now)) {
    const own: Candidate = { commit, only: null, by: null }
    if (selected.names === null) yield own
    else if (!takesBack(commit) || (await isUndone(standing, commit))) found.set(commit.seq, own)
    else {
      for (const { tx, paths } of namedBy(commit)) {
        const seq = await resolveTransaction(index, tx)
        const known = found.get(seq)
        const whole = paths === null || known?.only === null
        const only = whole ? null : new Set([...(known?.only ?? []), ...paths])
        found.set(seq, { commit: known?.commit ?? (await index.commit(seq)), only, by: known ? known.by : commit.tx })
      }
    }
  }
  yield* [...found.values()].sort((a, b) => a.commit.seq - b.commit.seq)
}

function takesBack({ kind }: ChainedCommit): boolean {
  return kind === 'undo' || kind === 'revert'
}

function namedBy({ of, about = [] }: ChainedCommit): readonly About[] {
  return of === undefined ? about : [{ tx: of, paths: null }]
}

/** An undo that was itself taken back is a transaction like any other: to redo it is to undo again. */
async function isUndone(standing: Standing, { tx, entries }: ChainedCommit): Promise<boolean> {
  if (await standing.isUntouched(tx)) return false
  for (const { path } of effectsOf(entries)) if ((await standing.undoneBy(tx, path)) !== null) return true
  return false
}

/** What a transaction changed, and the part of it that is meant. */
function meantOf(
  commit: ChainedCommit,
  { scopes }: Selected,
): { readonly all: readonly string[]; readonly effects: readonly Effect[] } {
  const effects = effectsOf(commit.entries)
  const all = effects.map(({ path }) => path)
  if (scopes.includes('')) return { all, effects }
  const within = pathsWithin(commit, all, scopes)
  return { all, effects: effects.filter(({ path }) => within.has(path)) }
}

function take(chosen: Choosing, { tx, seq }: ChainedCommit, all: readonly string[], left: readonly Effect[]): void {
  const taken = left.map(({ path }) => path)
  chosen.transactions.push({ tx, seq, paths: taken.length === all.length ? null : taken, all: taken })
  if (chosen.transactions.length <= MOST) return
  throw new JournalError('INVALID', `these are more than ${MOST} transactions`, {
    hint: 'Take them in several steps, or restore the files to a point: journal restore --to AT.',
  })
}

function nothingMeant({ names, scopes }: Selected): JournalError {
  const where = scopes.includes('') ? '' : ` that changed ${scopes.slice(0, 3).join(', ')}`
  return new JournalError('NOT_FOUND', `there is no transaction${where} that is meant by this`, {
    hint:
      names === null
        ? "'journal log' with the same actor, tag, parent, since and until lists what they select."
        : "See 'journal show' for what a transaction changed, and who made it.",
  })
}

function withoutEffect(transactions: readonly string[]): JournalError {
  const [tx] = transactions
  const what = transactions.length === 1 ? `transaction ${tx}` : `each of the ${transactions.length} transactions`
  return new JournalError('INVALID', `${what} left every path as it was`, {
    hint: 'There is nothing to take back or to make again.',
    tx,
  })
}

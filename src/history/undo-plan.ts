import type { ChainedCommit } from '../entry/commit.ts'
import { type Effect, effectsOf } from '../entry/effects.ts'
import type { State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { Operation } from '../transaction/operation.ts'
import type { HistoryIndex } from './history-index.ts'
import { byPath } from './path-scope.ts'
import { resolveTransaction } from './point.ts'

export type PutOperation = Extract<Operation, { readonly op: 'put' }>

/** A transaction to be made. */
export interface UndoPlan {
  readonly kind: 'undo' | 'redo'
  /** The transaction that it takes back, or makes again. */
  readonly of: string
  readonly target: ChainedCommit
  readonly operations: readonly PutOperation[]
}

/**
 * How to take a transaction back, whatever its kind.
 * @throws JournalError `NOT_FOUND`; `INVALID` when it is undone already or changed nothing.
 */
export async function planUndo(index: HistoryIndex, ref: string | number): Promise<UndoPlan> {
  const target = await index.commit(await resolveTransaction(index, ref))
  const undoneBy = await undoer(index, target.tx)
  if (undoneBy !== null) {
    throw new JournalError('INVALID', `transaction ${target.tx} is undone already, by ${undoneBy.tx}`, {
      hint: `To make its changes again: journal redo ${target.tx}`,
      tx: target.tx,
    })
  }
  return plan('undo', target)
}

/**
 * How to make a transaction again that was undone. Given an undo, it is what that took back that is made again.
 * @throws JournalError `NOT_FOUND`; `INVALID` when it is not undone.
 */
export async function planRedo(index: HistoryIndex, ref: string | number): Promise<UndoPlan> {
  const named = await index.commit(await resolveTransaction(index, ref))
  const takesBack = named.kind === 'undo' || named.kind === 'revert'
  // An undo that was itself taken back is a transaction like any other: to redo it is to undo again.
  const ownUndoer = await undoer(index, named.tx)
  if (ownUndoer !== null) return plan('redo', named)
  if (takesBack && named.of !== undefined) {
    const target = await index.commit(await resolveTransaction(index, named.of))
    if ((await undoer(index, target.tx)) !== null) return plan('redo', target)
    throw new JournalError('INVALID', `what ${named.tx} took back, ${target.tx}, stands again`, {
      hint: `There is nothing to redo. To take it back once more: journal undo ${target.tx}`,
      tx: named.tx,
    })
  }
  throw new JournalError('INVALID', `transaction ${named.tx} is not undone`, {
    hint: `There is nothing to redo. To take it back: journal undo ${named.tx}`,
    tx: named.tx,
  })
}

function plan(kind: 'undo' | 'redo', target: ChainedCommit): UndoPlan {
  const effects = effectsOf(target.entries)
  if (effects.length === 0) {
    throw new JournalError('INVALID', `transaction ${target.tx} left every path as it was`, {
      hint: 'There is nothing to take back or to make again.',
      tx: target.tx,
    })
  }
  return { kind, of: target.tx, target, operations: kind === 'undo' ? takeBack(effects) : makeAgain(effects) }
}

/**
 * The transaction by which `tx` is undone now; null when it stands. Undo, redo and revert that were themselves taken back do not
 * count, so an undo of an undo makes the first transaction stand again.
 */
export async function undoer(
  index: HistoryIndex,
  tx: string,
): Promise<{ readonly seq: number; readonly tx: string } | null> {
  const about = await index.about(tx)
  for (const { seq, kind } of about.reverse()) {
    const record = await index.record(seq)
    if ((await undoer(index, record.tx)) !== null) continue
    return kind === 'redo' ? null : { seq, tx: record.tx }
  }
  return null
}

/** Every effect reversed. */
export function takeBack(effects: readonly Effect[]): PutOperation[] {
  return putInOrder(effects.map(({ path, before, after }) => ({ path, state: before, from: after })))
}

/** Every effect once more. */
export function makeAgain(effects: readonly Effect[]): PutOperation[] {
  return putInOrder(effects.map(({ path, before, after }) => ({ path, state: after, from: before })))
}

/** Removals first, what is in a folder before the folder; then the rest, a folder before what is in it. */
export function putInOrder(
  changes: readonly { readonly path: string; readonly state: State; readonly from: State }[],
): PutOperation[] {
  const puts = changes.map(({ path, state, from }): PutOperation => ({ op: 'put', path, state, from }))
  const removals = puts.filter(({ state }) => state === null).sort((a, b) => byPath(b.path, a.path))
  const rest = puts.filter(({ state }) => state !== null).sort((a, b) => byPath(a.path, b.path))
  return [...removals, ...rest]
}

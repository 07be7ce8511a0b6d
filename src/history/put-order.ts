import type { State } from '../entry/state.ts'
import type { Operation } from '../transaction/operation.ts'
import { byPath } from './path-scope.ts'

export type PutOperation = Extract<Operation, { readonly op: 'put' }>

/** Removals first, what is in a folder before the folder; then the rest, a folder before what is in it. */
export function inPutOrder<T extends { readonly path: string; readonly state: State }>(changes: readonly T[]): T[] {
  const removals = changes.filter(({ state }) => state === null).sort((a, b) => byPath(b.path, a.path))
  const rest = changes.filter(({ state }) => state !== null).sort((a, b) => byPath(a.path, b.path))
  return [...removals, ...rest]
}

/** The operations that bring paths from what they are to other states. */
export function putInOrder(
  changes: readonly { readonly path: string; readonly state: State; readonly from: State }[],
): PutOperation[] {
  return inPutOrder(changes).map(({ path, state, from }) => ({ op: 'put', path, state, from }))
}

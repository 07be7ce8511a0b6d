import type { Effect } from '../entry/effects.ts'
import type { State } from '../entry/state.ts'
import type { Observation } from './observer.ts'

/** One path to bring from what was observed there to `after`. */
export interface Change extends Effect {
  readonly observed: Observation
}

/** Somebody's content that was found where the journal meant to write. It is safe in `file` and must be taken into the journal. */
export interface Surprise {
  readonly path: string
  readonly file: string
}

export function isDir(state: State): boolean {
  return state?.kind === 'dir'
}

export function isLeaf(state: State): boolean {
  return state !== null && state.kind !== 'dir'
}

/** A file or link where there is one, or nothing: no folder comes or goes, nothing moves, and the file is another one. */
export function isReplacement({ before, after, movedFrom, observed }: Change): boolean {
  if (!isLeaf(after) || isDir(before) || movedFrom !== undefined) return false
  return after?.kind !== 'file' || observed.state?.kind !== 'file' || observed.state.hash !== after.hash
}

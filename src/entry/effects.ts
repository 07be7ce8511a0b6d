import { changesOf, type Entry } from './entry.ts'
import { type State, sameState } from './state.ts'

/** The net change that a list of entries makes to one path. */
export interface Effect {
  readonly path: string
  readonly before: State
  readonly after: State
  /** The path whose file, unchanged, ends up here: it can be moved instead of written. */
  readonly movedFrom?: string
}

/** Folds entries into one effect a path, in the order in which the paths first appear. Paths left as they were are dropped. */
export function effectsOf(entries: readonly Entry[]): Effect[] {
  const net = new Map<string, { before: State; after: State; movedFrom: string | undefined }>()
  for (const entry of entries) {
    const origin =
      entry.op === 'rename' ? (net.has(entry.path) ? net.get(entry.path)?.movedFrom : entry.path) : undefined
    for (const change of changesOf(entry)) {
      const known = net.get(change.path)
      const movedFrom = entry.op === 'rename' && change.path === entry.to ? origin : undefined
      if (known === undefined) net.set(change.path, { before: change.before, after: change.after, movedFrom })
      else {
        known.after = change.after
        known.movedFrom = movedFrom
      }
    }
  }
  const effects: Effect[] = []
  for (const [path, { before, after, movedFrom }] of net) {
    if (sameState(before, after)) continue
    const source = movedFrom === undefined ? undefined : net.get(movedFrom)
    // Only a source that stays gone can be moved, and only with the very state it had.
    const movable = source !== undefined && source.after === null && sameState(source.before, after)
    effects.push(movable && movedFrom !== undefined ? { path, before, after, movedFrom } : { path, before, after })
  }
  return effects
}

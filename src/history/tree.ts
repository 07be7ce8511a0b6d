import type { State } from '../entry/state.ts'
import type { HistoryIndex } from './history-index.ts'
import type { KnownState, PathState } from './index-query.ts'
import { scopeOf, scopesOf } from './path-scope.ts'

/** What was at a path after transaction `seq`, and how the journal knows. */
export function knownStateAt(index: HistoryIndex, path: string, seq: number): Promise<KnownState> {
  return index.stateAt(scopeOf(path), seq)
}

/**
 * Every path that any entry names, within `paths` when given, with its state after transaction `seq`: null for those not there then.
 * In the order of paths by UTF-8 bytes, a folder before what is in it; a page of them in memory at a time.
 */
export async function* knownPathsAt(
  index: HistoryIndex,
  seq: number,
  paths?: readonly string[],
): AsyncGenerator<PathState> {
  for (const scope of scopesOf(paths)) {
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<HistoryIndex['statesAt']>> = await index.statesAt(scope, seq, after)
      yield* page.items
      after = page.next
    } while (after !== null)
  }
}

/**
 * The tree as the journal made it up to transaction `seq`: begin with nothing, apply every entry. What was there before the journal
 * first touched it is left out, unless `before` is set.
 */
export async function* treeAt(
  index: HistoryIndex,
  seq: number,
  options: { readonly paths?: readonly string[]; readonly before?: boolean } = {},
): AsyncGenerator<{ readonly path: string; readonly state: Exclude<State, null> }> {
  for await (const { path, state, origin } of knownPathsAt(index, seq, options.paths)) {
    if (state !== null && (origin === 'entry' || options.before === true)) yield { path, state }
  }
}

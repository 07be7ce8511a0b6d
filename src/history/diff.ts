import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { breathe } from '../disk/file.ts'
import { effectsOf } from '../entry/effects.ts'
import { type State, sameState } from '../entry/state.ts'
import { Finder } from './found-state.ts'
import type { HistoryIndex } from './history-index.ts'
import { isWithin, scopesOf } from './path-scope.ts'
import { resolvePoint, resolveTransaction } from './point.ts'
import type { At } from './query.ts'
import { knownPathsAt } from './tree.ts'
import { SHOWN_LIMIT, textOf, unifiedPatch } from './unified-patch.ts'

/**
 * What to compare: one transaction; two points; or a point (default: the newest) with the workspace as it is now, of which only paths are
 * looked at that the journal knows.
 */
export type DiffQuery =
  | { readonly tx: string | number; readonly paths?: readonly string[] }
  | { readonly from: At; readonly to: At; readonly paths?: readonly string[] }
  | { readonly from?: At; readonly paths?: readonly string[] }

export interface FileDiff {
  readonly path: string
  readonly before: State
  readonly after: State
  /** True when either side is not text, too large to compare, or purged; `patch` then says only that they differ. */
  readonly binary: boolean
  /**
   * Unified format with `a/` and `b/` names; `/dev/null` for nothing. A symbolic link counts as a text, its target. Empty when only
   * permissions differ, and for folders.
   */
  readonly patch: string
  /** What the patch does not say: kinds other than file, permissions. */
  readonly note?: string
}

export interface DiffSource {
  readonly disk: Disk
  readonly root: string
  readonly contents: ContentStore
}

/** The content of one side: a text, or why there is none to show. */
type Side = { readonly text: string | null } | { readonly unshown: 'binary' | 'large' | 'purged' }

/** @throws JournalError `NOT_FOUND`, `INVALID`, `PATH_OUTSIDE`, `CORRUPT`. */
export async function* diff(index: HistoryIndex, source: DiffSource, query: DiffQuery): AsyncGenerator<FileDiff> {
  if ('tx' in query) return yield* transactionDiff(index, source, query)
  const now = source.disk.now()
  const { seq: newest } = await index.head()
  const from = query.from === undefined ? newest : await resolvePoint(index, query.from, now)
  if (!('to' in query) || query.to === undefined) return yield* workspaceDiff(index, source, from, query.paths)
  const to = await resolvePoint(index, query.to, now)
  for await (const { path, state: before } of knownPathsAt(index, from, query.paths)) {
    const { state: after } = await index.stateAt(path, to)
    if (!sameState(before, after)) yield await diffStates(source.contents, path, before, after)
  }
}

async function* transactionDiff(
  index: HistoryIndex,
  source: DiffSource,
  query: { readonly tx: string | number; readonly paths?: readonly string[] },
): AsyncGenerator<FileDiff> {
  const scopes = scopesOf(query.paths)
  const commit = await index.commit(await resolveTransaction(index, query.tx))
  for (const { path, before, after } of effectsOf(commit.entries)) {
    if (!scopes.some((scope) => isWithin(path, scope))) continue
    yield await diffStates(source.contents, path, before, after)
    await breathe()
  }
}

async function* workspaceDiff(
  index: HistoryIndex,
  source: DiffSource,
  seq: number,
  paths: readonly string[] | undefined,
): AsyncGenerator<FileDiff> {
  const finder = new Finder(source.disk, source.root)
  for await (const { path, state: before } of knownPathsAt(index, seq, paths)) {
    const { state: after, bytes } = await finder.find(path, SHOWN_LIMIT)
    if (!sameState(before, after)) yield await diffStates(source.contents, path, before, after, bytes)
  }
}

/** Compares two states of a path; `found` is the content of `after` when the journal need not have it, `there` that of `before`. */
export async function diffStates(
  contents: ContentStore,
  path: string,
  before: State,
  after: State,
  found: Uint8Array | null = null,
  there: Uint8Array | null = null,
): Promise<FileDiff> {
  const note = noteOf(before, after)
  const about = { path, before, after, ...(note === '' ? {} : { note }) }
  const sameContent = before?.kind === 'file' && after?.kind === 'file' && before.hash === after.hash
  if (sameContent || !(hasText(before) || hasText(after))) return { ...about, binary: false, patch: '' }
  const old = await sideOf(contents, before, there)
  const fresh = await sideOf(contents, after, found)
  if ('text' in old && 'text' in fresh) {
    return { ...about, binary: false, patch: await unifiedPatch(path, old.text, fresh.text) }
  }
  const is = (why: string) => [old, fresh].some((side) => 'unshown' in side && side.unshown === why)
  const why = is('purged') ? ': purged' : is('large') ? ': too large to show' : ''
  const from = before === null ? '/dev/null' : `a/${path}`
  const to = after === null ? '/dev/null' : `b/${path}`
  return {
    ...about,
    binary: true,
    patch: `${why === '' ? 'Binary files' : 'Files'} ${from} and ${to} differ${why}\n`,
  }
}

function hasText(state: State): boolean {
  return state?.kind === 'file' || state?.kind === 'symlink'
}

async function sideOf(contents: ContentStore, state: State, found: Uint8Array | null): Promise<Side> {
  switch (state?.kind) {
    case 'symlink':
      return { text: state.target }
    case 'file': {
      if (found === null && (await contents.purgedBy(state.hash)) !== null) return { unshown: 'purged' }
      if (state.size > SHOWN_LIMIT) return { unshown: 'large' }
      const text = textOf(found ?? (await contents.read(state.hash)))
      return text === null ? { unshown: 'binary' } : { text }
    }
    default:
      return { text: null }
  }
}

const NAMES = { file: 'file', dir: 'folder', symlink: 'symbolic link' } as const

function noteOf(before: State, after: State): string {
  if (before === null || after === null) {
    const state = before ?? after
    if (state === null || state.kind === 'file') return ''
    return `${NAMES[state.kind]} ${before === null ? 'made' : 'removed'}`
  }
  if (before.kind !== after.kind) return `${NAMES[before.kind]} became ${NAMES[after.kind]}`
  if (before.kind === 'symlink' || after.kind === 'symlink') return NAMES.symlink
  if (before.mode !== after.mode) return `permissions ${before.mode.toString(8)} → ${after.mode.toString(8)}`
  return sameState({ ...before, ...contentOf(after) } as State, after) ? '' : 'owner changed'
}

function contentOf(state: Exclude<State, null>): object {
  return state.kind === 'file' ? { hash: state.hash, size: state.size } : {}
}

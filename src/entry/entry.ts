import type { ContentHash, State } from './state.ts'

/** One replacement of text in an edit. */
export interface TextEdit {
  readonly oldText: string
  readonly newText: string
  /** Replace every occurrence; without it a text that stands more than once is refused. */
  readonly all?: boolean
}

interface Change {
  /** Relative to the workspace, `/` between names. */
  readonly path: string
  /** The path as the caller gave it, where a symbolic link led to `path`. */
  readonly as?: string
  readonly before: State
  readonly after: State
}

export interface WriteEntry extends Change {
  readonly op: 'write'
}
export interface AppendEntry extends Change {
  readonly op: 'append'
  /** Bytes appended. */
  readonly length: number
}
export interface EditEntry extends Change {
  readonly op: 'edit'
  /** Null: purged. */
  readonly edits: readonly TextEdit[] | null
}
export interface PatchEntry extends Change {
  readonly op: 'patch'
  /** Null: purged. */
  readonly patch: string | null
}
/** What a revision says: a value that JSON can hold, at most `MAX_DEPTH` levels deep. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface ReviseEntry extends Change {
  readonly op: 'revise'
  /** What worked the new content out: `notebook`, `set`, `imports` … */
  readonly by: string
  /** What it was asked to do. Null: purged. */
  readonly change: { readonly [key: string]: Json } | null
}
export interface RemoveEntry extends Change {
  readonly op: 'remove'
}
export interface RenameEntry extends Change {
  readonly op: 'rename'
  readonly to: string
  /** What was at `to`. */
  readonly replaced: State
}
export interface MkdirEntry extends Change {
  readonly op: 'mkdir'
  /** Made as a missing parent of another path. */
  readonly implied?: true
}
export interface RmdirEntry extends Change {
  readonly op: 'rmdir'
}
export interface ChmodEntry extends Change {
  readonly op: 'chmod'
}
export interface SymlinkEntry extends Change {
  readonly op: 'symlink'
}
export interface PutEntry extends Change {
  readonly op: 'put'
}
export interface PreserveEntry extends Change {
  readonly op: 'preserve'
}

export interface PurgeEntry extends Change {
  readonly op: 'purge'
  /** Contents erased from the journal, wherever they stand before this entry. */
  readonly hashes: readonly ContentHash[]
}

/** Something said, about no path's content: who means to write what, who broke a rule. Changes nothing in the workspace. */
export interface NoteEntry {
  readonly op: 'note'
  /** None of them is ever there: so that entries of all kinds can be asked for theirs. */
  readonly path?: undefined
  readonly before?: State
  readonly after?: State
  /** What it is about: `intent`, `lease`, `breach` … */
  readonly topic: string
  readonly value: { readonly [key: string]: Json }
}

/** An event in the history of a path. `before` and `after` are about `path`, but a rename's `after` is about `to`. */
export type PathEntry =
  | WriteEntry
  | AppendEntry
  | EditEntry
  | PatchEntry
  | ReviseEntry
  | RemoveEntry
  | RenameEntry
  | MkdirEntry
  | RmdirEntry
  | ChmodEntry
  | SymlinkEntry
  | PutEntry
  | PreserveEntry
  | PurgeEntry

/** One event in the history. Frozen once committed. */
export type Entry = PathEntry | NoteEntry

export function isAboutPath(entry: Entry): entry is PathEntry {
  return entry.op !== 'note'
}

/** What an entry is about, for people: its path, or the topic of a note. */
export function subjectOf(entry: Entry): string {
  return isAboutPath(entry) ? entry.path : entry.topic
}

/** The states that an entry sets, in order: one path, or two for a rename, none for a preserve, a purge or a note. */
export function changesOf(
  entry: Entry,
): readonly { readonly path: string; readonly before: State; readonly after: State }[] {
  switch (entry.op) {
    case 'rename':
      return [
        { path: entry.path, before: entry.before, after: null },
        { path: entry.to, before: entry.replaced, after: entry.after },
      ]
    case 'preserve':
    case 'purge':
    case 'note':
      return []
    default:
      return [{ path: entry.path, before: entry.before, after: entry.after }]
  }
}

/** Entries that say in words what was asked for. The words stand beside the body of a commit, and can be purged. */
export type SpokenEntry = EditEntry | PatchEntry | ReviseEntry

export function isSpoken(entry: Entry): entry is SpokenEntry {
  return entry.op === 'edit' || entry.op === 'patch' || entry.op === 'revise'
}

/** Were its words purged? */
export function isSilenced(entry: Entry): entry is SpokenEntry {
  return isSpoken(entry) && saidBy(entry) === null
}

/** What an entry says in words; null: purged. */
export function saidBy(entry: SpokenEntry): Json {
  switch (entry.op) {
    case 'edit':
      return entry.edits as Json
    case 'patch':
      return entry.patch
    case 'revise':
      return entry.change
  }
}

/** Characters of the words of an entry, about: for estimates of what it takes in the log. */
export function wordsLength(entry: Entry): number {
  if (entry.op === 'edit')
    return (entry.edits ?? []).reduce((sum, { oldText, newText }) => sum + oldText.length + newText.length, 0)
  if (entry.op === 'patch') return entry.patch?.length ?? 0
  if (entry.op === 'note') return entry.topic.length + JSON.stringify(entry.value).length
  return entry.op === 'revise' ? entry.by.length + JSON.stringify(entry.change).length : 0
}

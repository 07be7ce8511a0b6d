/** SHA-256 of a content, 64 lower-case hex digits: what `sha256sum` prints. */
export type ContentHash = string

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface FileState {
  readonly kind: 'file'
  readonly hash: ContentHash
  /** Bytes. */
  readonly size: number
  /** Permission bits. */
  readonly mode: number
  /** Recorded only when the journal runs as the superuser. */
  readonly owner?: Owner
}

export interface DirectoryState {
  readonly kind: 'dir'
  readonly mode: number
  readonly owner?: Owner
}

export interface SymlinkState {
  readonly kind: 'symlink'
  readonly target: string
}

/** What is at a path; null: nothing. */
export type State = FileState | DirectoryState | SymlinkState | null

function sameOwner(a: Owner | undefined, b: Owner | undefined): boolean {
  // A state recorded without an owner says nothing about it.
  return a === undefined || b === undefined || (a.uid === b.uid && a.gid === b.gid)
}

/** Same kind, content, permissions and (where both know it) owner. */
export function sameState(a: State, b: State): boolean {
  if (a === null || b === null) return a === b
  switch (a.kind) {
    case 'file':
      return b.kind === 'file' && a.hash === b.hash && a.mode === b.mode && sameOwner(a.owner, b.owner)
    case 'dir':
      return b.kind === 'dir' && a.mode === b.mode && sameOwner(a.owner, b.owner)
    case 'symlink':
      return b.kind === 'symlink' && a.target === b.target
  }
}

/** The content hash of a file state; null for everything else. */
export function hashOf(state: State): ContentHash | null {
  return state?.kind === 'file' ? state.hash : null
}

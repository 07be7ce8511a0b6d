import type { Entry } from './entry.ts'

export type CommitKind = 'write' | 'undo' | 'redo' | 'restore' | 'revert' | 'adopt' | 'recovery' | 'purge' | 'note'

/** Who and why; all of it optional, all of it in the history. */
export interface Meta {
  readonly actor?: string
  readonly message?: string
  readonly tags?: readonly string[]
  /** What this belongs to: a prompt, a tool call, another transaction. */
  readonly parent?: string
}

/** One committed transaction, as the log holds it. */
export interface Commit extends Meta {
  /** `t` and 15 characters of `0-9a-z`. */
  readonly tx: string
  /** 1, 2, 3 … through the whole history. */
  readonly seq: number
  /** Milliseconds since 1970, never less than that of the transaction before. */
  readonly time: number
  readonly kind: CommitKind
  /** The transaction that an undo, redo or revert is about. */
  readonly of?: string
  /** Every transaction up to this number was wholly in the workspace when this one was written. */
  readonly done: number
  /** SHA-256 of the horizon that the log began with when this was written, in hex; in the first commit of a writer, or behind a new horizon. */
  readonly horizon?: string
  readonly entries: readonly Entry[]
}

/** A commit with its place in the chain: SHA-256 over the chain value before it and its own bytes, in hex. */
export interface ChainedCommit extends Commit {
  readonly chain: string
}

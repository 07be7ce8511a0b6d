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

/** What an undo or a redo is about in one transaction. */
export interface About {
  readonly tx: string
  /** Only its changes of these paths; null: all of them. */
  readonly paths: readonly string[] | null
}

/** What an undo, redo or revert is about: one transaction as a whole; or several, or parts. */
export type Of = string | readonly About[]

/** One committed transaction, as the log holds it. */
export interface Commit extends Meta {
  /** `t` and 15 characters of `0-9a-z`. */
  readonly tx: string
  /** 1, 2, 3 … through the whole history. */
  readonly seq: number
  /** Milliseconds since 1970, never less than that of the transaction before. */
  readonly time: number
  readonly kind: CommitKind
  /** The one transaction that an undo, redo or revert is about, as a whole. */
  readonly of?: string
  /** Instead of `of`: the transactions that an undo or redo is about, when they are several, or only some of their paths are meant. */
  readonly about?: readonly About[]
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

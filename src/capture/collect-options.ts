import type { TransactionOptions } from '../journal-types.ts'
import type { Receipt } from '../transaction/receipt.ts'
import type { LeftOut } from './left-out.ts'

/** What of a workspace is taken into the journal. What the journal knows already is followed whatever the rules say. */
export interface ScopeOptions {
  /** Patterns in the syntax of `.gitignore`, relative to the workspace: what fits is left out. They overrule all files; `!` takes in. */
  readonly ignore?: readonly string[]
  /** Heed `.gitignore` files, and `.git/info/exclude`. Default true. `.journalignore` files are heeded always, and overrule those. */
  readonly gitignore?: boolean
  /** Leave out `.git` and `node_modules`, unless a rule takes them in. Default true. */
  readonly defaults?: boolean
  /** Files of more bytes are left out, known ones too. Default 64 MiB. */
  readonly maxFileBytes?: number
  /** How many paths are named for each reason why something is left out. Default 20. */
  readonly names?: number
}

export interface CollectOptions extends ScopeOptions {
  /** Only these files, and folders with all in them. Default: the workspace. */
  readonly paths?: readonly string[]
  /**
   * What the journal does not know yet counts as having been there, not as made since it last looked: going back never removes it. For the look at a workspace
   * before something is done to it. May be several transactions, one after another. Default: false; true while the journal has no transaction at all.
   */
  readonly baseline?: boolean
}

export interface Collected {
  /** What was different, as one transaction; null when nothing was. */
  readonly receipt: Receipt | null
  /** All of them, in order: a baseline may be several, and so may more than 100,000 changes. */
  readonly receipts: readonly Receipt[]
  readonly leftOut: LeftOut
  /** How many paths were looked at. */
  readonly looked: number
}

/** Who and why, besides. */
export type CollectRequest = CollectOptions & TransactionOptions

export const MAX_FILE_BYTES = 64 * 1024 * 1024
export const NAMES = 20

import type { LargeChange } from '../content/large-change.ts'
import type { LargeContent } from '../content/large-contents.ts'
import type { Leniency } from '../edit/lenient.ts'
import type { PatchOptions } from '../edit/patch/patch-set.ts'
import type { Change } from '../edit/revisers.ts'
import type { Encoding } from '../edit/text.ts'
import type { TextEdit } from '../entry/entry.ts'
import type { ContentHash, State } from '../entry/state.ts'

/** Where the bytes of a staged content are until the transaction commits. */
export type ContentSource =
  | { readonly at: 'memory'; readonly bytes: Uint8Array }
  /** A file of its own below `staging/`, already complete. */
  | { readonly at: 'staged'; readonly file: string; readonly known?: LargeContent }
  /** Nowhere whole: a small change of a large content that the journal has. */
  | { readonly at: 'changed'; readonly change: LargeChange }
  /** The journal holds it already. */
  | { readonly at: 'stored' }

export interface StagedContent {
  readonly hash: ContentHash
  readonly size: number
  readonly source: ContentSource
}

/** `expect`: the content hash that must be there before (null: no file), else `CONFLICT`. */
interface Conditional {
  readonly expect?: ContentHash | null | undefined
}

/**
 * `encoding`: of a text that does not say so itself. `merge`: when `expect` does not hold, work the change out on the content that it names, which the journal
 * has, and merge it with what is there now.
 */
interface Textual extends Conditional {
  readonly encoding?: Encoding | undefined
  readonly merge?: boolean | undefined
}

/**
 * What a caller asks for, as plain values: a transaction is a list of these, and can come from another process.
 * Evaluated against the workspace, each becomes one or more entries.
 */
export type Operation =
  | ({
      readonly op: 'write'
      readonly path: string
      readonly content: StagedContent
      readonly mode?: number | undefined
    } & Textual)
  | ({ readonly op: 'append'; readonly path: string; readonly content: StagedContent } & Conditional)
  | ({
      readonly op: 'edit'
      readonly path: string
      readonly edits: readonly TextEdit[]
      readonly lenient?: Leniency | undefined
    } & Textual)
  | ({ readonly op: 'patch'; readonly path: string; readonly patch: string } & Textual)
  /** The new content is worked out by a reviser; `change` is what it was asked for. */
  | ({ readonly op: 'revise'; readonly path: string; readonly by: string; readonly change: Change } & Textual)
  /** A patch of any number of files, each named in it. */
  | ({ readonly op: 'apply'; readonly patch: string } & PatchOptions)
  | ({ readonly op: 'remove'; readonly path: string; readonly recursive?: boolean | undefined } & Conditional)
  | ({ readonly op: 'rename'; readonly path: string; readonly to: string } & Conditional)
  | { readonly op: 'mkdir'; readonly path: string; readonly mode?: number | undefined }
  | { readonly op: 'rmdir'; readonly path: string }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }
  /** Sets a path to a recorded state; `from` is the state that must be there. */
  | { readonly op: 'put'; readonly path: string; readonly state: State; readonly from?: State }
  | AdoptOperation

/** Takes what is on disk at `path` now, reached through no symbolic link, into the history, as a change from `recorded`. */
export interface AdoptOperation {
  readonly op: 'adopt'
  readonly path: string
  readonly recorded: State
  /** It was there before anybody took note of it: a record of what it is, and no change, so nothing of it is ever taken back. */
  readonly standing?: boolean | undefined
  /** Where it is said to have been moved from: it is a move if nothing is there any more and this is the same. Else both are adopted. */
  readonly moved?: { readonly from: string; readonly recorded: State } | undefined
}

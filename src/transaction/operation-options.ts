import type { Leniency } from '../edit/lenient.ts'
import type { Encoding } from '../edit/text.ts'
import type { ContentHash } from '../entry/state.ts'

export interface WriteOptions {
  /** Permission bits; default: those of the file that is there, or what the folder and the umask give. */
  readonly mode?: number
  /** SHA-256 in hex of the content that must be there (null: no file); else `CONFLICT`. */
  readonly expect?: ContentHash | null
  /** See `TextOptions`: of texts, with `expect`. */
  readonly merge?: boolean
  /** To merge: of texts that do not say so themselves. */
  readonly encoding?: Encoding
}

export interface ExpectOptions {
  readonly expect?: ContentHash | null
}

export interface TextOptions extends ExpectOptions {
  /** Of a text that does not say so itself by a byte order mark. Default UTF-8. */
  readonly encoding?: Encoding
  /**
   * When the file is not any more what `expect` says: work the change out on what it was, which the journal has, and merge it with what is there.
   * `CONFLICT` with both sides where they overlap.
   */
  readonly merge?: boolean
}

export interface EditOptions extends TextOptions {
  /**
   * Find whole lines also where blanks at their ends are others (`trailing-blanks`), or where all of them are indented otherwise (`indentation`, or true). Only
   * where a text is not there as it is; the result says so.
   */
  readonly lenient?: boolean | Leniency
}

export interface RemoveOptions extends ExpectOptions {
  /** Remove a folder with everything in it. */
  readonly recursive?: boolean
}

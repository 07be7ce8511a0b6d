/** What a patch asks for, whatever its format. */

export interface PatchLine {
  /** ` `: stays · `-`: goes · `+`: comes. */
  readonly sign: ' ' | '-' | '+'
  /** Without its line end. */
  readonly text: string
  /** The last line of the file, with no line end. */
  readonly unended?: true
  /** Where a patch tells CRLF and LF apart: which it is. */
  readonly end?: '\n' | '\r\n'
}

export interface Hunk {
  /** Line of the patch where it begins, from 1. */
  readonly patchLine: number
  /** Line of the file where it is expected to begin, from 1; null: the format does not say. */
  readonly at: number | null
  /** Lines of the file to go behind first, one after the other. */
  readonly anchors: readonly string[]
  readonly lines: readonly PatchLine[]
  /** It stands at the end of the file. */
  readonly atEnd: boolean
}

export interface FilePatch {
  readonly change: 'add' | 'delete' | 'update'
  readonly path: string
  /** The new path of a file that is moved, or copied. */
  readonly to?: string
  readonly copies?: true
  /** Permission bits to be set. */
  readonly mode?: number
  /** Of a file that is added. */
  readonly content?: string
  readonly hunks: readonly Hunk[]
  /** Line of the patch where it begins, from 1. */
  readonly patchLine: number
  /** The part of the patch about this file. */
  readonly said: string
}

export type PatchFormat = 'unified' | 'apply_patch'

export interface PatchSet {
  readonly format: PatchFormat
  readonly files: readonly FilePatch[]
}

/** How the lines of a hunk were found. */
export type HunkMatching = 'exact' | 'trailing-blanks' | 'blanks' | 'punctuation'

export interface HunkMatch {
  readonly matching: HunkMatching
  /** First and last line of its place, from 1, in the text as it was; the last is one less than the first for one that only adds. */
  readonly lines: readonly [from: number, to: number]
  /** By how many lines it stands elsewhere than the patch says, beyond what the hunks before it account for. */
  readonly offset: number
}

/** A hunk that does not fit. */
export interface HunkConflict {
  /** Number of the hunk in its file, from 1. */
  readonly hunk: number
  readonly patchLine: number
  /** Line of the file where it was expected; null: nowhere in particular. */
  readonly line: number | null
  /** What the hunk wants to find. */
  readonly expected: string
  /** What stands there, or at the nearest place. */
  readonly found: string
  /** Both as a small difference: `-` expected, `+` found. */
  readonly diff: string
  readonly reason: string
}

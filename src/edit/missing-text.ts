/** What is said to one whose text does not stand in a file once. */
import { JournalError } from '../errors.ts'
import { candidatesOf } from './candidates.ts'
import type { Matching } from './edits.ts'

/** How many places are named in a hint. */
const SHOWN = 10
/** Characters that stand for something else in a regular expression, in a way that texts seldom have. */
const LIKE_A_PATTERN = /\\[dDwWsSbB]|\.[*+]|\[\^?[^\]\s]+\][*+?]|\(\?[:=!<]|^\/.+\/[gimsuy]*$|^\^.*\$$/

/** Which edit: number `at` + 1 of so many. */
export interface Which {
  readonly path: string
  readonly at: number
  readonly of: number
}

function named({ at, of }: Which): string {
  return of === 1 ? '' : ` (edit ${at + 1} of ${of})`
}

function numbered({ at, of }: Which): { readonly edit?: number } {
  return of === 1 ? {} : { edit: at + 1 }
}

export function emptyError(which: Which): JournalError {
  const { path } = which
  return new JournalError('INVALID', `the text to replace in ${path} is empty${named(which)}`, {
    hint: 'Name the text to replace; to add text at the end, append.',
    path,
    details: { ...numbered(which) },
  })
}

export function ambiguousError(
  which: Which,
  count: number,
  spans: readonly (readonly [number, number])[],
  matching: Matching,
): JournalError {
  const { path } = which
  const lines = spans.map(([first]) => first)
  const more = count > SHOWN ? ` and ${count - SHOWN} more` : ''
  const how = matching === 'exact' ? '' : ` (matched by ${matching})`
  return new JournalError('INVALID', `the text to replace stands ${count} times in ${path}${named(which)}`, {
    hint: `It stands at lines ${lines.slice(0, SHOWN).join(', ')}${more}${how}. Give more of the text around it, or ask for all.`,
    path,
    details: { ...numbered(which), count, lines },
  })
}

export interface Circumstances {
  /** It would be found by more lenient matching. */
  readonly otherwise: { readonly matching: Matching; readonly lines: readonly (readonly [number, number])[] } | null
  /** It stood there before an earlier edit, of this number from 1, changed the place; 0: of a number that is not known. Null: it did not. */
  readonly changedBy: number | null
}

export function missingError(
  which: Which,
  text: string,
  oldText: string,
  { otherwise, changedBy }: Circumstances,
): JournalError {
  const { path } = which
  const candidates = candidatesOf(text, oldText)
  const hints: string[] = []
  if (changedBy !== null) {
    const by = changedBy === 0 ? 'an earlier edit' : `edit ${changedBy}`
    hints.push(`It stood there until ${by} changed that place: make one edit of both.`)
  }
  if (otherwise !== null) {
    const lines = otherwise.lines.map(([first]) => first).slice(0, SHOWN)
    const differs = otherwise.matching === 'indentation' ? 'other indentation' : 'other blanks at the ends of lines'
    hints.push(`With ${differs} it stands at line ${lines.join(', ')}: copy it exactly, or ask for lenient matching.`)
  }
  if (LIKE_A_PATTERN.test(oldText)) hints.push('Texts are taken as they stand, not as regular expressions.')
  const [nearest] = candidates
  if (nearest !== undefined) hints.push(`Nearest: line ${nearest.line}, - asked for, + there:\n${nearest.diff}`)
  return new JournalError('INVALID', `the text to replace does not stand in ${path}${named(which)}`, {
    hint: hints.length === 0 ? 'Read the file again and copy the text exactly.' : hints.join(' '),
    path,
    details: {
      ...numbered(which),
      count: 0,
      likely: candidates,
      ...(changedBy === null || changedBy === 0 ? {} : { changedBy }),
      ...(otherwise === null ? {} : { otherwise }),
    },
  })
}

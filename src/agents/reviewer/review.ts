import { JournalError, shown } from '../../errors.ts'

/** What a reviewer wants changed, or only says. */
export interface ReviewChange {
  readonly path: string
  /** A line, or the first and the last, from 1, in the file as the reviewer saw it. */
  readonly lines?: number | readonly [from: number, to: number]
  /** What stands there: with `lines`, those lines as a whole; without, a text that stands once in the file. */
  readonly oldText?: string
  /** What is to stand there. Of whole lines, nothing removes them. */
  readonly newText?: string
  /** Why. A block fenced as `suggestion` in it is the new text of `lines`, as on GitHub. */
  readonly comment?: string
  readonly reviewer?: string
}

export interface Review {
  readonly changes: readonly ReviewChange[]
  /** Who made those that name nobody. */
  readonly reviewer?: string
  /** Why; part of the history. */
  readonly message?: string
}

/** A change in one form, whatever it came in. */
export interface Suggestion {
  /** Its place in the review, from 0. */
  readonly index: number
  readonly path: string
  readonly lines: readonly [from: number, to: number] | null
  readonly oldText: string | null
  /** Null: a comment only. */
  readonly newText: string | null
  readonly comment?: string
  readonly reviewer?: string
}

/** A comment of a pull request, as GitHub's API gives it. */
interface GitHubComment {
  readonly path: string
  readonly body: string
  readonly line?: number | null
  readonly start_line?: number | null
  readonly original_line?: number | null
  readonly original_start_line?: number | null
  readonly side?: string
  readonly diff_hunk?: string
  readonly user?: { readonly login?: string } | null
}

const BLOCK = /^ {0,3}(`{3,}|~{3,})suggestion[^\n]*\n([\s\S]*?)^ {0,3}\1[`~]*[ \t]*$/gm
const CHANGE_KEYS = ['path', 'lines', 'oldText', 'newText', 'comment', 'reviewer']
const HINT = 'A change is { path, lines?, oldText?, newText?, comment?, reviewer? }, or a review comment of GitHub.'

/** The changes of a review: of one, of a list of changes, or of the comments of a pull request. @throws JournalError `INVALID` */
export function suggestionsOf(given: unknown): {
  readonly suggestions: readonly Suggestion[]
  readonly message?: string
} {
  const review = Array.isArray(given) ? { changes: given as unknown[] } : given
  if (!isObject(review) || !Array.isArray(review.changes)) throw refused('the review has no list of changes')
  const { reviewer, message, changes } = review as {
    reviewer?: unknown
    message?: unknown
    changes: readonly unknown[]
  }
  if (!isText(reviewer, true) || !isText(message, true))
    throw refused('reviewer and message of the review must be text')
  const by = reviewer as string | undefined
  const suggestions = changes.map((change, index) => suggestionOf(change, index, by))
  return { suggestions, ...(message === undefined ? {} : { message: message as string }) }
}

function suggestionOf(given: unknown, index: number, reviewer: string | undefined): Suggestion {
  const where = `changes[${index}]`
  if (!isObject(given) || !isText(given.path, false)) throw refused(`${where} names no file`)
  const own =
    typeof given.body === 'string' ? fromGitHub(given as unknown as GitHubComment) : checkedChange(given, where)
  const told = own.reviewer ?? reviewer
  const { path, oldText = null, comment } = own
  const blocks = [...(comment ?? '').matchAll(BLOCK)].map(([, , text = '']) => text)
  if (blocks.length > 1) throw refused(`${where} has ${blocks.length} suggestions in its comment`)
  const newText = own.newText ?? blocks[0]?.replace(/\r?\n$/, '') ?? null
  const lines =
    own.lines === undefined ? null : typeof own.lines === 'number' ? ([own.lines, own.lines] as const) : own.lines
  if (newText !== null && lines === null && oldText === null)
    throw refused(`${where} does not say what its new text replaces: it has neither lines nor oldText`)
  if (oldText === '') throw refused(`${where} replaces an empty text`)
  return {
    ...{ index, path, lines, oldText, newText },
    ...(comment === undefined ? {} : { comment }),
    ...(told === undefined ? {} : { reviewer: told }),
  }
}

function checkedChange(given: Record<string, unknown>, where: string): ReviewChange {
  const unknown = Object.keys(given).find((key) => !CHANGE_KEYS.includes(key))
  if (unknown !== undefined) throw refused(`${where} has ${shown(unknown)}, which means nothing`)
  for (const key of ['oldText', 'newText', 'comment', 'reviewer']) {
    if (!isText(given[key], true)) throw refused(`${where}.${key} must be text`)
  }
  const { lines } = given
  const ends = Array.isArray(lines) ? (lines as unknown[]) : [lines, lines]
  const [from, to] = ends as [number, number]
  const fits = ends.length === 2 && [from, to].every((line) => Number.isSafeInteger(line) && line > 0) && from <= to
  if (lines !== undefined && !fits)
    throw refused(`${where}.lines is ${shown(lines)}, and must be a line, or [first, last], from 1`)
  return given as unknown as ReviewChange
}

/** What was commented on stands at the end of the piece of the diff that comes with it. */
function fromGitHub({ path, body, side, diff_hunk: hunk, user, ...at }: GitHubComment): ReviewChange {
  const to = at.line ?? at.original_line ?? undefined
  const from = (at.line == null ? at.original_start_line : at.start_line) ?? to
  const commented = {
    path,
    comment: body,
    ...(user?.login === undefined ? {} : { reviewer: user.login }),
  }
  // Lines that the change took away are not there to be changed.
  if (to === undefined || from === undefined || side === 'LEFT')
    return { ...commented, comment: body.replace(BLOCK, '') }
  const shownLines = (hunk ?? '').split('\n').filter((line) => line.startsWith('+') || line.startsWith(' '))
  const count = to - from + 1
  const oldText = shownLines.slice(-count).map((line) => line.slice(1).replace(/\r$/, ''))
  return {
    ...commented,
    lines: [from, to],
    ...(oldText.length === count && oldText.join('\n') !== '' ? { oldText: oldText.join('\n') } : {}),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, optional: boolean): boolean {
  return typeof value === 'string' ? optional || value !== '' : optional && value === undefined
}

function refused(message: string): JournalError {
  return new JournalError('INVALID', message, { hint: HINT })
}

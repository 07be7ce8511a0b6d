import { decodeText, encodeText } from '../../edit/text.ts'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { type Misfit, type Placed, placeAll, withPlaced } from './placement.ts'
import { type Review, type Suggestion, suggestionsOf } from './review.ts'

export interface ReviewOptions extends TransactionOptions {
  /** Change the files of which every change fits, and leave the others alone; default: all files, or none. */
  readonly partial?: boolean
  /** Only say what would be changed, and what does not fit. */
  readonly dryRun?: boolean
}

interface Told {
  /** The place of the change in the review, from 0. */
  readonly index: number
  readonly path: string
  readonly reviewer?: string
}

export interface AppliedChange extends Told {
  /** First and last line that it replaced, in the file as it was. */
  readonly lines: readonly [from: number, to: number]
  /** They stood elsewhere than the review says. */
  readonly moved?: true
}

export interface ReviewConflict extends Told {
  readonly reason: string
}

export interface ReviewReport {
  readonly applied: readonly AppliedChange[]
  readonly conflicts: readonly ReviewConflict[]
  /** Comments without a change. */
  readonly comments: readonly Told[]
  /** Null with `dryRun`, and when nothing was changed. */
  readonly receipt: Receipt | null
}

/** What a review comes to. */
interface Plan {
  readonly report: Omit<ReviewReport, 'receipt'>
  /** The new contents, by path. */
  readonly contents: ReadonlyMap<string, Buffer>
}

/**
 * Applies the changes of a review, grouped by file, as one transaction.
 * @param review a `Review`, a list of changes, or the review comments of a pull request as GitHub's API gives them
 * @throws JournalError `INVALID` for a review that is none; `CONFLICT` when any change does not fit, unless `partial` or `dryRun`: all of them are named in
 * `details.conflicts`, and nothing has changed
 */
export async function applyReview(
  journal: Journal,
  review: Review | readonly unknown[],
  options: ReviewOptions = {},
): Promise<ReviewReport> {
  const { partial = false, dryRun = false, ...meta } = options
  const { suggestions, message } = suggestionsOf(review)
  const tx = journal.begin(metaOf(meta, suggestions, message))
  try {
    const { report, contents } = await planReview(tx, suggestions, partial)
    if (!dryRun && !partial) refuseConflicts(report)
    if (dryRun || contents.size === 0) {
      await tx.abort()
      return { ...report, receipt: null }
    }
    for (const [path, bytes] of contents) await tx.write(path, bytes)
    return { ...report, receipt: await tx.commit() }
  } catch (error) {
    await tx.abort()
    throw error
  }
}

/** Adds the changes of a review to a transaction. Refused before anything is added, as `applyReview` does. */
export async function reviewInto(
  tx: Transaction,
  review: Review | readonly unknown[],
  { partial = false }: { readonly partial?: boolean } = {},
): Promise<Omit<ReviewReport, 'receipt'>> {
  const { report, contents } = await planReview(tx, suggestionsOf(review).suggestions, partial)
  if (!partial) refuseConflicts(report)
  for (const [path, bytes] of contents) await tx.write(path, bytes)
  return report
}

async function planReview(tx: Transaction, suggestions: readonly Suggestion[], partial: boolean): Promise<Plan> {
  const groups = new Map<string, Suggestion[]>()
  for (const suggestion of suggestions) {
    if (suggestion.newText === null) continue
    const group = groups.get(suggestion.path)
    if (group === undefined) groups.set(suggestion.path, [suggestion])
    else group.push(suggestion)
  }
  const applied: Placed[] = []
  const misfits: Misfit[] = []
  const contents = new Map<string, Buffer>()
  for (const [path, group] of groups) {
    const found = await fileIn(tx, path, group)
    misfits.push(...found.misfits)
    const left = partial && found.misfits.length > 0
    if (left)
      misfits.push(
        ...found.placed.map(({ suggestion }) => ({ suggestion, reason: 'another change of this file does not fit' })),
      )
    else applied.push(...found.placed)
    if (!left && found.bytes !== null) contents.set(path, found.bytes)
  }
  const report = {
    applied: applied.map(({ suggestion, lines, moved }) => ({
      ...told(suggestion),
      lines,
      ...(moved ? { moved } : {}),
    })),
    conflicts: misfits.map(({ suggestion, reason }) => ({ ...told(suggestion), reason })),
    comments: suggestions.filter(({ newText }) => newText === null).map(told),
  }
  const byIndex = (a: Told, b: Told): number => a.index - b.index
  return {
    report: { ...report, applied: report.applied.sort(byIndex), conflicts: report.conflicts.sort(byIndex) },
    contents,
  }
}

async function fileIn(
  tx: Transaction,
  path: string,
  group: readonly Suggestion[],
): Promise<{ placed: readonly Placed[]; misfits: readonly Misfit[]; bytes: Buffer | null }> {
  try {
    const source = decodeText(await tx.read(path), path)
    const { placed, misfits } = placeAll(source.text, group)
    const text = withPlaced(source.text, placed)
    return { placed, misfits, bytes: text === source.text ? null : encodeText(text, source, path) }
  } catch (error) {
    if (!(error instanceof JournalError) || !['NOT_FOUND', 'INVALID'].includes(error.code)) throw error
    return { placed: [], misfits: group.map((suggestion) => ({ suggestion, reason: error.message })), bytes: null }
  }
}

function told({ index, path, reviewer }: Suggestion): Told {
  return { index, path, ...(reviewer === undefined ? {} : { reviewer }) }
}

function metaOf(
  meta: TransactionOptions,
  suggestions: readonly Suggestion[],
  message: string | undefined,
): TransactionOptions {
  const reviewers = [...new Set(suggestions.flatMap(({ reviewer }) => reviewer ?? []))]
  const by = reviewers.length === 0 ? '' : ` by ${reviewers.join(', ')}`
  return {
    message: message ?? `review${by}`,
    ...meta,
    tags: [...(meta.tags ?? []), ...reviewers.map((reviewer) => `reviewer:${reviewer}`)],
  }
}

function refuseConflicts({ applied, conflicts }: Omit<ReviewReport, 'receipt'>): void {
  const [first] = conflicts
  if (first === undefined) return
  const named = conflicts.slice(0, 5).map(({ index, path, reason }) => `${path} (changes[${index}]): ${reason}`)
  const more = conflicts.length > 5 ? [`and ${conflicts.length - 5} more`] : []
  throw new JournalError(
    'CONFLICT',
    `${conflicts.length} of ${conflicts.length + applied.length} changes do not fit: ${[...named, ...more].join('; ')}`,
    {
      hint: 'Nothing was changed. Correct them, leave them out, or apply the files that fit (partial).',
      path: first.path,
      details: { conflicts, applied: [], fitting: applied.length },
    },
  )
}

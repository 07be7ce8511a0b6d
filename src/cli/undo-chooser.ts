/** `journal undo -i`: choose from a list, look at the difference, confirm. Loaded only for that. */
import { cancel, confirm, groupMultiselect, isCancel, select } from '@clack/prompts'
import type { ChainedCommit } from '../entry/commit.ts'
import type { TransactionCriteria } from '../history/undo/selection.ts'
import type { Journal } from '../journal.ts'
import type { UndoPreview } from '../journal-types.ts'
import { receiptFiles } from '../transaction/receipt.ts'
import { UsageError } from './failure.ts'
import { ago, counted } from './measure.ts'
import { headline, printable } from './printable.ts'
import { requireRecovered } from './recovered.ts'
import type { Session } from './session.ts'
import { carryOut, criteriaOf, type Manner, printPreview, type TakeBackOptions, undoOptionsOf } from './take-back.ts'

/** Transactions to choose from. */
const LISTED = 40
/** Lines of the terminal that the list leaves free. */
const MARGIN = 8

type Choice = 'keep' | 'ours' | 'theirs' | 'no'

/** @throws UsageError where nobody can be asked */
export async function chooseAndUndo(
  session: Session,
  names: readonly string[],
  options: TakeBackOptions,
): Promise<void> {
  if (session.output.json || options.dryRun === true)
    throw new UsageError('-i asks a person: it does not go with --json or --dry-run', 'Leave one of them out.')
  if (names.length > 0) throw new UsageError('-i lists the transactions itself', 'Name none, or leave -i out.')
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError(
      'There is no terminal to choose on',
      'Name the transactions, or give --prompt, --of-actor, --of-tag, --since or --until; --dry-run shows what they would change.',
    )
  }
  const given = undoOptionsOf(session, options)
  // Nobody else waits for the lock while a person thinks.
  const decided = await session.read(async (journal) => {
    await requireRecovered(journal)
    return decide(session, journal, options, given)
  })
  if (decided === null) {
    cancel('Nothing was changed.')
    session.exitCode = 1
    return
  }
  await session.write((journal) => carryOut(session, journal, 'undo', decided.criteria, decided.manner))
}

interface Decision {
  readonly criteria: TransactionCriteria
  readonly manner: Manner
}

async function decide(
  session: Session,
  journal: Journal,
  options: TakeBackOptions,
  given: Manner,
): Promise<Decision | null> {
  const listed = await standingOnes(journal, session, options)
  if (listed.length === 0) {
    session.output.note('There is no transaction that could be undone.')
    return null
  }
  const chosen = await groupMultiselect<string>({
    message: 'What shall be undone? (space selects, a group with all in it; return goes on)',
    options: grouped(listed),
    maxItems: Math.max(5, (process.stdout.rows ?? 24) - MARGIN),
    required: true,
  })
  if (isCancel(chosen)) return null
  const criteria: TransactionCriteria = {
    tx: chosen,
    ...(options.path === undefined ? {} : { paths: session.selection(options.path) ?? [] }),
  }
  const preview = await journal.undo(criteria, { ...given, dryRun: true })
  await printPreview(preview, session.output)
  const manner = await mannerOf(preview, given)
  if (manner === null) return null
  const sure = await confirm({ message: `Undo ${counted(preview.transactions.length, 'transaction')}?` })
  return sure === true ? { criteria, manner } : null
}

async function mannerOf({ conflicts }: UndoPreview, given: Manner): Promise<Manner | null> {
  if (conflicts.length === 0) return given
  const choice = await select<Choice>({
    message: `${counted(conflicts.length, 'path')} changed since. What about ${conflicts.length === 1 ? 'it' : 'them'}?`,
    options: [
      { value: 'keep', label: 'leave as it is', hint: 'and undo the rest' },
      { value: 'ours', label: 'what is there now wins', hint: 'where both changed the same' },
      { value: 'theirs', label: 'what was there before wins', hint: 'where both changed the same' },
      { value: 'no', label: 'undo nothing' },
    ],
  })
  return isCancel(choice) || choice === 'no' ? null : { ...given, onConflict: choice }
}

/** The newest that are not undone as a whole. */
async function standingOnes(journal: Journal, session: Session, options: TakeBackOptions): Promise<ChainedCommit[]> {
  const { tx: _, paths, ...criteria } = criteriaOf(session, ['head'], options)
  const decided = new Set<string>()
  const gone = new Set<string>()
  const found: ChainedCommit[] = []
  for await (const commit of journal.history({
    ...criteria,
    ...(paths?.length === 1 ? { path: paths[0] as string } : {}),
  })) {
    const { kind, of, about = [] } = commit
    if (gone.has(commit.tx)) continue
    const whole = of === undefined ? about.filter((part) => part.paths === null).map(({ tx }) => tx) : [of]
    for (const tx of whole) {
      if (decided.has(tx)) continue
      decided.add(tx)
      if (kind !== 'redo') gone.add(tx)
    }
    if (receiptFiles(commit.entries).length > 0) found.push(commit)
    if (found.length === LISTED) break
  }
  return found
}

/** By what they belong to, in the order of the newest of each. */
function grouped(
  commits: readonly ChainedCommit[],
): Record<string, { readonly value: string; readonly label: string; readonly hint: string }[]> {
  const groups: Record<string, { value: string; label: string; hint: string }[]> = {}
  for (const commit of commits) {
    const { tx, seq, time, actor, message, parent, kind, entries } = commit
    const files = receiptFiles(entries)
    const name = parent === undefined ? 'of no prompt' : `prompt ${printable(parent)}`
    groups[name] ??= []
    groups[name].push({
      value: tx,
      label: `${seq}  ${headline(message ?? `${kind} ${files.map(({ path }) => path).join(', ')}`)}`,
      hint: `${printable(actor ?? '-')}, ${ago(time, Date.now())}, ${counted(files.length, 'file')}`,
    })
  }
  return groups
}

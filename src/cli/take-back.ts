/** What `undo` and `redo` have in common: how transactions are chosen, and what is said of the result. */

import type { ConflictChoice } from '../history/undo/reversal.ts'
import type { TransactionCriteria } from '../history/undo/selection.ts'
import type { Journal } from '../journal.ts'
import type { UndoOptions, UndoPreview, UndoReceipt } from '../journal-types.ts'
import { conflictText } from './conflict-text.ts'
import { collect, type Declaration } from './declaration.ts'
import { UsageError } from './failure.ts'
import { counted } from './measure.ts'
import type { Output } from './output.ts'
import { patchText } from './patch-text.ts'
import { present } from './present.ts'
import { printable } from './printable.ts'
import { receiptText } from './receipt-text.ts'
import { requireRecovered } from './recovered.ts'
import type { MetaOptions, Session } from './session.ts'

export type Direction = 'undo' | 'redo'

/** How it is to be done, once it is not only looked at. */
export type Manner = Omit<UndoOptions, 'dryRun'>

export interface TakeBackOptions extends MetaOptions {
  readonly ofActor?: string
  readonly ofTag?: string
  readonly ofParent?: string
  readonly prompt?: string
  readonly since?: string
  readonly until?: string
  readonly path?: readonly string[]
  readonly keep?: boolean
  readonly ours?: boolean
  readonly theirs?: boolean
  readonly force?: boolean
  readonly merge: boolean
  readonly dryRun?: boolean
}

type Rows = NonNullable<Declaration['options']>

export const TAKE_BACK_OPTIONS: Rows = [
  ['--of-actor <name>', 'those of this actor'],
  ['--of-tag <tag>', 'those with this tag'],
  ['--of-parent <id>', 'those that belong to this'],
  ['--prompt <id>', 'the same: all that one prompt did'],
  ['--since <at>', 'those after this point: 2h, 2026-01-31, a number, an id'],
  ['--until <at>', 'those up to this point'],
  ['--path <path>', 'only what they did to this file, or in this folder; may be repeated', collect],
  ['--keep', 'leave paths alone that were changed since, and go on with the rest'],
  ['--ours', 'where both sides changed the same, what is there now wins'],
  ['--theirs', 'where both sides changed the same, what was there before wins'],
  ['--force', 'set the files back whatever was done to them since; the history keeps what was there'],
  ['--no-merge', 'a file that was changed elsewhere since is a conflict too'],
  ['--dry-run', 'only show the difference that it would make, and the conflicts'],
]

const CHOICES = ['keep', 'ours', 'theirs', 'force'] as const

/** What is meant. @throws UsageError when nothing says so */
export function criteriaOf(session: Session, names: readonly string[], options: TakeBackOptions): TransactionCriteria {
  const { ofActor, ofTag, ofParent, prompt, since, until, path } = options
  if (prompt !== undefined && ofParent !== undefined && prompt !== ofParent)
    throw new UsageError('--prompt and --of-parent mean the same', 'Give one of them.')
  const tx = names.length === 0 ? undefined : names
  const criteria = { tx, actor: ofActor, tag: ofTag, parent: prompt ?? ofParent, since, until }
  if (Object.values(criteria).every((value) => value === undefined)) {
    throw new UsageError(
      'Nothing says which transactions are meant',
      'Name them, or give --prompt, --of-actor, --of-tag, --since or --until. `journal log` lists them.',
    )
  }
  return present<TransactionCriteria>({ ...criteria, paths: path === undefined ? undefined : session.selection(path) })
}

export function undoOptionsOf(session: Session, options: TakeBackOptions): Manner {
  const given = CHOICES.filter((choice) => options[choice] === true)
  if (given.length > 1)
    throw new UsageError(`--${given.join(' and --')} do not go together`, 'Give one of them, or none.')
  const [choice] = given
  return {
    ...session.meta(options),
    ...(choice === undefined ? {} : choice === 'force' ? { force: true } : { onConflict: choice }),
    ...(options.merge ? {} : { merge: false }),
  }
}

/** Runs one, from names and options to what is printed. */
export async function takeBack(
  session: Session,
  direction: Direction,
  names: readonly string[],
  options: TakeBackOptions,
): Promise<void> {
  const criteria = criteriaOf(session, names, options)
  const manner = undoOptionsOf(session, options)
  if (options.dryRun !== true) {
    await session.write((journal) => carryOut(session, journal, direction, criteria, manner))
    return
  }
  await session.read(async (journal) => {
    await requireRecovered(journal)
    const preview = await journal[direction](criteria, { ...manner, dryRun: true })
    await printPreview(preview, session.output)
    if (preview.conflicts.length > 0) session.exitCode = 3
  })
}

export async function carryOut(
  { output }: Session,
  journal: Journal,
  direction: Direction,
  criteria: TransactionCriteria,
  options: Manner,
): Promise<void> {
  const receipt = await journal[direction](criteria, options)
  const verb = direction === 'undo' ? 'undone by' : 'redone by'
  await output.result(receipt, () => [...receiptText(receipt, output, verb), ...moreText(receipt, options.onConflict)])
}

/** Lines about what is not plain. */
function moreText(
  { transactions, passedOver, merged, decided, kept }: UndoReceipt,
  choice: ConflictChoice | undefined,
): string[] {
  const list = (what: string, items: readonly string[] | undefined) =>
    items === undefined ? [] : [`${what}: ${items.map(printable).join(', ')}`]
  return [
    ...list(counted(transactions?.length ?? 0, 'transaction'), transactions),
    ...list('undone already, or without effect', passedOver),
    ...list('merged with later changes', merged),
    ...list(`decided by --${choice ?? 'ours'}`, decided),
    ...list('left as they are', kept),
  ]
}

/** A patch that other programs take, with the rest in lines that they pass over. */
export async function printPreview(preview: UndoPreview, output: Output): Promise<void> {
  if (output.json) return output.object(preview)
  const { kind, transactions, passedOver, changes, kept, conflicts } = preview
  const { bold, yellow, dim } = output.colors
  const names = transactions.map(({ tx, seq }) => `${tx} (${seq})`)
  await output.line(bold(`# would ${kind} ${names.join(', ')}`))
  if (passedOver.length > 0) await output.line(dim(`# undone already, or without effect: ${passedOver.join(', ')}`))
  for (const change of changes) {
    if (change.merged) await output.line(dim(`# ${printable(change.path)}: merged with later changes`))
    await output.write(patchText(change, output))
  }
  for (const path of kept) await output.line(yellow(`# left as it is: ${printable(path)}`))
  for (const conflict of conflicts) {
    const [head, ...rest] = conflictText(conflict)
    await output.line(yellow(`# conflict: ${head}`))
    for (const line of rest) await output.line(`# ${line}`)
  }
  if (changes.length === 0 && conflicts.length === 0) await output.line('# nothing would change')
}

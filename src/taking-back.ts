import { checked, SELECTION, TAKE_BACK } from './arguments.ts'
import { JournalError, withJournalErrors } from './errors.ts'
import type { GoingBackHost } from './going-back.ts'
import { diffStates, type FileDiff } from './history/diff.ts'
import { Finder } from './history/found-state.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { planRedo, planUndo, type UndoConflict, type UndoPlan, type UndoStep } from './history/undo/plan.ts'
import { type Selected, selectedBy, type TransactionSelection } from './history/undo/selection.ts'
import { SHOWN_LIMIT } from './history/unified-patch.ts'
import type { UndoOptions, UndoPreview, UndoReceipt } from './journal-types.ts'
import { leasedMeta } from './meta.ts'
import type { OpenOptions } from './options.ts'
import { type Past, READING } from './past.ts'
import { relativePath } from './relative-path.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { Store } from './store/opening.ts'

type Direction = 'undo' | 'redo'

/** Characters of patches that a preview holds. */
const MOST_PATCHES = 16 * 1024 * 1024
/** Conflicts whose texts an error shows. */
const SHOWN_SIDES = 20

/** Takes transactions back, or makes them again, as one new transaction. */
export class TakingBack {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #past: Past
  readonly #host: GoingBackHost

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, past: Past, host: GoingBackHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#past = past
    this.#host = host
  }

  async run(
    direction: Direction,
    selection: TransactionSelection,
    options: UndoOptions,
  ): Promise<UndoReceipt | UndoPreview> {
    const { dryRun, force, onConflict } = checked('the options', options, TAKE_BACK)
    if (force === true && onConflict !== undefined) {
      throw new JournalError('INVALID', 'force leaves nothing for onConflict to decide', { hint: 'Give one of them.' })
    }
    if (dryRun !== true) this.#host.writing()
    const selected = this.#selected(selection)
    const plan = await this.#plan(direction, selected, options)
    if (dryRun === true) return this.#preview(plan)
    return this.#carryOut(plan, options)
  }

  #selected(selection: TransactionSelection): Selected {
    if (typeof selection !== 'object' || selection === null || Array.isArray(selection)) return selectedBy(selection)
    const given = checked(
      'the selection',
      selection as Exclude<TransactionSelection, string | number | readonly unknown[]>,
      SELECTION,
    )
    const { paths, ...rest } = given
    if (paths === undefined) return selectedBy(rest)
    return selectedBy({ ...rest, paths: paths.map((path) => relativePath(this.#store.layout.root, path)) })
  }

  #plan(direction: Direction, selected: Selected, options: UndoOptions): Promise<UndoPlan> {
    const { disk, layout, contents } = this.#store
    const site = { index: this.#index, contents, disk, root: layout.root }
    const { onConflict: choice = 'refuse', force = false, merge = true } = options
    return withJournalErrors(READING, async () => {
      const planned = direction === 'undo' ? planUndo : planRedo
      const plan = await planned(site, selected, { choice, force, merge }, disk.now())
      for (const { path, state, bytes } of plan.steps) if (bytes === null) await this.#past.refusePurged(path, state)
      for (const { path, wanted } of plan.conflicts) await this.#past.refusePurged(path, wanted)
      return plan
    })
  }

  async #carryOut(plan: UndoPlan, options: UndoOptions): Promise<UndoReceipt> {
    const { kind, of, steps, conflicts, decided, kept } = plan
    if (conflicts.length > 0) throw conflictError(plan)
    if (of.length === 0) throw nothingToDo(plan)
    const merged = steps.filter((step) => step.merged).map(({ path }) => path)
    const transaction = this.#host.begin(leasedMeta(options), kind, of, this.#validation(options, merged.length > 0))
    try {
      for (const step of steps) await this.#perform(transaction, step, options.force === true)
    } catch (error) {
      await transaction.abort()
      throw error
    }
    const receipt = await transaction.commit()
    return {
      ...receipt,
      ...(plan.transactions.length > 1 ? { transactions: plan.transactions.map(({ tx }) => tx) } : {}),
      ...(plan.passedOver.length > 0 ? { passedOver: plan.passedOver } : {}),
      ...(merged.length > 0 ? { merged } : {}),
      ...(decided.length > 0 ? { decided } : {}),
      ...(kept.length > 0 ? { kept } : {}),
    }
  }

  async #perform(
    transaction: ReturnType<GoingBackHost['begin']>,
    { path, from, state, bytes }: UndoStep,
    force: boolean,
  ): Promise<void> {
    if (bytes === null || state?.kind !== 'file') {
      await transaction.perform(force ? { op: 'put', path, state } : { op: 'put', path, state, from })
      return
    }
    const expect = from?.kind === 'file' ? from.hash : null
    await transaction.write(path, await bytes(), { expect, mode: state.mode })
  }

  /** What is gone back to was there before; what is merged was not, and is asked what new contents are asked. */
  #validation({ validation }: UndoOptions, merges: boolean): ValidationLevel | undefined {
    if (validation !== undefined || !merges) return validation
    const asked = this.#options.validation
    return typeof asked === 'object' ? (asked.level ?? 'basic') : asked
  }

  async #preview(plan: UndoPlan): Promise<UndoPreview> {
    const { kind, transactions, passedOver, steps, kept, conflicts } = plan
    const changes: UndoPreview['changes'][number][] = []
    let shown = 0
    for (const { path, from, state, merged, decided, bytes } of steps) {
      const diff = await withJournalErrors(READING, async () => this.#diff(path, from, state, bytes))
      shown += diff.patch.length
      const shortened = shown > MOST_PATCHES ? { patch: '', note: 'not shown: the preview is too large' } : {}
      changes.push({ ...diff, ...shortened, merged, decided })
    }
    return { kind, transactions, passedOver, changes, kept, conflicts }
  }

  async #diff(
    path: string,
    from: UndoStep['from'],
    state: UndoStep['state'],
    bytes: UndoStep['bytes'],
  ): Promise<FileDiff> {
    const { disk, layout, contents } = this.#store
    // What is there now the journal need not have.
    const found = await new Finder(disk, layout.root).find(path, SHOWN_LIMIT)
    return diffStates(contents, path, from, state, bytes === null ? null : await bytes(), found.bytes)
  }
}

function conflictError({ kind, conflicts, of }: UndoPlan): JournalError {
  const paths = conflicts.map(({ path }) => path)
  const shown = conflicts.map(({ sides, ...conflict }, at): UndoConflict => {
    return at < SHOWN_SIDES && sides !== undefined ? { ...conflict, sides } : conflict
  })
  return new JournalError(
    'CONFLICT',
    `changed since: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`,
    {
      hint: `Look at it with --dry-run. Leave these paths alone (--keep), let what is there now win (--ours) or what was there before (--theirs), or ${kind} the later changes first.`,
      path: paths[0],
      tx: typeof of === 'string' ? of : undefined,
      details: { conflicts: shown },
    },
  )
}

/** Nothing is left but paths that stay as they are. */
function nothingToDo({ kind, kept }: UndoPlan): JournalError {
  return new JournalError('CONFLICT', `nothing is left to ${kind}: all of it was changed since`, {
    hint: 'Nothing was changed. Look at the conflicts with --dry-run.',
    path: kept[0],
    details: { kept },
  })
}

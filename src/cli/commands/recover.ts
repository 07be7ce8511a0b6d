import { JournalError } from '../../errors.ts'
import type { RecoveryReport } from '../../recovery/report.ts'
import type { SalvageReport } from '../../salvage/report.ts'
import { declare } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'
import { printable } from '../printable.ts'
import { lossHint, salvageText } from '../salvage-text.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly dryRun?: boolean
  readonly revert?: boolean
  readonly salvage?: boolean
}

type Report = RecoveryReport & Partial<SalvageReport>

const NOTHING: RecoveryReport = { replayed: [], reverted: [], discarded: [], conflicts: [], tornBytes: 0 }

function reportText(report: RecoveryReport, planned: boolean): string[] {
  const { replayed, reverted, discarded, conflicts, tornBytes } = report
  const would = planned ? 'would be ' : ''
  const lines: string[] = []
  if (replayed.length > 0) lines.push(`${would}finished: ${replayed.join(' ')}`)
  if (reverted.length > 0) lines.push(`${would}taken back: ${reverted.join(' ')}`)
  if (discarded.length > 0) lines.push(`${would}discarded, never committed: ${discarded.join(' ')}`)
  if (tornBytes > 0)
    lines.push(`${would}cut off the end of the log and kept in .journal/broken: ${byteCount(tornBytes)}`)
  for (const { tx, path } of conflicts)
    lines.push(`${would}left alone, somebody changed it: ${printable(path)} (${tx})`)
  if (lines.length === 0) return [planned ? 'Nothing to recover.' : 'Nothing was left to recover.']
  const count = replayed.length + reverted.length
  if (!planned) lines.push(`recovered ${counted(count, 'transaction')}`)
  return lines
}

async function recovered(session: Session, options: Options): Promise<RecoveryReport> {
  const recover = options.revert ? 'revert' : 'replay'
  if (options.dryRun) {
    const { planRecovery } = await import('../../index.ts')
    return planRecovery(session.root, { recover })
  }
  const salvage = options.salvage ? { salvage: true } : {}
  return session.open(session.root, { create: false, recover, ...salvage }, async (journal) => journal.recovery)
}

function isCorrupt(error: unknown): error is JournalError {
  return error instanceof JournalError && error.code === 'CORRUPT'
}

/** The ordinary recovery, as far as the damage lets it; then the damage. */
async function salvaged(session: Session, options: Options): Promise<Report> {
  const { salvageJournal } = await import('../../index.ts')
  const report = await recovered(session, options).catch((error: unknown) => {
    if (isCorrupt(error)) return NOTHING
    throw error
  })
  const found = await salvageJournal(session.root, { dryRun: options.dryRun === true })
  return found.kept === null ? report : { ...report, ...found }
}

/** What a refusal says is worth more with what would be saved and lost. */
async function explained(session: Session, error: unknown): Promise<unknown> {
  if (!isCorrupt(error)) return error
  const { salvageJournal } = await import('../../index.ts')
  const plan = await salvageJournal(session.root, { dryRun: true }).catch(() => null)
  if (plan === null || plan.kept === null) return error
  const { message, path, tx, details, cause } = error
  return new JournalError('CORRUPT', message, { hint: lossHint(plan), path, tx, details, cause })
}

export default declare<[], Options>({
  description:
    'Finishes the transactions that a crash left half done, or takes them back. Safe to run at any time, and again when it is itself interrupted. Exit code 3 when it left files alone because somebody had changed them; 4 when the journal is damaged: then nothing is changed without `--salvage`, which keeps all that can still be read, says what is lost, and leaves the workspace alone.',
  options: [
    ['--dry-run', 'only show what would be done'],
    ['--revert', 'take the transactions in flight back instead of finishing them'],
    [
      '--salvage',
      'go on with what can be read of a damaged journal; what is cut out, and contents of transactions never committed, are kept in .journal/broken',
    ],
  ],
  examples: [
    ['journal recover --dry-run', 'what there is to do'],
    ['journal recover', 'do it'],
    ['journal recover --salvage --dry-run', 'what a damaged journal would lose'],
  ],
  async run(session, _args, options) {
    const planned = options.dryRun === true
    const run = options.salvage ? salvaged(session, options) : recovered(session, options)
    const found: Report = await run.catch(async (error: unknown) => {
      throw options.salvage ? error : await explained(session, error)
    })
    const {
      replayed,
      reverted,
      discarded,
      conflicts,
      tornBytes,
      salvaged: count,
      lost,
      versions,
      restored,
      kept,
    } = found
    const report = { replayed, reverted, discarded, conflicts, tornBytes }
    if (conflicts.length > 0) session.exitCode = 3
    session.progress.clear()
    if (count === undefined || lost === undefined || versions === undefined || restored === undefined) {
      await session.output.result(report, () => reportText(report, planned))
      return
    }
    const salvage: SalvageReport = { salvaged: count, lost, versions, restored, kept: kept ?? null }
    const idle = reportText(report, planned).length === 1
    await session.output.result({ ...report, ...salvage }, () => [
      ...(idle ? [] : reportText(report, planned)),
      ...salvageText(salvage, planned),
    ])
  },
})

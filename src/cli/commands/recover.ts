import type { RecoveryReport } from '../../recovery/report.ts'
import { declare } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly dryRun?: boolean
  readonly revert?: boolean
  readonly salvage?: boolean
}

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

async function reportOf(session: Session, options: Options): Promise<RecoveryReport> {
  const recover = options.revert ? 'revert' : 'replay'
  if (options.dryRun) {
    const { planRecovery } = await import('../../index.ts')
    return planRecovery(session.root, { recover })
  }
  const salvage = options.salvage ? { salvage: true } : {}
  return session.open(session.root, { create: false, recover, ...salvage }, async (journal) => journal.recovery)
}

export default declare<[], Options>({
  description:
    'Finishes the transactions that a crash left half done, or takes them back. Safe to run at any time, and again when it is itself interrupted. Exit code 3 when it left files alone because somebody had changed them.',
  options: [
    ['--dry-run', 'only show what would be done'],
    ['--revert', 'take the transactions in flight back instead of finishing them'],
    ['--salvage', 'keep the contents of transactions that were never committed, in .journal/broken'],
  ],
  examples: [
    ['journal recover --dry-run', 'what there is to do'],
    ['journal recover', 'do it'],
  ],
  async run(session, _args, options) {
    const { replayed, reverted, discarded, conflicts, tornBytes } = await reportOf(session, options)
    const report = { replayed, reverted, discarded, conflicts, tornBytes }
    if (conflicts.length > 0) session.exitCode = 3
    await session.output.result(report, () => reportText(report, options.dryRun === true))
  },
})

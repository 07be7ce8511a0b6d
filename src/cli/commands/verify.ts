import type { VerifyReport } from '../../history/verify.ts'
import { declare } from '../declaration.ts'
import { byteCount, counted, isoTime } from '../measure.ts'
import type { Output } from '../output.ts'
import { printable } from '../printable.ts'

const LIMITS = { transactions: 'their number', age: 'their age', size: 'size', space: 'size' } as const

function reportText(report: VerifyReport, output: Output): string[] {
  const { green, red, dim, yellow } = output.colors
  const { ok, transactions, frames, blobs, problems, problemsOmitted, changed = [], orphans, tornBytes } = report
  const amounts = `${counted(transactions, 'transaction')}, ${counted(frames, 'frame')}, ${counted(blobs, 'blob')}`
  const count = problems.length + problemsOmitted
  const lines = [ok ? `${green('ok')}: ${amounts}` : `${red('damaged')}: ${counted(count, 'problem')} in ${amounts}`]
  for (const { kind, message } of problems) lines.push(`  ${kind}: ${printable(message)}`)
  if (problemsOmitted > 0) lines.push(`  and ${problemsOmitted} more`)
  for (const { lost, contents } of report.gaps ?? []) {
    const which =
      lost === null
        ? []
        : [lost.from === lost.to ? `transaction number ${lost.from}` : `transactions number ${lost.from} to ${lost.to}`]
    const what = [...which, ...(contents === 0 ? [] : [counted(contents, 'content')])].join(' and ')
    lines.push(yellow(`a gap, left by a salvage: ${what === '' ? 'no transaction' : what} lost`))
  }
  if (report.horizon !== undefined) {
    const { seq, written, reason } = report.horizon
    lines.push(
      dim(`transactions up to number ${seq} were dropped on ${isoTime(written)}, by a limit on ${LIMITS[reason]}`),
    )
  }
  if (orphans > 0) lines.push(dim(`${counted(orphans, 'blob')} of no transaction: \`journal compact\` removes them`))
  if (tornBytes > 0)
    lines.push(dim(`${byteCount(tornBytes)} of an unfinished write at the end: the next writer cuts them off`))
  if (changed.length > 0)
    lines.push(
      `${counted(changed.length, 'path')} changed behind the journal: see \`journal status\``,
      dim(
        'If nobody changed them, the journal is an older copy, or lost its end: compare with a head noted elsewhere.',
      ),
    )
  return lines
}

export default declare<[], { workspace?: boolean; head?: string }>({
  description:
    'Checks the whole history: every frame, the hash chain, every content; and lists files that were changed behind the journal. Exit code 4 when the history is damaged.',
  options: [
    ['--no-workspace', 'do not look at the files in the workspace'],
    ['--head <hash>', 'a head that `journal head` printed before: it must be in this history'],
  ],
  examples: [
    ['journal verify', 'check everything'],
    ['journal verify --head "$(cat ~/anchors/project)"', 'notice a history replaced by an older copy'],
    ['journal verify --json | jq .problems', 'only what is wrong'],
  ],
  async run(session, _args, options) {
    const { output } = session
    await session.read(async (journal) => {
      const checked = await journal.verify(options.head === undefined ? {} : { head: options.head })
      // A damaged history says nothing that the files could be compared with.
      const compare = checked.ok && options.workspace !== false
      const report = compare ? { ...checked, changed: (await journal.status()).changed } : checked
      if (!report.ok) session.exitCode = 4
      session.progress.clear()
      await output.result(report, () => reportText(report, output))
    })
  },
})

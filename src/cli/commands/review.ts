import type { ReviewReport } from '../../agents/reviewer/apply-review.ts'
import type { Review } from '../../agents/reviewer/review.ts'
import { declare } from '../declaration.ts'
import { counted } from '../measure.ts'
import { printable } from '../printable.ts'
import { receiptText } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { structuredFile } from '../structured-file.ts'

interface Options extends MetaOptions {
  readonly partial?: boolean
  readonly dryRun?: boolean
}

function reportLines({ applied, conflicts, comments }: ReviewReport, dryRun: boolean): string[] {
  const by = (reviewer: string | undefined): string => (reviewer === undefined ? '' : `  (${printable(reviewer)})`)
  return [
    ...applied.map(({ path, lines: [from, to], moved, reviewer }) => {
      const where = from === to ? `line ${from}` : `lines ${from}-${to}`
      return `  ${dryRun ? 'fits' : 'applied'}  ${printable(path)}, ${where}${moved ? ', moved' : ''}${by(reviewer)}`
    }),
    ...conflicts.map(
      ({ path, reason, reviewer }) => `  conflict  ${printable(path)}: ${printable(reason)}${by(reviewer)}`,
    ),
    `${counted(applied.length, 'change')} ${dryRun ? 'would fit' : 'applied'}, ${counted(conflicts.length, 'conflict')}, ${counted(comments.length, 'comment')} without a change`,
  ]
}

export default declare<[file: string], Options>({
  description:
    'Applies the changes of a review, grouped by file, as one transaction: all of them, or none, and then every one that does not fit is named (exit code 3). Takes a list of changes as JSON or YAML, or the review comments of a pull request as the API of GitHub gives them, with their suggestions.',
  arguments: [['<file>', 'the review; `-` for standard input']],
  options: [
    ['--partial', 'change the files of which every change fits, and leave the others alone'],
    ['--dry-run', 'only say what would be changed, and what does not fit'],
  ],
  commits: true,
  examples: [
    ['journal review review.json --dry-run', 'what fits?'],
    ['gh api repos/OWNER/REPO/pulls/7/comments | journal review -', 'the suggestions of a pull request'],
  ],
  async run(session, [file], { partial = false, dryRun = false, ...options }) {
    session.requireWorkspace()
    const review = (await structuredFile(session, file)) as Review
    const { applyReview } = await import('../../agents/reviewer/apply-review.ts')
    await session.write(async (journal) => {
      const report = await applyReview(journal, review, { ...session.meta(options), partial, dryRun })
      const { receipt, conflicts } = report
      await session.output.result(report, () => [
        ...reportLines(report, dryRun),
        ...(receipt === null ? [] : receiptText(receipt, session.output)),
      ])
      if (conflicts.length > 0) session.exitCode = 3
    })
  },
})

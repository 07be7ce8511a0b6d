import type { Journal } from '../../journal.ts'
import type { RestoreOptions, RestoreResult } from '../../journal-types.ts'
import { declare } from '../declaration.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { printable } from '../printable.ts'
import { receiptText } from '../receipt-text.ts'
import { requireRecovered } from '../recovered.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions {
  readonly to: string
  readonly dryRun?: boolean
}

function previewText({ changes }: RestoreResult, output: Output): string[] {
  const { green, red, yellow } = output.colors
  if (changes.length === 0) return ['Nothing would change.']
  return [
    `Would change ${counted(changes.length, 'path')}:`,
    ...changes.map(({ path, before, after }) => {
      const mark = after === null ? red('D') : before === null ? green('A') : yellow('M')
      return `  ${mark} ${printable(path)}`
    }),
  ]
}

export default declare<[paths: string[]], Options>({
  description:
    'Sets files back to how they were at a point, by a new transaction. Files that the journal never wrote are left alone.',
  arguments: [['[path...]', 'files and folders; default: everything the journal knows']],
  required: [['--to <at>', 'a transaction, a number, or a time: 2h, 2026-01-31T12:00']],
  options: [['--dry-run', 'only show what would change']],
  commits: true,
  examples: [
    ['journal restore --to 2h --dry-run', 'what going back two hours would change'],
    ['journal restore --to 12 src/a.ts', 'one file as it was after transaction 12'],
  ],
  async run(session, [paths], options) {
    const { output } = session
    const selection = session.selection(paths)
    const query = {
      to: options.to,
      ...session.meta(options),
      ...present<Pick<RestoreOptions, 'paths'>>({ paths: selection }),
    }
    const restored = async (journal: Journal) => {
      if (options.dryRun) await requireRecovered(journal)
      const result = await journal.restore(options.dryRun ? { ...query, dryRun: true } : query)
      await output.result(result, () => {
        if (options.dryRun) return previewText(result, output)
        return result.receipt === null ? ['Nothing to change.'] : receiptText(result.receipt, output, 'restored by')
      })
    }
    if (options.dryRun) await session.read(restored)
    else await session.write(restored, { recover: 'manual' })
  },
})

import type { DiffQuery } from '../../history/diff.ts'
import type { Journal } from '../../journal.ts'
import { declare } from '../declaration.ts'
import { printDifferences } from '../patch-text.ts'
import { requireRecovered } from '../recovered.ts'
import type { Session } from '../session.ts'
import { transactionName } from '../transaction-name.ts'

async function queryOf(session: Session, journal: Journal, points: readonly string[]): Promise<DiffQuery> {
  const [from, to, ...paths] = points
  if (from === undefined) {
    await requireRecovered(journal)
    return {}
  }
  if (to === undefined) return { tx: await transactionName(from, journal) }
  const selection = session.selection(paths)
  return selection === undefined ? { from, to } : { from, to, paths: selection }
}

export default declare<[points: string[]]>({
  description:
    'Shows what changed, in unified format: `diff TX` in a transaction, `diff AT AT [PATH...]` between two points, and `diff` alone between the journal and the files as they are now.',
  arguments: [['[point...]', 'nothing, a transaction, or two points and then paths']],
  examples: [
    ['journal diff', 'what changed behind the journal'],
    ['journal diff 12', 'what transaction 12 did'],
    ['journal diff 2h head src', 'the last two hours below src'],
  ],
  async run(session, [points]) {
    await session.read(async (journal) => {
      await printDifferences(journal.diff(await queryOf(session, journal, points)), session.output)
    })
  },
})

import type { ChainedCommit } from '../../entry/commit.ts'
import type { Reading } from '../../reading.ts'
import { declare, positive } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { logLine, logObject } from '../log-text.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly limit?: number
  readonly follow?: boolean
  readonly from?: string
}

const LIMIT = 10

/** Number of the transaction behind which the last few are. */
async function startOf(reading: Reading, count: number): Promise<number | 'beginning'> {
  let found = 0
  for await (const { seq } of reading.history({ limit: count + 1 })) {
    found += 1
    if (found > count) return seq
  }
  return 'beginning'
}

async function print(session: Session, commits: AsyncIterable<ChainedCommit>, width: number): Promise<void> {
  const { output } = session
  for await (const commit of commits) {
    if (output.json) await output.object(logObject(commit))
    else await output.line(logLine(commit, width, output))
  }
}

export default declare<[], Options>({
  description:
    'Prints the newest transactions, oldest first; with --follow goes on with those that come, whoever commits them, until it is interrupted.',
  options: [
    ['-n, --limit <count>', `so many of the newest to begin with; default ${LIMIT}`, positive],
    ['-f, --follow', 'go on as transactions are committed'],
    ['--from <at>', 'instead of the newest: all behind this point: an id, a number, a time, `now`, `beginning`'],
  ],
  examples: [
    ['journal tail -f', 'watch what is done'],
    ['journal tail -f --from 120 --json', 'for a program that has seen all up to transaction 120'],
  ],
  async run(session, _args, { limit, from, follow = false }) {
    if (limit !== undefined && from !== undefined)
      throw new UsageError('--limit and --from do not go together', 'Give one of them.')
    await session.look(async (reading) => {
      const width = String(await reading.newest()).length
      if (follow) {
        const start = from ?? (await startOf(reading, limit ?? LIMIT))
        await print(session, reading.follow({ from: start, signal: session.signal }), width)
        return
      }
      if (from === 'now') return
      if (from !== undefined) {
        const since = from === 'beginning' ? {} : { since: from }
        await print(session, reading.history({ ...since, order: 'oldest' }), width)
        return
      }
      const newest: ChainedCommit[] = []
      for await (const commit of reading.history({ limit: limit ?? LIMIT })) newest.push(commit)
      await print(session, inOrder(newest), width)
    })
  },
})

async function* inOrder(newest: ChainedCommit[]): AsyncGenerator<ChainedCommit> {
  yield* newest.reverse()
}

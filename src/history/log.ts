import type { ChainedCommit } from '../entry/commit.ts'
import { JournalError } from '../errors.ts'
import type { HistoryIndex } from './history-index.ts'
import type { TransactionQuery } from './index-query.ts'
import { scopeOf } from './path-scope.ts'
import { resolvePoint } from './point.ts'
import type { HistoryQuery } from './query.ts'

/**
 * The transactions that match, up to the newest at the time of the call, a few in memory at a time.
 * @param now milliseconds since 1970, for ages.
 * @throws JournalError `INVALID`, `NOT_FOUND` for `since` and `until`; `PATH_OUTSIDE`; `CORRUPT`.
 */
export async function* history(index: HistoryIndex, query: HistoryQuery, now: number): AsyncGenerator<ChainedCommit> {
  const { limit = Number.POSITIVE_INFINITY, order = 'newest', actor, tag, parent } = query
  if (Number.isNaN(limit) || limit < 0) {
    throw new JournalError('INVALID', `${limit} is no limit`, { hint: 'Give a number of transactions.' })
  }
  const scope = query.path === undefined ? '' : scopeOf(query.path)
  const head = await index.head()
  const from = query.since === undefined ? index.dropped + 1 : (await resolvePoint(index, query.since, now)) + 1
  const to = query.until === undefined ? head.seq : await resolvePoint(index, query.until, now)
  let rest: TransactionQuery | null = { from, to, order, scope, actor, tag, parent }
  for (let left = Math.floor(limit); rest !== null && left > 0; ) {
    const page: Awaited<ReturnType<HistoryIndex['commits']>> = await index.commits(rest, left)
    yield* page.items
    left -= page.items.length
    rest = page.next
  }
}

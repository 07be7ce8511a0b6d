/** Takes out of the index what it has of transactions that were dropped. */
import type { Beginning } from '../store/base.ts'
import type { IndexDatabase } from './index-database.ts'
import { isForgotten } from './index-query.ts'
import { decodeCurrent, decodeLocation, decodePath, decodeTransaction, KEY, seqOfKey } from './index-record.ts'

/** Keys looked at in a step. */
const STEP = 256

const NOTHING = new Uint8Array(0)
const hasKeys = ({ keys }: { readonly keys: readonly string[] }): boolean => keys.length > 0

type Delete = { readonly type: 'del'; readonly key: string }

/** How to work beside others. */
export interface PruneSteps {
  /** Called between the steps. */
  readonly rest: () => Promise<void>
  /** Runs a step while nothing is indexed. */
  readonly alone: (step: () => Promise<void>) => Promise<void>
}

export async function prune(database: IndexDatabase, { start, horizon }: Beginning, steps: PruneSteps): Promise<void> {
  if (horizon === null) return
  const dropped = horizon.seq
  const missing = new Set(horizon.missing.map(({ hash }) => KEY.content(hash)))
  await walk(database, { gt: 'c', lt: 'd' }, steps, (key, value) => {
    const place = decodeLocation(value)
    const gone =
      'purgedBy' in place
        ? place.purgedBy > 0 && place.purgedBy <= dropped && !missing.has(key)
        : place.position < start
    return gone ? [key] : []
  })
  await walk(database, { gte: KEY.transaction(0), lte: KEY.transaction(dropped) }, steps, (key, value) => {
    const { seq, tx, actor } = decodeTransaction(seqOfKey(key), value)
    const by = actor === undefined ? [] : [KEY.actor(actor, seq)]
    return [key, KEY.tx(tx), ...by]
  })
  await walk(database, { gt: 'o', lt: 'p' }, steps, (key) => (seqOfKey(key) <= dropped ? [key] : []))
  await walk(database, { gt: 'd', lt: 'e' }, steps, (key) => (seqOfKey(key) <= dropped ? [key] : []))
  await walk(database, { gt: 'f', lt: 'g' }, steps, (key, value) => {
    const gone = isForgotten(decodeCurrent(value), dropped)
    return gone ? [key] : []
  })
  await walk(database, { gt: 'y', lt: 'z' }, steps, (key) => (seqOfKey(key) <= dropped ? [key] : []))
  // Of what was at a path, the newest up to the horizon stays: that is what was there at the horizon. Unless nothing was.
  let newer: string | null = null
  await walk(database, { gt: 'p', lt: 'q', reverse: true }, steps, (key, value) => {
    if (seqOfKey(key) > dropped) return []
    const path = key.slice(0, key.lastIndexOf('\0'))
    const record = decodePath(value)
    if (record === null || newer === path) return [key]
    newer = path
    return record.after === null ? [key] : []
  })
}

/** Deletes what `choose` names, a step at a time, unless it was written anew since the walk began. */
async function walk(
  database: IndexDatabase,
  range: object,
  { rest, alone }: PruneSteps,
  choose: (key: string, value: Uint8Array) => readonly string[],
): Promise<void> {
  const iterator = database.iterator(range)
  try {
    for (;;) {
      const rows = await iterator.nextv(STEP)
      if (rows.length === 0) return
      const chosen = rows.map(([key, value]) => ({ key, value, keys: choose(key, value) })).filter(hasKeys)
      if (chosen.length > 0) {
        await alone(async () => {
          const now = await database.getMany(chosen.map(({ key }) => key))
          const same = chosen.filter(({ value }, at) => Buffer.compare(now[at] ?? NOTHING, value) === 0)
          await database.batch(same.flatMap(({ keys }) => keys.map((key): Delete => ({ type: 'del', key }))))
        })
      }
      await rest()
    }
  } finally {
    await iterator.close()
  }
}

/** Takes out of the index what it has of transactions that were dropped. */
import type { Beginning } from '../store/base.ts'
import type { IndexDatabase } from './index-database.ts'
import { isForgotten } from './index-query.ts'
import { decodeCurrent, decodeLocation, decodePath, decodeTransaction, KEY, seqOfKey } from './index-record.ts'

/** Keys looked at in a step. */
const STEP = 256

type Delete = { readonly type: 'del'; readonly key: string }

/** `rest`: called between the steps. */
export async function prune(
  database: IndexDatabase,
  { start, horizon }: Beginning,
  rest: () => Promise<void>,
): Promise<void> {
  if (horizon === null) return
  const dropped = horizon.seq
  const missing = new Set(horizon.missing.map(({ hash }) => KEY.content(hash)))
  await walk(database, { gt: 'c', lt: 'd' }, rest, (key, value) => {
    const place = decodeLocation(value)
    const gone =
      'purgedBy' in place
        ? place.purgedBy > 0 && place.purgedBy <= dropped && !missing.has(key)
        : place.position < start
    return gone ? [key] : []
  })
  await walk(database, { gte: KEY.transaction(0), lte: KEY.transaction(dropped) }, rest, (key, value) => {
    const { seq, tx, of, actor } = decodeTransaction(seqOfKey(key), value)
    const about = of === undefined ? [] : [KEY.about(of, seq)]
    const by = actor === undefined ? [] : [KEY.actor(actor, seq)]
    return [key, KEY.tx(tx), ...about, ...by]
  })
  await walk(database, { gt: 'd', lt: 'e' }, rest, (key) => (seqOfKey(key) <= dropped ? [key] : []))
  await walk(database, { gt: 'f', lt: 'g' }, rest, (key, value) => {
    const gone = isForgotten(decodeCurrent(value), dropped)
    return gone ? [key] : []
  })
  // Of what was at a path, the newest up to the horizon stays: that is what was there at the horizon. Unless nothing was.
  let newer: string | null = null
  await walk(database, { gt: 'p', lt: 'q', reverse: true }, rest, (key, value) => {
    if (seqOfKey(key) > dropped) return []
    const path = key.slice(0, key.lastIndexOf('\0'))
    const record = decodePath(value)
    if (record === null || newer === path) return [key]
    newer = path
    return record.after === null ? [key] : []
  })
}

/** Deletes what `choose` names, a step at a time. */
async function walk(
  database: IndexDatabase,
  range: object,
  rest: () => Promise<void>,
  choose: (key: string, value: Uint8Array) => readonly string[],
): Promise<void> {
  const iterator = database.iterator(range)
  try {
    for (;;) {
      const rows = await iterator.nextv(STEP)
      if (rows.length === 0) return
      const deletes = rows.flatMap(([key, value]) => choose(key, value)).map((key): Delete => ({ type: 'del', key }))
      if (deletes.length > 0) await database.batch(deletes)
      await rest()
    }
  } finally {
    await iterator.close()
  }
}

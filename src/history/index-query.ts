/** Questions put to an index database that is up to date. */
import type { ChainedCommit } from '../entry/commit.ts'
import type { State } from '../entry/state.ts'
import type { Position } from '../log/position.ts'
import type { IndexDatabase } from './index-database.ts'
import {
  type CurrentRecord,
  decodeCurrent,
  decodeNumber,
  decodePath,
  decodeTransaction,
  encodeCurrent,
  IndexFault,
  KEY,
  LOST_TX,
  type PathRecord,
  seqOfKey,
  type TransactionRecord,
} from './index-record.ts'

/** A state, and how the journal knows it. */
export interface KnownState {
  readonly state: State
  /** `entry`: set by a transaction up to that point; `before`: what the first transaction to name the path found later; `unknown`: no entry names it. */
  readonly origin: 'entry' | 'before' | 'unknown'
}

export interface PathState extends KnownState {
  readonly path: string
}

/** Transactions in a range of numbers, both included, that match. */
export interface TransactionQuery {
  readonly from: number
  readonly to: number
  readonly order: 'newest' | 'oldest'
  /** A file or folder; '' for all. */
  readonly scope: string
  readonly actor?: string | undefined
  readonly tag?: string | undefined
  readonly parent?: string | undefined
}

/** A part of an answer; `next` is where to go on, null at its end. */
export interface Page<T, P> {
  readonly items: readonly T[]
  readonly next: P | null
}

export const PAGE = 256
/** Commits decoded for a page; each may name thousands of paths. */
export const COMMITS_A_PAGE = 32

export async function recordOf(database: IndexDatabase, seq: number): Promise<TransactionRecord> {
  const value = await database.get(KEY.transaction(seq))
  if (value === undefined) throw new IndexFault(`transaction ${seq} is missing in the index`)
  return decodeTransaction(seq, value)
}

async function recordsOf(database: IndexDatabase, seqs: readonly number[]): Promise<TransactionRecord[]> {
  const values = await database.getMany(seqs.map(KEY.transaction))
  return seqs.map((seq, at) => {
    const value = values[at]
    if (value === undefined) throw new IndexFault(`transaction ${seq} is missing in the index`)
    return decodeTransaction(seq, value)
  })
}

/** Where the commit of a transaction stands. */
export interface CommitPlace {
  readonly seq: number
  /** Of its frame. */
  readonly position: Position
  /** Its id, where the index was asked for that. */
  readonly tx?: string
}

/** `read`: from the log. Pages are read in full before they are handed out. */
export async function commitsOf(
  database: IndexDatabase,
  query: TransactionQuery,
  limit: number,
  read: (place: CommitPlace) => ChainedCommit,
): Promise<Page<ChainedCommit, TransactionQuery>> {
  const items: ChainedCommit[] = []
  const reverse = query.order === 'newest'
  let { from, to } = query
  while (from <= to && items.length < limit) {
    const wanted = Math.max(limit, COMMITS_A_PAGE)
    const places = await candidates(database, { ...query, from, to }, wanted)
    for (const place of places) {
      const { seq } = place
      if (reverse) to = seq - 1
      else from = seq + 1
      if (!place.fits) continue
      const commit = read(place)
      if (matches(commit, query)) items.push(commit)
      if (items.length === limit) break
    }
    if (places.length < wanted && items.length < limit) return { items, next: null }
  }
  return { items, next: from > to ? null : { ...query, from, to } }
}

/**
 * Places by the narrowest key there is for the query, in order. What belongs to a path or an actor stands together, with the places: looking each transaction up
 * would touch all parts of a large index.
 */
async function candidates(
  database: IndexDatabase,
  query: TransactionQuery,
  limit: number,
): Promise<(CommitPlace & { readonly fits: boolean })[]> {
  const { from, to, scope, actor } = query
  const reverse = query.order === 'newest'
  const key =
    scope !== ''
      ? (seq: number) => KEY.below(scope, seq)
      : actor !== undefined
        ? (seq: number) => KEY.actor(actor, seq)
        : null
  if (key === null) {
    const count = Math.min(limit, to - from + 1)
    const seqs = Array.from({ length: count }, (_, at) => (reverse ? to - at : from + at))
    const records = await recordsOf(database, seqs)
    return records.map((record) => ({ ...record, fits: record.tx !== LOST_TX && matches(record, query) }))
  }
  const rows = await database.iterator({ gte: key(from), lte: key(to), reverse, limit }).all()
  return rows.map(([found, value]) => ({ seq: seqOfKey(found), position: decodeNumber(value), fits: true }))
}

function matches(
  { actor, parent, tags }: Pick<TransactionRecord, 'actor' | 'parent' | 'tags'>,
  query: TransactionQuery,
): boolean {
  return (
    (query.actor === undefined || actor === query.actor) &&
    (query.parent === undefined || parent === query.parent) &&
    (query.tag === undefined || tags?.includes(query.tag) === true)
  )
}

async function firstChange(
  database: IndexDatabase,
  path: string,
  range: { readonly from: number; readonly to: number },
  reverse: boolean,
): Promise<(PathRecord & { readonly seq: number }) | null> {
  const iterator = database.iterator({ gte: KEY.path(path, range.from), lte: KEY.path(path, range.to), reverse })
  try {
    for (let row = await iterator.next(); row !== undefined; row = await iterator.next()) {
      const [key, value] = row
      const record = decodePath(value)
      if (record !== null) return { ...record, seq: seqOfKey(key) }
    }
    return null
  } finally {
    await iterator.close()
  }
}

export const LAST_SEQ = 10 ** 14 - 1

/** `dropped`: number of the last transaction that was dropped. That nothing was at a path then is forgotten. */
export async function stateAt(
  database: IndexDatabase,
  path: string,
  seq: number,
  dropped: number,
): Promise<KnownState> {
  const last = await firstChange(database, path, { from: 0, to: seq }, true)
  if (last !== null && !isForgotten({ seq: last.seq, state: last.after }, dropped))
    return { state: last.after, origin: 'entry' }
  const next = await firstChange(database, path, { from: seq + 1, to: LAST_SEQ }, false)
  return next === null ? { state: null, origin: 'unknown' } : { state: next.before, origin: 'before' }
}

/** Was the path gone at the horizon, and is not set by any transaction since? Then the journal does not know it any more. */
export function isForgotten({ seq, state }: CurrentRecord, dropped: number): boolean {
  return state === null && seq <= dropped
}

/** `dropped`: number of the last transaction that was dropped. */
export async function currentsOf(
  database: IndexDatabase,
  scope: string,
  after: string | null,
  dropped: number,
): Promise<Page<CurrentRecord & { readonly path: string }, string>> {
  const items: (CurrentRecord & { path: string })[] = []
  let seen = 0
  let last: string | undefined
  const take = async (range: object) => {
    const rows = await database.iterator({ ...range, limit: PAGE - seen }).all()
    for (const [key, value] of rows) {
      const current = decodeCurrent(value)
      seen += 1
      last = key.slice(1)
      if (!isForgotten(current, dropped)) items.push({ path: last, ...current })
    }
  }
  if (scope === '') await take({ gt: after === null ? 'f' : KEY.current(after), lt: 'g' })
  else {
    // The scope itself, then what is below it: names like it, such as scope-2, sort in between.
    if (after === null) await take({ gte: KEY.current(scope), lte: KEY.current(scope) })
    const start = after === null || after === scope ? `${KEY.current(scope)}/` : KEY.current(after)
    await take({ gt: start, lt: `${KEY.current(scope)}0` })
  }
  return { items, next: seen === PAGE && last !== undefined ? last : null }
}

/** A current record, and the stamp of the file that was found to be as it says. */
export interface Stamped {
  readonly path: string
  readonly current: CurrentRecord
  readonly stamp: string
}

/** Notes stamps with the records that are still as they were. */
export async function stampCurrents(database: IndexDatabase, found: readonly Stamped[]): Promise<void> {
  const now = await database.getMany(found.map(({ path }) => KEY.current(path)))
  const same = found.filter(({ current }, at) => {
    const value = now[at]
    return value !== undefined && Buffer.compare(value, encodeCurrent(current)) === 0
  })
  await database.batch(
    same.map(({ path, current: { seq, state }, stamp }) => {
      return { type: 'put' as const, key: KEY.current(path), value: encodeCurrent({ seq, state, stamp }) }
    }),
  )
}

/** A transaction as the index has it. */
export interface Remembered {
  readonly seq: number
  readonly tx: string
  readonly paths: readonly string[]
}

/** Walks over every path that is named. */
export async function rememberedOf(database: IndexDatabase, from: number, to: number): Promise<Remembered[]> {
  const found = new Map<number, { seq: number; tx: string; paths: string[] }>()
  for await (const [key, value] of database.iterator({ gte: KEY.transaction(from), lte: KEY.transaction(to) })) {
    const { seq, tx } = decodeTransaction(seqOfKey(key), value)
    if (tx !== LOST_TX) found.set(seq, { seq, tx, paths: [] })
  }
  if (found.size === 0) return []
  for await (const key of database.keys({ gt: 'p', lt: 'q' })) found.get(seqOfKey(key))?.paths.push(pathOfKey(key))
  return [...found.values()]
}

function pathOfKey(key: string): string {
  return key.slice(1, key.lastIndexOf('\0'))
}

/** Notes stamps with the records that transaction `seq` set. */
export async function stampNew(
  database: IndexDatabase,
  seq: number,
  found: readonly { readonly path: string; readonly stamp: string }[],
): Promise<void> {
  const now = await database.getMany(found.map(({ path }) => KEY.current(path)))
  await database.batch(
    found.flatMap(({ path, stamp }, at) => {
      const value = now[at]
      const current = value === undefined ? null : decodeCurrent(value)
      if (current === null || current.seq !== seq) return []
      return [
        { type: 'put' as const, key: KEY.current(path), value: encodeCurrent({ seq, state: current.state, stamp }) },
      ]
    }),
  )
}

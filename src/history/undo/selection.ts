import type { ChainedCommit } from '../../entry/commit.ts'
import { JournalError } from '../../errors.ts'
import type { HistoryIndex } from '../history-index.ts'
import { history } from '../log.ts'
import { isWithin, scopesOf } from '../path-scope.ts'
import { resolvePoint, resolveTransaction } from '../point.ts'
import type { At, HistoryQuery } from '../query.ts'

/** Which transactions are meant: those for which all that is given holds. */
export interface TransactionCriteria {
  /** By id, unambiguous beginning of an id, or number. */
  readonly tx?: string | number | readonly (string | number)[]
  readonly actor?: string
  readonly tag?: string
  /** What they belong to: all that one prompt did. */
  readonly parent?: string
  /** Only transactions after / up to these points. */
  readonly since?: At
  readonly until?: At
  /**
   * Files, or folders with all in them: only what the transactions did there, and the rest of them stays. A file that was renamed into such a path, or out of it, is taken at
   * both its ends. Does not select by itself.
   */
  readonly paths?: readonly string[]
}

/** One transaction, several, or all that meet criteria. */
export type TransactionSelection = string | number | readonly (string | number)[] | TransactionCriteria

/** A selection in one form. */
export interface Selected {
  /** Named one by one; null: all that there are. */
  readonly names: readonly (string | number)[] | null
  readonly criteria: Omit<TransactionCriteria, 'tx' | 'paths'>
  /** Empty text: everything. */
  readonly scopes: readonly string[]
}

const WAYS =
  'Name transactions, or say which by actor, tag, parent, since or until; since: 0 means from the beginning on.'

/** @throws JournalError `INVALID` for a selection that selects nothing, `PATH_OUTSIDE` */
export function selectedBy(selection: TransactionSelection): Selected {
  const given: TransactionCriteria =
    typeof selection === 'object' && selection !== null && !Array.isArray(selection)
      ? (selection as TransactionCriteria)
      : { tx: selection as string | number | readonly (string | number)[] }
  const { tx, paths, ...criteria } = given
  const names = tx === undefined ? null : Array.isArray(tx) ? tx : [tx as string | number]
  if (names?.length === 0 || (names === null && Object.values(criteria).every((value) => value === undefined))) {
    throw new JournalError('INVALID', 'nothing says which transactions are meant', { hint: WAYS })
  }
  if (names?.some((name) => typeof name !== 'string' && typeof name !== 'number')) {
    throw new JournalError('INVALID', 'a transaction is named by its id or its number', { hint: WAYS })
  }
  return { names, criteria, scopes: scopesOf(paths) }
}

/**
 * The transactions that are meant, each once, in order of their numbers.
 * @param now milliseconds since 1970, for ages.
 * @throws JournalError `NOT_FOUND` for a name that there is not, `INVALID`
 */
export async function* selectedCommits(
  index: HistoryIndex,
  { names, criteria, scopes }: Selected,
  order: 'newest' | 'oldest',
  now: number,
): AsyncGenerator<ChainedCommit> {
  if (names === null) {
    const [scope] = scopes
    const narrowed: HistoryQuery =
      scopes.length === 1 && scope !== '' ? { ...criteria, path: scope as string } : criteria
    yield* history(index, { ...narrowed, order }, now)
    return
  }
  const seqs = new Set<number>()
  for (const name of names) seqs.add(await resolveTransaction(index, name))
  const { actor, tag, parent, since, until } = criteria
  const from = since === undefined ? 0 : await resolvePoint(index, since, now)
  const to = until === undefined ? Number.POSITIVE_INFINITY : await resolvePoint(index, until, now)
  for (const seq of [...seqs].sort((a, b) => (order === 'newest' ? b - a : a - b))) {
    if (seq <= from || seq > to) continue
    const commit = await index.commit(seq)
    if (actor !== undefined && commit.actor !== actor) continue
    if (parent !== undefined && commit.parent !== parent) continue
    if (tag !== undefined && commit.tags?.includes(tag) !== true) continue
    yield commit
  }
}

/** The paths within the scopes, and with a path that was renamed its other end. */
export function pathsWithin(
  { entries }: Pick<ChainedCommit, 'entries'>,
  paths: readonly string[],
  scopes: readonly string[],
): ReadonlySet<string> {
  const within = new Set(paths.filter((path) => scopes.some((scope) => isWithin(path, scope))))
  const known = new Set(paths)
  const ends = entries.flatMap((entry) => (entry.op === 'rename' ? [[entry.path, entry.to] as const] : []))
  for (let grown = true; grown; ) {
    grown = false
    for (const [from, to] of ends) {
      if (within.has(from) === within.has(to) || !known.has(from) || !known.has(to)) continue
      within.add(from).add(to)
      grown = true
    }
  }
  return within
}

import { LOST } from '../content/content-frame.ts'
import type { Entry } from '../entry/entry.ts'
import type { ContentHash } from '../entry/state.ts'
import { beginningOf, readStates } from '../store/base.ts'
import { statesOf } from './content-census.ts'
import type { HistoryIndex } from './history-index.ts'
import type { TransactionQuery } from './index-query.ts'
import type { HistorySource } from './source.ts'
import { textOf } from './unified-patch.ts'

export const EXPORT_FORMAT = 'write-journal-export'
export const EXPORT_VERSION = 1

/** Contents of a transaction stand in its own object up to so many bytes together; what is more goes into objects before it. */
const INLINE_LIMIT = 1024 * 1024
const PIECE = 768 * 1024

/**
 * The whole history as plain objects, one a line when written as JSON Lines. In this order:
 * - `{ type: 'header', format, version, journal, seq, chain, exported }`, `exported` an ISO 8601 time;
 * - where history was dropped, `{ type: 'horizon', seq, chain, time, written, reason }`, and for each path that was there then `{ type: 'state', path, seq, state,
 *   contents }`, in the order of paths, with pieces as below;
 * - for each transaction, oldest first: pieces of its large contents, `{ type: 'content', hash, offset, size, base64 }`, `size` of the whole content; then
 *   `{ type: 'transaction', …, contents }` with the keys of a commit and `contents` of `{ hash, utf8 }`, `{ hash, base64 }`, `{ hash, size }` for
 *   one given in pieces, `{ hash, purged: true }`, or `{ hash, lost: true }` for one lost in a gap: those that no earlier object brought;
 * - `{ type: 'end', transactions, chain }`, so that a cut file is noticed.
 * Memory: one megabyte of contents, and 32 bytes for every content given so far.
 * @throws JournalError `CORRUPT` for a content that cannot be read.
 */
export async function* exportHistory(
  index: HistoryIndex,
  source: HistorySource,
): AsyncGenerator<Record<string, unknown>> {
  const { seq, chain } = await index.head()
  const exported = new Date(source.disk.now()).toISOString()
  yield {
    type: 'header',
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    journal: source.journalId,
    seq,
    chain,
    exported,
  }
  const given = new Set<string>()
  const { horizon, dropped } = index
  if (horizon !== null) {
    const { seq, chain, time, written, reason } = horizon
    yield { type: 'horizon', seq, chain, time, written, reason }
    for (const { state, ...known } of readStates(source.reader, beginningOf(source.reader, source.journalId))) {
      const named = state?.kind === 'file' ? new Map([[state.hash, state.size]]) : new Map<string, number>()
      const contents: Record<string, unknown>[] = []
      yield* contentsOf(source, named, given, contents)
      yield { type: 'state', ...known, state, contents }
    }
  }
  let rest: TransactionQuery | null = { from: dropped + 1, to: seq, order: 'oldest', scope: '' }
  while (rest !== null) {
    const page: Awaited<ReturnType<HistoryIndex['commits']>> = await index.commits(rest, 1)
    for (const commit of page.items) {
      const contents: Record<string, unknown>[] = []
      yield* contentsOf(source, namedBy(commit.entries), given, contents)
      yield { type: 'transaction', ...commit, contents }
    }
    rest = page.next
  }
  yield { type: 'end', transactions: seq - dropped, chain }
}

/** Adds to `contents` those of `named` that were not given yet; yields the pieces of large ones. */
async function* contentsOf(
  source: HistorySource,
  named: ReadonlyMap<ContentHash, number>,
  given: Set<string>,
  contents: Record<string, unknown>[],
): AsyncGenerator<Record<string, unknown>> {
  let inline = 0
  for (const [hash, size] of named) {
    const key = Buffer.from(hash, 'hex').toString('latin1')
    if (given.has(key)) continue
    given.add(key)
    const by = await source.contents.purgedBy(hash)
    if (by !== null) contents.push(by === LOST.purgedBy ? { hash, lost: true } : { hash, purged: true })
    else if (inline + size <= INLINE_LIMIT) {
      inline += size
      const bytes = await source.contents.read(hash)
      const utf8 = textOf(bytes)
      contents.push(utf8 === null ? { hash, base64: Buffer.from(bytes).toString('base64') } : { hash, utf8 })
    } else {
      yield* pieces(source, hash, size)
      contents.push({ hash, size })
    }
  }
}

function namedBy(entries: readonly Entry[]): Map<ContentHash, number> {
  const named = new Map<ContentHash, number>()
  for (const entry of entries) {
    for (const { state } of statesOf(entry)) if (state?.kind === 'file') named.set(state.hash, state.size)
  }
  return named
}

async function* pieces(
  source: HistorySource,
  hash: ContentHash,
  size: number,
): AsyncGenerator<Record<string, unknown>> {
  let offset = 0
  for await (const chunk of source.contents.stream(hash)) {
    for (let at = 0; at < chunk.byteLength; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE)
      yield { type: 'content', hash, offset, size, base64: Buffer.from(piece).toString('base64') }
      offset += piece.byteLength
    }
  }
}

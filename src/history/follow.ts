/** The transactions of a journal as they come, whoever makes them. */
import { type Head, readCommit, verifyCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { decodeCheckpoint, decodeGap, headBehind } from '../entry/control.ts'
import { JournalError } from '../errors.ts'
import { type FrameKind, followsNumber, frameSize } from '../log/frame.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, segmentOf } from '../log/position.ts'
import { type Beginning, beginningOf, droppedError } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import { Layout } from '../store/layout.ts'
import type { HistoryIndex } from './history-index.ts'
import { resolvePoint } from './point.ts'
import { ProvenEnd } from './proven-end.ts'
import type { At } from './query.ts'
import type { HistorySource } from './source.ts'
import { Waker } from './waker.ts'

/** Transactions that cannot be shown any more. */
export interface FollowGap {
  /** Numbers of the first and the last. */
  readonly from: number
  readonly to: number
  /** `dropped`: by retention, before they were asked for. `lost`: to damage, in whose place a salvage left a gap. */
  readonly reason: 'dropped' | 'lost'
}

export interface FollowOptions {
  /**
   * What comes behind this point: a transaction, a number, a time; `'now'` (default): what is committed from now on; `'beginning'`: all there is.
   */
  readonly from?: At
  /** Ends it. */
  readonly signal?: AbortSignal
  /** Told of transactions that are missing; they are passed over then. Without it that is an error. */
  readonly onGap?: (gap: FollowGap) => void
}

export interface FollowHost {
  /** Ends it too. */
  readonly signal: AbortSignal
  /** False: whoever waits here does not keep the process alive. */
  readonly holds: boolean
}

/** Looked for changes at least every so often. */
const POLL_MS = 250
/** Where something unreadable stands that was proven to be there, it is looked at again so often, and then judged. */
const ATTEMPTS = 10
const ATTEMPT_MS = 20
/** What a transaction and the chain need. */
const PASSED_OVER: ReadonlySet<FrameKind> = new Set(['segment', 'term', 'content', 'checkpoint'])

interface Cursor {
  /** Of the next frame. */
  position: number
  /** Of the frame before; -1: not known. */
  sequence: number
  /** After the last transaction before; null: that is the one that stands at `position`. */
  head: Head | null
  /** Transactions up to this number are not shown. */
  seen: number
  /** Is the next frame there, and only a part of it proven? */
  waits: boolean
}

/**
 * Committed transactions in order, each once, from a point on and without end. Only such that no crash can take back: see `ProvenEnd`. The log is read, at the pace of
 * who asks, a frame at a time; no lock is held.
 * @throws JournalError `NOT_FOUND` for a point that there is not, or that was dropped; `CORRUPT`
 */
export function follow(
  source: HistorySource,
  index: HistoryIndex,
  options: FollowOptions,
  host: FollowHost,
): AsyncGenerator<ChainedCommit> {
  const proven = new ProvenEnd(source)
  // At once: what is committed from here on is not missed, whenever the first is asked for.
  const beginning = begin(source, index, options.from ?? 'now', proven)
  beginning.catch(() => undefined)
  return followed(source, index, options, host, proven, beginning)
}

async function* followed(
  source: HistorySource,
  index: HistoryIndex,
  options: FollowOptions,
  host: FollowHost,
  proven: ProvenEnd,
  beginning: Promise<Cursor>,
): AsyncGenerator<ChainedCommit> {
  const { disk, directory } = source
  const signal = options.signal === undefined ? host.signal : AbortSignal.any([host.signal, options.signal])
  const waker = new Waker(disk, [directory, `${directory}/log`], { pollMs: POLL_MS, holds: host.holds, signal })
  try {
    const cursor = await beginning
    for (let failed = 0; !signal.aborted; ) {
      waker.mark()
      const gap = catchUp(source, cursor)
      if (gap !== null) pass(gap, cursor, options.onGap, source)
      const end = proven.find(cursor)
      const before = cursor.position
      for (const found of read(source, cursor, end)) {
        if ('reason' in found) pass(found, cursor, options.onGap, source)
        else if (found.seq > cursor.seen) {
          cursor.seen = found.seq
          yield found
          if (signal.aborted) return
        }
      }
      if (cursor.position > before || cursor.position >= end || cursor.waits) {
        failed = 0
        if (cursor.position === before) await waker.wait()
        continue
      }
      failed += 1
      if (failed > ATTEMPTS) await refuse(index, cursor)
      await waker.wait(ATTEMPT_MS)
    }
  } finally {
    waker.close()
  }
}

async function begin(source: HistorySource, index: HistoryIndex, from: At, proven: ProvenEnd): Promise<Cursor> {
  const { reader, journalId } = source
  const first = beginningOf(reader, journalId)
  if (from === 'beginning') return atBeginning(first)
  if (from === 'now') return atEnd(source, first, proven)
  const seq = await resolvePoint(index, from, source.disk.now())
  const beginning = beginningOf(reader, journalId)
  if (seq === (beginning.horizon?.seq ?? 0)) return atBeginning(beginning)
  const { position } = await index.record(seq)
  return { position, sequence: -1, head: null, seen: seq, waits: false }
}

function atBeginning({ start, sequence, head }: Beginning): Cursor {
  return { position: start, sequence, head, seen: head.seq, waits: false }
}

/** Behind the last transaction that is proven. */
function atEnd(source: HistorySource, beginning: Beginning, proven: ProvenEnd): Cursor {
  const cursor = atCheckpoint(source, beginning) ?? atBeginning(beginning)
  for (;;) {
    const end = proven.find(cursor)
    const before = cursor.position
    for (const found of read(source, cursor, end)) cursor.seen = 'reason' in found ? found.to : found.seq
    if (cursor.position === before) return cursor
  }
}

/** From the newest checkpoint on there is little to read. */
function atCheckpoint({ disk, root, reader, journalId }: HistorySource, { start }: Beginning): Cursor | null {
  const position = readHint(disk, new Layout(root), journalId)
  const frame = position === null ? null : reader.frameAt(position)
  if (frame?.kind !== 'checkpoint') return null
  const { redo, seq, chain, time } = decodeCheckpoint(frame.payload)
  return redo < start ? null : { position: redo, sequence: -1, head: { seq, chain, time }, seen: seq, waits: false }
}

/** Where what comes next was dropped, goes on behind the horizon; what was not seen of that is the gap. */
function catchUp({ reader, journalId }: HistorySource, cursor: Cursor): FollowGap | null {
  const { start, sequence, head } = beginningOf(reader, journalId)
  if (cursor.position >= start) return null
  const { seen } = cursor
  Object.assign(cursor, { position: start, sequence, head, seen: Math.max(seen, head.seq) })
  return seen < head.seq ? { from: seen + 1, to: head.seq, reason: 'dropped' } : null
}

function* read(source: HistorySource, cursor: Cursor, until: number): Generator<ChainedCommit | FollowGap> {
  if (cursor.position >= until) return
  const reading = source.reader.read(cursor.position, { until, skip: PASSED_OVER, passing: true })
  try {
    for (let step = reading.next(); step.done !== true; step = reading.next()) {
      const frame = step.value
      // What was written while this was being read would be passed over: it is read with the next look.
      if (cursor.sequence >= 0 && !followsNumber(frame, cursor.sequence)) return
      const end = frame.position + frameSize(frame.length)
      cursor.waits = end > until
      if (cursor.waits) return
      const found = taken(frame, cursor)
      cursor.position = end
      cursor.sequence = frame.sequence
      if (found !== null) yield found
    }
  } finally {
    reading.return({ position: 0, unread: false, last: null })
  }
}

/** What a frame tells, if anything. */
function taken({ kind, payload }: Frame, cursor: Cursor): ChainedCommit | FollowGap | null {
  const { head } = cursor
  if (kind === 'commit') {
    const commit = head === null ? readCommit(payload) : verifyCommit(head, payload)
    cursor.head = { seq: commit.seq, chain: commit.chain, time: commit.time }
    return commit
  }
  if (kind !== 'gap' || head === null) return null
  cursor.head = headBehind(head, decodeGap(payload))
  return cursor.head.seq > head.seq ? { from: head.seq + 1, to: cursor.head.seq, reason: 'lost' } : null
}

/** @throws JournalError `NOT_FOUND` unless somebody is there to be told */
function pass(
  gap: FollowGap,
  cursor: Cursor,
  onGap: FollowOptions['onGap'],
  { reader, journalId }: HistorySource,
): void {
  if (gap.to <= cursor.seen && gap.reason === 'lost') return
  cursor.seen = Math.max(cursor.seen, gap.to)
  if (onGap !== undefined) {
    onGap(gap)
    return
  }
  const { horizon } = beginningOf(reader, journalId)
  const which = `transactions ${gap.from} to ${gap.to} cannot be followed`
  if (gap.reason === 'dropped' && horizon !== null) throw droppedError(which, horizon)
  throw new JournalError('NOT_FOUND', `${which}: a salvage left a gap in their place`, {
    hint: `Go on behind them: follow from ${gap.to}, or give onGap to be told of gaps.`,
    details: { gap },
  })
}

/** The log is proven to go further, and cannot be read there. */
async function refuse(index: HistoryIndex, { position }: Cursor): Promise<never> {
  // Says what is damaged, and how badly.
  await index.head()
  throw new JournalError(
    'CORRUPT',
    `the log cannot be followed beyond segment ${segmentOf(position)}, offset ${offsetOf(position)}`,
    {
      hint: "Run 'journal verify' to see what is affected.",
      details: { position: [segmentOf(position), offsetOf(position)] },
    },
  )
}

/** What the log begins with, when its oldest transactions were dropped. */
import { createHash } from 'node:crypto'
import { genesis, type Head } from '../entry/chain.ts'
import { decodeSegment } from '../entry/control.ts'
import {
  type BaseState,
  type DroppedHeads,
  decodeHeads,
  decodeHorizon,
  decodeStates,
  type Horizon,
  horizonDigest,
} from '../entry/horizon.ts'
import { JournalError } from '../errors.ts'
import { baseError, readBase } from '../log/base-file.ts'
import type { LogReader } from '../log/log-reader.ts'
import { type Position, positionOf } from '../log/position.ts'

/** Where a log begins. */
export interface Beginning {
  readonly start: Position
  /** Before the first transaction that is kept. */
  readonly head: Head
  /** Of the frame before the first; 0: none. */
  readonly sequence: number
  /** Null: nothing was ever dropped. */
  readonly horizon: Horizon | null
  /** What commits name that horizon by. */
  readonly digest: string | null
}

/** A base does not change: the last one read, by the reader that read it. */
const known = new WeakMap<LogReader, { readonly base: number; readonly beginning: Beginning }>()

/** @throws JournalError `CORRUPT` when the base does not say what it should */
export function beginningOf(reader: LogReader, journalId: string): Beginning {
  for (;;) {
    const base = reader.segments.base()
    const before = known.get(reader)
    if (before?.base === base) return before.beginning
    try {
      const beginning = read(reader, base, journalId)
      known.set(reader, { base, beginning })
      return beginning
    } catch (error) {
      // Another horizon may have come just now.
      if (reader.segments.base() === base) throw error
    }
  }
}

function read(reader: LogReader, base: number, journal: string): Beginning {
  const { segments, seed } = reader
  const start = positionOf(base + 1, 0)
  if (base === 0) return { start, head: genesis(journal), sequence: 0, horizon: null, digest: null }
  const [frame] = readBase(segments, base, seed, 'first')
  if (frame === undefined) throw baseError(segments, base, 'is empty')
  const horizon = decodeHorizon(frame.payload)
  const { seq, chain, time, sequence } = horizon
  if (horizon.journal !== journal) throw baseError(segments, base, 'belongs to another journal')
  if (horizon.segment !== base) throw baseError(segments, base, `says that it stands for ${horizon.segment}`)
  const first = reader.frameAt(start)
  if (first?.kind === 'segment') {
    const told = decodeSegment(first.payload)
    if (first.sequence !== sequence + 1 || told.seq !== seq || told.chain !== chain || told.time !== time)
      throw baseError(segments, base, 'is not what the segment behind it goes on from')
  }
  return { start, head: { seq, chain, time }, sequence, horizon, digest: horizonDigest(frame.payload) }
}

/** One frame of a base, but the first. */
export type BasePart =
  | { readonly kind: 'states'; readonly states: readonly BaseState[] }
  | { readonly kind: 'heads'; readonly heads: DroppedHeads }

/**
 * What a base holds, a part at a time; nothing when there is none.
 * @throws JournalError `CORRUPT`, at the end also when it is not what its horizon says
 */
export function* readParts(reader: LogReader, beginning: Beginning): Generator<BasePart> {
  const { horizon, digest } = beginning
  if (horizon === null) return
  try {
    yield* partsOf(reader, horizon, digest)
  } catch (error) {
    // A writer may have put another in its place.
    if (reader.segments.base() === horizon.segment) throw error
    throw new JournalError('NOT_FOUND', 'retention dropped more transactions just now', {
      hint: 'Ask again.',
      cause: error,
    })
  }
}

function* partsOf(reader: LogReader, horizon: Horizon, digest: string | null): Generator<BasePart> {
  const { segments, seed } = reader
  const base = horizon.segment
  const hash = createHash('sha256')
  let count = 0
  let last: Buffer | null = null
  for (const { kind, payload } of readBase(segments, base, seed)) {
    if (kind === 'horizon') {
      if (horizonDigest(payload) !== digest) throw baseError(segments, base, 'was replaced')
      continue
    }
    hash.update(payload)
    if (kind === 'heads') {
      yield { kind, heads: decodeHeads(payload) }
      continue
    }
    if (kind !== 'states') throw baseError(segments, base, `has a frame of kind ${kind}`)
    const states = decodeStates(payload)
    for (const { path, seq } of states) {
      const bytes = Buffer.from(path)
      if (last !== null && Buffer.compare(last, bytes) >= 0) throw baseError(segments, base, 'is not in order')
      if (seq > horizon.seq) throw baseError(segments, base, 'has states of later transactions')
      last = bytes
    }
    count += states.length
    yield { kind, states }
  }
  if (count !== horizon.states || hash.digest('hex') !== horizon.digest)
    throw baseError(segments, base, 'does not hold what its horizon says')
}

/** The states alone. */
export function* readStates(reader: LogReader, beginning: Beginning): Generator<BaseState> {
  for (const part of readParts(reader, beginning)) if (part.kind === 'states') yield* part.states
}

/** A question about what was dropped. `what`: the beginning of the sentence. */
export function droppedError(what: string, { seq, written, reason }: Horizon): JournalError {
  const when = new Date(written).toISOString()
  return new JournalError(
    'NOT_FOUND',
    `${what}: transactions up to number ${seq} were dropped by retention on ${when}`,
    {
      hint: `'journal log --oldest' shows the first that is kept. It went by a limit on ${LIMITS[reason]}.`,
      details: { dropped: { seq, written, reason } },
    },
  )
}

const LIMITS = {
  transactions: 'the number of transactions',
  age: 'the age of transactions',
  size: 'the size of the journal',
  space: 'the size of the journal',
} as const

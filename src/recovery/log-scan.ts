import { decodeContents, isHeld } from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { type Head, verifyCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import {
  type CheckpointRecord,
  decodeCheckpoint,
  decodeGap,
  decodeSegment,
  decodeTerm,
  headBehind,
  type TermRecord,
} from '../entry/control.ts'
import { JournalError } from '../errors.ts'
import { ALIGNMENT } from '../log/frame.ts'
import type { LogReader } from '../log/log-reader.ts'
import { LOG_START, offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { judgeTail, type TailVerdict } from '../log/tail.ts'
import { type Beginning, beginningOf } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import type { Layout } from '../store/layout.ts'

/** A commit that may not be wholly in the workspace, with the start of the machine at which it was written. */
export interface FlightCommit {
  readonly commit: ChainedCommit
  readonly position: Position
  readonly boot: string
}

/** The end of the log, and what stands between the last checkpoint and it. */
export interface LogScan {
  readonly end: Position
  readonly head: Head
  readonly sequence: number
  readonly term: number
  /** Known to be on stable storage, from what the frames say. */
  readonly durable: Position
  readonly inFlight: readonly FlightCommit[]
  /** Transactions whose contents reached the log, and whose commit did not. */
  readonly uncommitted: readonly string[]
  /** True when the last frame says that everything was closed, and CHECKPOINT that it is on stable storage. */
  readonly clean: boolean
  /** Bytes of an unfinished write behind the end; null: none. */
  readonly tail: TailVerdict | null
  /** Bytes of log that were read. */
  readonly read: number
}

/** Where to begin: at the redo position of the checkpoint that the hint leads to, else at the start. */
function beginning(reader: LogReader, { start, head }: Beginning, hint: Position | null): CheckpointRecord {
  const frame = hint === null ? null : reader.frameAt(hint)
  if (frame?.kind === 'checkpoint') {
    const record = checkCheckpoint(decodeCheckpoint(frame.payload), frame.position)
    // An older hint, that came back after a power cut, may lead to one from before a horizon; then there is a newer one.
    if (record.redo >= start) return record
  }
  // Without a hint the newest segments are searched for a checkpoint, the last one first.
  const skip = new Set(['content', 'commit', 'term', 'segment', 'gap', 'horizon', 'states', 'heads'] as const)
  for (const segment of reader.segments.list().reverse()) {
    let newest: CheckpointRecord | null = null
    const options = { skip, until: positionOf(segment + 1, 0) }
    for (const found of reader.read(positionOf(segment, 0), options)) {
      if (found.kind === 'checkpoint') newest = checkCheckpoint(decodeCheckpoint(found.payload), found.position)
    }
    if (newest !== null && newest.redo >= start) return newest
  }
  return { redo: start, ...head, boot: '', clean: false }
}

/**
 * Reads the log from the last checkpoint on. Changes nothing.
 * @throws JournalError `CORRUPT` when a segment is missing or a commit is not in its place in the chain. Damage behind the end is left to the caller: see `tail`
 */
export function scanLog(
  disk: Disk,
  layout: Layout,
  reader: LogReader,
  journalId: string,
  contents: ContentStore,
  onProgress?: (bytes: number) => void,
): LogScan {
  const noted = readHint(disk, layout, journalId)
  checkSegments(reader)
  const log = beginningOf(reader, journalId)
  const hint = noted !== null && noted < log.start ? null : noted
  const start = beginning(reader, log, hint)
  let head: Head = { seq: start.seq, chain: start.chain, time: start.time }
  let { redo, boot } = start
  let clean = false
  let announced: TermRecord | null = null
  let durable: Position = start.redo
  let read = 0
  const commits: FlightCommit[] = []
  const uncommitted = new Set<string>()
  const frames = reader.read(start.redo)
  let step = frames.next()
  for (; !step.done; step = frames.next()) {
    const frame = step.value
    read += frame.length
    durable = Math.max(durable, frame.durable)
    clean = false
    switch (frame.kind) {
      case 'segment': {
        const { journal, segment, seq, chain } = decodeSegment(frame.payload)
        const place = `segment ${segmentOf(frame.position)}`
        if (journal !== journalId) throw contradiction(frame.position, `${place} belongs to another journal`)
        if (segment !== segmentOf(frame.position))
          throw contradiction(frame.position, `${place} says that it is segment ${segment}`)
        if (seq !== head.seq || chain !== head.chain)
          throw contradiction(frame.position, `${place} does not follow what stands before it`)
        break
      }
      case 'term':
        announced = decodeTerm(frame.payload)
        if (announced.term !== frame.term)
          throw contradiction(frame.position, `a writer of term ${frame.term} says that it is ${announced.term}`)
        boot = announced.boot
        break
      case 'content': {
        const { tx, contents: records } = decodeContents(frame.payload)
        uncommitted.add(tx)
        for (const [index, { hash, encoding }] of records.entries()) {
          if (isHeld(encoding)) contents.remember(hash, { position: frame.position, index })
        }
        break
      }
      case 'commit': {
        const commit = verifyCommit(head, frame.payload)
        if (commit.time < head.time)
          throw contradiction(frame.position, `${commit.tx} is older than the transaction before it`)
        if (announced !== null && announced.term !== frame.term)
          throw contradiction(frame.position, `no writer of term ${frame.term} told of itself before ${commit.tx}`)
        head = { seq: commit.seq, chain: commit.chain, time: commit.time }
        uncommitted.delete(commit.tx)
        commits.push({ commit, position: frame.position, boot })
        break
      }
      case 'gap':
        head = headBehind(head, decodeGap(frame.payload))
        // The term that was announced here may be another one.
        boot = ''
        announced = null
        break
      case 'horizon':
      case 'states':
      case 'heads':
        throw contradiction(frame.position, `a frame of kind ${frame.kind} stands in a segment`)
      case 'checkpoint': {
        const record = decodeCheckpoint(frame.payload)
        checkCheckpoint(record, frame.position)
        redo = Math.max(redo, record.redo)
        // Its own sync may have failed, and the kernel take it for written: only after that sync does CHECKPOINT name it.
        clean = record.clean && frame.position === hint
        break
      }
    }
    onProgress?.(read)
  }
  const { position, unread, last } = step.value
  if (hint !== null && hint < position && reader.frameAt(hint)?.kind !== 'checkpoint') throw replacedError(hint)
  return {
    end: position,
    head,
    sequence: last?.sequence ?? log.sequence,
    term: last?.term ?? 0,
    durable,
    inFlight: commits.filter((flight) => flight.position >= redo),
    uncommitted: [...uncommitted],
    clean,
    tail: judge(reader, position, unread, hint),
    read,
  }
}

/** A valid frame that cannot be true: see "What valid frames must say" in journal-format.md. */
function contradiction(position: Position, what: string): JournalError {
  return new JournalError('CORRUPT', `the log contradicts itself: ${what}`, {
    hint: "Nothing was changed. The history was changed after it was written: restore .journal from a backup; 'journal verify' names what is wrong.",
    details: { position: [segmentOf(position), offsetOf(position)] },
  })
}

/** Recovery begins to read at `redo`: behind the frame that says so nothing was known of. */
function checkCheckpoint(record: CheckpointRecord, position: Position): CheckpointRecord {
  const { redo } = record
  if (redo >= LOG_START && redo <= position && offsetOf(redo) % ALIGNMENT === 0) return record
  throw contradiction(position, 'a checkpoint says that recovery begins where nothing can stand')
}

/** Segments are numbered from 1, or from that behind the base, without gaps. */
function checkSegments(reader: LogReader): void {
  const { base, segments } = reader.segments.survey()
  // The first segment behind a base was there before the base was.
  const index = base > 0 && segments.length === 0 ? 0 : segments.findIndex((segment, at) => segment !== base + at + 1)
  if (index < 0) return
  const missing = base + index + 1
  const begins = index === 0 && base === 0 ? `, and no record of a horizon says that it was dropped` : ''
  throw new JournalError('CORRUPT', `segment ${missing} of the log is missing${begins}`, {
    hint: `Nothing was changed. Restore ${reader.segments.path(missing)} from a backup; 'journal verify' says what it held.`,
    path: reader.segments.path(missing),
    details: { position: [missing, 0] },
  })
}

function judge(reader: LogReader, end: Position, unread: boolean, hint: Position | null): TailVerdict | null {
  const verdict = unread ? judgeTail(reader, end) : null
  // The frame that the hint names had been made durable before: a log that ends before it was cut by something else than a crash.
  if (hint === null || hint < end || verdict?.verdict === 'corrupt') return verdict
  const intactBehind = verdict?.intactBehind ?? 0
  const reached = intactBehind === 0 ? { reached: hint } : {}
  return { verdict: 'corrupt', bytes: verdict?.bytes ?? 0, evidence: hint, intactBehind, ...reached }
}

/** The checkpoint at `hint` was durable before CHECKPOINT named it. */
export function replacedError(hint: Position): JournalError {
  const place = `segment ${segmentOf(hint)}, offset ${offsetOf(hint)}`
  return new JournalError('CORRUPT', `the checkpoint that CHECKPOINT names is not in the log, at ${place}`, {
    hint: "Nothing was changed. The log was replaced by another copy, or is damaged there: run 'journal verify'. When the log was restored from a backup on purpose, remove CHECKPOINT and index from .journal.",
    details: { position: [segmentOf(hint), offsetOf(hint)] },
  })
}

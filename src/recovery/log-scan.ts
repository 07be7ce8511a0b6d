import { decodeContents } from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { type Head, genesis, verifyCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { type CheckpointRecord, decodeCheckpoint, decodeSegment, decodeTerm } from '../entry/control.ts'
import { JournalError } from '../errors.ts'
import type { LogReader } from '../log/log-reader.ts'
import { LOG_START, type Position, positionOf } from '../log/position.ts'
import { type TailVerdict, judgeTail } from '../log/tail.ts'
import { type Layout, readJson } from '../store/layout.ts'

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
  /** True when the last frame says that everything was closed. */
  readonly clean: boolean
  /** Bytes of an unfinished write behind the end; null: none. */
  readonly tail: TailVerdict | null
  /** Bytes of log that were read. */
  readonly read: number
}

/** Where to begin: at the redo position of the newest checkpoint that the hint leads to, else at the start. */
function beginning(disk: Disk, layout: Layout, reader: LogReader, journalId: string): CheckpointRecord {
  const fallback = { redo: LOG_START, ...genesis(journalId), boot: '', clean: false }
  const hint = readJson(disk, layout.checkpoint) as { position?: unknown } | null | undefined
  const [segment, offset] = Array.isArray(hint?.position) ? hint.position : []
  if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(offset) || offset < 0 || offset % 8 !== 0) return fallback
  const frame = reader.frameAt(positionOf(segment, offset))
  if (frame === null || frame.kind !== 'checkpoint') return fallback
  return decodeCheckpoint(frame.payload)
}

/**
 * Reads the log from the last checkpoint on. Changes nothing.
 * @throws JournalError `CORRUPT` when a commit is not in its place in the chain. Damage behind the end is left to the caller: see `tail`
 */
export function scanLog(
  disk: Disk,
  layout: Layout,
  reader: LogReader,
  journalId: string,
  contents: ContentStore,
  onProgress?: (bytes: number) => void,
): LogScan {
  const start = beginning(disk, layout, reader, journalId)
  let head: Head = { seq: start.seq, chain: start.chain, time: start.time }
  let { redo, boot } = start
  let clean = false
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
        const record = decodeSegment(frame.payload)
        if (record.journal !== journalId) {
          throw new JournalError('CORRUPT', `segment ${record.segment} belongs to another journal`, {
            hint: 'Restore the segment from a backup of this journal.',
          })
        }
        break
      }
      case 'term':
        boot = decodeTerm(frame.payload).boot
        break
      case 'content': {
        const { tx, contents: records } = decodeContents(frame.payload)
        uncommitted.add(tx)
        for (const [index, { hash }] of records.entries()) contents.remember(hash, { position: frame.position, index })
        break
      }
      case 'commit': {
        const commit = verifyCommit(head, frame.payload)
        head = { seq: commit.seq, chain: commit.chain, time: commit.time }
        uncommitted.delete(commit.tx)
        commits.push({ commit, position: frame.position, boot })
        break
      }
      case 'checkpoint': {
        const record = decodeCheckpoint(frame.payload)
        redo = Math.max(redo, record.redo)
        clean = record.clean
        break
      }
    }
    onProgress?.(read)
  }
  const { position, unread, last } = step.value
  return {
    end: position,
    head,
    sequence: last?.sequence ?? 0,
    term: last?.term ?? 0,
    durable,
    inFlight: commits.filter((flight) => flight.position >= redo),
    uncommitted: [...uncommitted],
    clean,
    tail: unread ? judgeTail(reader, position) : null,
    read,
  }
}

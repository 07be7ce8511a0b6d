import { decodeContents, isHeld, LOST } from '../content/content-frame.ts'
import { breathe, readPart } from '../disk/file.ts'
import { readCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { decodeGap, headBehind } from '../entry/control.ts'
import { changesOf } from '../entry/entry.ts'
import { JournalError } from '../errors.ts'
import { followsNumber, frameSize, HEADER_SIZE } from '../log/frame.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { corruptionError, judgeTail, lostEndError } from '../log/tail.ts'
import { type Beginning, beginningOf, readStates } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import { Layout } from '../store/layout.ts'
import { CommitReader } from './commit-reader.ts'
import type { IndexDatabase } from './index-database.ts'
import {
  decodeHead,
  decodeNumber,
  encodeCurrent,
  encodeHead,
  encodeLocation,
  encodeNumber,
  encodePath,
  encodePurged,
  encodeText,
  encodeTransaction,
  IndexFault,
  type IndexHead,
  KEY,
  LOST_TX,
  type PathRecord,
} from './index-record.ts'
import { ancestorsOf } from './path-scope.ts'
import type { HistorySource, OnHistoryProgress } from './source.ts'

/** A batch is written when it has so many operations, or the log was read so far for it. */
const BATCH_OPERATIONS = 4096
const BATCH_BYTES = 4 * 1024 * 1024
/** Waits for a write that another process has in flight at the end of the log. */
const SETTLE_DELAYS_MS = [5, 10, 20]

type Put = { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }

/** Carries the log over into the index, from where the index stopped to where the log ends. */
export class Projection {
  readonly #source: HistorySource
  readonly #onProgress: OnHistoryProgress | undefined
  #head: IndexHead | null = null
  #damage: JournalError | null = null
  #settledAt: Position = 0
  #beginning: Beginning | null = null
  /** Where the log was last found to end, with nothing but padding behind. */
  #cleanEnd: Position = 0
  #queue: Promise<unknown> = Promise.resolve()

  constructor(source: HistorySource, onProgress?: OnHistoryProgress) {
    this.#source = source
    this.#onProgress = onProgress
  }

  /** How far the database in use has come; it must have been prepared. */
  get head(): IndexHead {
    if (this.#head === null) throw new IndexFault('the index was not prepared')
    return this.#head
  }

  /** Where the log begins, as far as the index has been brought up to it. */
  get beginning(): Beginning {
    this.#beginning ??= beginningOf(this.#source.reader, this.#source.journalId)
    return this.#beginning
  }

  /** What stops the log from being read any further, if anything: acknowledged bytes that are damaged. */
  get damage(): JournalError | null {
    return this.#damage
  }

  /** Checks that a database just opened belongs to this log as it is now, empties it when not, and brings it up to date. */
  prepare(database: IndexDatabase): Promise<void> {
    return this.#inTurn(async () => {
      this.#head = null
      this.#cleanEnd = 0
      const { head, claim } = await this.#readHead(database)
      if (head === null) await this.#begin(database, claim)
      else {
        this.#head = head
        this.#beginning = null
      }
      await this.#advance(database)
    })
  }

  /** Indexes what was appended since. */
  catchUp(database: IndexDatabase): Promise<void> {
    return this.#inTurn(() => this.#advance(database))
  }

  /** Makes the index durable, so that it can be trusted after the next start of the machine. */
  finish(database: IndexDatabase): Promise<void> {
    return this.#inTurn(async () => {
      const synced = await database.get(KEY.synced)
      if (synced !== undefined && decodeNumber(synced) === this.head.end) return
      await database.batch([{ type: 'put', key: KEY.synced, value: encodeNumber(this.head.end) }], {
        sync: true,
      } as object)
    })
  }

  /** Runs `work` while nothing is indexed. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(work)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  /** Empties the index, and gives it what the log begins with. What the index knew to be durable outlives it: else the second look would take a log that lost its end for whole. */
  async #begin(database: IndexDatabase, claim: Claim): Promise<void> {
    for (;;) {
      const beginning = beginningOf(this.#source.reader, this.#source.journalId)
      try {
        await this.#carryOver(database, beginning, claim)
        this.#beginning = beginning
        return
      } catch (error) {
        // It was replaced by a later one meanwhile.
        if (this.#source.reader.segments.base() === (beginning.horizon?.segment ?? 0)) throw error
      }
    }
  }

  async #carryOver(database: IndexDatabase, beginning: Beginning, claim: Claim): Promise<void> {
    await database.clear()
    const { journalId: journal, disk, reader } = this.#source
    const { start, head, sequence, horizon } = beginning
    let batch: Put[] = []
    for (const { hash, by } of horizon?.missing ?? []) {
      batch.push({ type: 'put', key: KEY.content(hash), value: encodePurged({ purgedBy: by }) })
    }
    for (const { path, seq, state } of readStates(reader, beginning)) {
      batch.push({ type: 'put', key: KEY.current(path), value: encodeCurrent({ seq, state }) })
      // What was there before it is of no use: no point before the horizon can be asked for.
      batch.push({ type: 'put', key: KEY.path(path, seq), value: encodePath({ before: null, after: state }) })
      if (batch.length < BATCH_OPERATIONS) continue
      await database.batch(batch)
      batch = []
      await breathe()
    }
    if (batch.length > 0) await database.batch(batch)
    const entries = horizon?.entries ?? 0
    const none = { commit: 0, frame: 0, sequence, payloadHash: '', end: start, entries }
    this.#head = { ...head, journal, boot: disk.bootId, ...none, ...claim }
    this.#cleanEnd = 0
  }

  /** The stored head when it can be trusted: the log may have lost its end in a power cut after that was indexed. */
  async #readHead(database: IndexDatabase): Promise<{ readonly head: IndexHead | null; readonly claim: Claim }> {
    const head = await storedHead(database, this.#source.journalId)
    if (head === null) return { head, claim: NO_CLAIM }
    return { head: (await this.#isCurrent(database, head)) ? head : null, claim: claimOf(head) }
  }

  async #isCurrent(database: IndexDatabase, head: IndexHead): Promise<boolean> {
    if (head.frame === 0) return false
    if (head.boot !== this.#source.disk.bootId) {
      const synced = await database.get(KEY.synced)
      if (synced === undefined || decodeNumber(synced) !== head.end) return false
    }
    const frames = new CommitReader(this.#source)
    try {
      const frame = frames.frame(head.frame)
      if (frame === null || frame.sequence !== head.sequence || frame.payloadHash.toString(16) !== head.payloadHash)
        return false
      if (head.commit === 0) return true
      const commit = frames.frame(head.commit)
      if (commit?.kind !== 'commit') return false
      const { seq, chain } = readCommit(commit.payload)
      return seq === head.seq && chain === head.chain
    } finally {
      frames.close()
    }
  }

  async #advance(database: IndexDatabase): Promise<void> {
    const until = this.#source.readable?.()
    if (until !== undefined && until <= this.head.end) {
      this.#beginning = beginningOf(this.#source.reader, this.#source.journalId)
      return
    }
    if (this.head.end === this.#cleanEnd && this.#endsAt(this.#cleanEnd)) {
      this.#beginning = beginningOf(this.#source.reader, this.#source.journalId)
      return
    }
    const { disk, root, journalId } = this.#source
    // Before the log: a checkpoint that is written meanwhile must not look lost. The writer itself looked when it was opened.
    const hint = Number.isFinite(until) ? null : readHint(disk, new Layout(root), journalId)
    for (let attempt = 0; ; attempt += 1) {
      const beginning = beginningOf(this.#source.reader, journalId)
      // What was not indexed yet was dropped: from here on only its base tells of it.
      if (this.head.end < beginning.start) await this.#begin(database, claimOf(this.head))
      else this.#beginning = beginning
      const before = this.head.end
      const { position, unread } = await this.#readOn(database, until)
      const { durable, durableSeq } = this.head
      const lost = position < durable || (hint !== null && position <= hint)
      if (!unread && !lost) {
        this.#damage = null
        this.#cleanEnd = until === undefined ? this.head.end : 0
        return
      }
      if (this.head.end > before) attempt = 0
      const delay = this.#settledAt === position ? undefined : SETTLE_DELAYS_MS[attempt]
      if (delay !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, delay))
        continue
      }
      const verdict = judgeTail(this.#source.reader, position)
      if (verdict.verdict === 'corrupt') this.#damage = corruptionError(position, verdict)
      else this.#damage = lost ? lostEndError(position, Math.max(durable, hint ?? 0), this.head.seq, durableSeq) : null
      this.#settledAt = position
      return
    }
  }

  /** Has nothing been written behind a clean end since? Much cheaper than reading the padding again. */
  #endsAt(end: Position): boolean {
    const { segments } = this.#source.reader
    const { disk } = segments
    const segment = segmentOf(end)
    if (segments.exists(segment + 1) || !segments.exists(segment)) return false
    return readPart(disk, segments.path(segment), offsetOf(end), HEADER_SIZE).every((byte) => byte === 0)
  }

  async #readOn(
    database: IndexDatabase,
    until: Position | undefined,
  ): Promise<{ position: Position; unread: boolean }> {
    const reading = this.#source.reader.read(this.head.end, {
      passing: true,
      ...(until === undefined ? {} : { until }),
    })
    const total = this.#onProgress === undefined ? 0 : this.#bytesBetween(this.head.end, until)
    let head = this.head
    let batch: Put[] = []
    let bytes = 0
    let done = 0
    const flush = async () => {
      const durable = this.#source.durable?.() ?? 0
      if (durable >= head.end && durable > head.durable)
        head = { ...head, durable: head.end, durableSeq: head.seq, durableChain: head.chain }
      batch.push({ type: 'put', key: KEY.head, value: encodeHead(head) })
      await database.batch(batch)
      this.#head = head
      done += bytes
      batch = []
      bytes = 0
      this.#onProgress?.({ phase: 'indexing', done, total })
      await breathe()
    }
    try {
      for (;;) {
        const step = reading.next()
        if (step.done === true) {
          if (bytes > 0) await flush()
          return step.value
        }
        const frame = step.value
        // Frames that were written, and a segment that was begun, while this one was being read would be passed over.
        if (!followsNumber(frame, head.sequence)) {
          if (bytes > 0) await flush()
          return { position: head.end, unread: true }
        }
        head = this.#apply(frame, head, batch)
        bytes += frameSize(frame.length)
        if (batch.length >= BATCH_OPERATIONS || bytes >= BATCH_BYTES) await flush()
      }
    } finally {
      reading.return({ position: head.end, unread: false, last: null })
    }
  }

  #apply(frame: Frame, head: IndexHead, batch: Put[]): IndexHead {
    const next = {
      ...head,
      ...claimBy(frame, head),
      boot: this.#source.disk.bootId,
      frame: frame.position,
      sequence: frame.sequence,
      payloadHash: frame.payloadHash.toString(16),
      end: frame.position + frameSize(frame.length),
    }
    if (frame.kind === 'content') {
      for (const [index, { hash, encoding }] of decodeContents(frame.payload).contents.entries()) {
        if (!isHeld(encoding)) continue
        batch.push({ type: 'put', key: KEY.content(hash), value: encodeLocation({ position: frame.position, index }) })
      }
    }
    if (frame.kind === 'gap') return { ...next, ...putGap(batch, frame, head) }
    if (frame.kind !== 'commit') return next
    const commit = readCommit(frame.payload)
    putCommit(batch, commit, frame.position)
    const { seq, chain, time } = commit
    return { ...next, seq, chain, time, commit: frame.position, entries: head.entries + commit.entries.length }
  }

  #bytesBetween(from: Position, until: Position | undefined): number {
    const { segments } = this.#source.reader
    let total = 0
    for (const segment of segments.list()) {
      if (segment < segmentOf(from) || (until !== undefined && segment > segmentOf(until))) continue
      const end = until !== undefined && segment === segmentOf(until) ? offsetOf(until) : segments.size(segment)
      total += Math.max(0, end - (segment === segmentOf(from) ? offsetOf(from) : 0))
    }
    return total
  }
}

/** What an index knows to be on stable storage. */
export type Claim = Pick<IndexHead, 'durable' | 'durableSeq' | 'durableChain'>

const NO_CLAIM: Claim = { durable: 0, durableSeq: 0, durableChain: '' }

function claimOf({ durable, durableSeq, durableChain }: IndexHead): Claim {
  return { durable, durableSeq, durableChain }
}

/** The claim of a frame about what stands before it, where it goes beyond what is known. */
function claimBy(frame: Frame, head: IndexHead): Partial<Claim> {
  if (frame.durable <= head.durable) return {}
  // Only then is it known which transactions those are.
  return frame.durable === head.end
    ? { durable: frame.durable, durableSeq: head.seq, durableChain: head.chain }
    : { durable: frame.durable }
}

/** The head that an index holds for this journal, be it up to date or not. */
export async function storedHead(database: IndexDatabase, journalId: string): Promise<IndexHead | null> {
  const bytes = await database.get(KEY.head)
  const head = bytes === undefined ? null : decodeHead(bytes)
  return head?.journal === journalId ? head : null
}

/** Net change a path; null for paths where something was only preserved. */
function pathsOf(commit: ChainedCommit): Map<string, PathRecord | null> {
  const paths = new Map<string, PathRecord | null>()
  for (const entry of commit.entries) {
    if ((entry.op === 'preserve' || entry.op === 'purge') && !paths.has(entry.path)) paths.set(entry.path, null)
    for (const { path, before, after } of changesOf(entry)) {
      const known = paths.get(path)
      paths.set(path, { before: known ? known.before : before, after })
    }
  }
  return paths
}

/** More than any damage can swallow; each takes a record in the index. */
const LOST_LIMIT = 2 ** 24

function gapError(position: Position): JournalError {
  return new JournalError(
    'CORRUPT',
    `the gap at segment ${segmentOf(position)}, offset ${offsetOf(position)} cannot be`,
    {
      hint: "Its checksum is right, so it was written like this. Run 'journal verify' and report it.",
      details: { position: [segmentOf(position), offsetOf(position)] },
    },
  )
}

/** Numbers that are lost are in the index too, so that every number up to the newest is. */
function putGap(batch: Put[], frame: Frame, head: IndexHead): Partial<IndexHead> {
  const gap = decodeGap(frame.payload)
  for (const hash of gap.contents) batch.push({ type: 'put', key: KEY.content(hash), value: encodePurged(LOST) })
  const { seq, chain, time } = headBehind(head, gap)
  if (seq - head.seq > LOST_LIMIT) throw gapError(frame.position)
  for (let lost = head.seq + 1; lost <= seq; lost += 1) {
    const record = { position: frame.position, tx: LOST_TX, time, kind: 'write', paths: 0 } as const
    batch.push({ type: 'put', key: KEY.transaction(lost), value: encodeTransaction({ seq: lost, ...record }) })
  }
  // No commit frame vouches for a number that is lost.
  return seq === head.seq ? {} : { seq, chain, time, commit: 0 }
}

function putCommit(batch: Put[], commit: ChainedCommit, position: Position): void {
  const put = (key: string, value: Uint8Array) => batch.push({ type: 'put', key, value })
  const place = encodeNumber(position)
  const { seq, tx, actor, of, about = [], kind } = commit
  const paths = pathsOf(commit)
  put(KEY.transaction(seq), encodeTransaction({ ...commit, position, paths: paths.size }))
  put(KEY.tx(tx), encodeNumber(seq))
  for (const named of of === undefined ? about.map((part) => part.tx) : [of])
    put(KEY.about(named, seq), encodeText(kind))
  if (actor !== undefined) {
    put(KEY.actor(actor, seq), place)
    put(KEY.actorName(actor), encodeText(actor))
  }
  for (const entry of commit.entries) {
    if (entry.op === 'note') put(KEY.topic(entry.topic, seq), place)
    if (entry.op !== 'purge') continue
    for (const hash of entry.hashes) put(KEY.content(hash), encodePurged({ purgedBy: seq }))
  }
  const scopes = new Set<string>()
  for (const [path, change] of paths) {
    put(KEY.path(path, seq), encodePath(change))
    if (change !== null) put(KEY.current(path), encodeCurrent({ seq, state: change.after }))
    scopes.add(path)
    for (const ancestor of ancestorsOf(path)) scopes.add(ancestor)
  }
  for (const scope of scopes) put(KEY.below(scope, seq), place)
}

import { CHANGED, decodeContents, PURGED } from '../content/content-frame.ts'
import { ContentResolver } from '../content/content-resolver.ts'
import { Recent } from '../content/recent.ts'
import { breathe } from '../disk/file.ts'
import { genesis, type Head, LOST_CHAIN, readCommit, verifyCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { decodeCheckpoint, decodeGap, decodeSegment, decodeTerm, headBehind } from '../entry/control.ts'
import { isSilenced } from '../entry/entry.ts'
import { droppedSeq } from '../entry/horizon.ts'
import { followsNumber, frameSize } from '../log/frame.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Beginning, beginningOf, readParts } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import { Layout, unfinishedSalvage } from '../store/layout.ts'
import { ContentCensus } from './content-census.ts'
import { describeDamage } from './damage.ts'
import { Findings } from './findings.ts'
import { isWithin } from './path-scope.ts'
import type { HistorySource, OnHistoryProgress } from './source.ts'
import { type ExternalChange, externalChanges } from './status.ts'
import {
  anchoredHead,
  type Gap,
  lostTransactions,
  told,
  type VerifyOptions,
  type VerifyReport,
} from './verify-report.ts'

export type { Gap, VerifiedHorizon, VerifyOptions, VerifyReport } from './verify-report.ts'

const BYTES_A_TURN = 16 * 1024 * 1024
const SETTLE_DELAYS_MS = [10, 20, 40]

/**
 * Reads the whole journal and checks every frame, record, link of the chain, content and blob. Goes on behind damage, so that all that is
 * affected is named. Holds 32 bytes a content besides the log's chunks: some 100 MiB of memory for a million contents.
 */
export async function verify(source: HistorySource, options: VerifyOptions = {}): Promise<VerifyReport> {
  const head = anchoredHead(options.head)
  const report = await verified(source, options.onProgress, head)
  if (options.workspace !== true || options.index === undefined) return report
  const changed: ExternalChange[] = []
  const { onProgress } = options
  const changes = externalChanges(
    options.index,
    source.disk,
    source.root,
    onProgress === undefined ? {} : { onProgress },
  )
  for await (const change of changes) changed.push(change)
  return { ...report, changed }
}

/** The log may lose its beginning while it is read; then it is read again. */
async function verified(
  source: HistorySource,
  onProgress: OnHistoryProgress | undefined,
  head: string | null,
): Promise<VerifyReport> {
  for (;;) {
    const { segments } = source.reader
    const base = segments.base()
    try {
      const report = await new Verification(source, onProgress, head).run()
      if (report.ok || segments.base() === base) return report
    } catch (error) {
      if (segments.base() === base) throw error
    }
  }
}

/** How many chain values are kept at hand. */
const CHAINS = 8192

class Verification {
  readonly #source: HistorySource
  readonly #onProgress: OnHistoryProgress | undefined
  readonly #findings = new Findings()
  readonly #gaps: Gap[] = []
  readonly #census: ContentCensus
  /** Without the index: what it says is not what is verified. */
  readonly #resolver: ContentResolver
  /** The chain value that must occur; null when it did, or none must. */
  #awaited: string | null
  #head: Head
  #beginning: Beginning | null = null
  /** The newest base that a commit names, and the commit's number. */
  #named: { readonly digest: string; readonly seq: number } | null = null
  /** The number of the dropped transaction that the awaited value was of. */
  #droppedHead: number | null = null
  /** False behind damage, until the next commit gives a chain value to go on from. */
  #linked = true
  /** The newest chain values: a checkpoint may name one of a little while ago. */
  readonly #chains = new Recent<number, string>(CHAINS)
  /** The term of the last writer that told of itself; null behind damage. */
  #announced: number | null = null
  #transactions = 0
  #frames = 0
  #bytes = 0
  #turn = 0
  /** Paths of edits whose words were erased, until a purge that tells of it. */
  readonly #erasedWords = new Map<string, string>()
  #total = 0
  #last: { sequence: number; term: number } | null = null
  /** Where CHECKPOINT says that a checkpoint stands; null once that was found. */
  #hint: Position | null = null

  constructor(source: HistorySource, onProgress: OnHistoryProgress | undefined, awaited: string | null) {
    this.#source = source
    this.#onProgress = onProgress
    const { disk, reader, contents } = source
    this.#census = new ContentCensus(contents.blobs, this.#findings)
    this.#resolver = new ContentResolver(disk, reader, contents.blobs, { caching: true })
    this.#head = genesis(source.journalId)
    this.#awaited = awaited
  }

  async run(): Promise<VerifyReport> {
    const { disk, root } = this.#source
    const layout = new Layout(root)
    if (disk.lstat(layout.salvage) !== null)
      this.#findings.add({ kind: 'lost', message: unfinishedSalvage(layout).message })
    await this.#census.checkBlobs(this.#onProgress)
    await this.#base()
    const { segments } = this.#source.reader
    this.#total = segments.list().reduce((sum, segment) => sum + segments.size(segment), 0)
    const tornBytes = await this.#log()
    // A writer beside us may have brought blobs for commits that were read just now.
    await this.#census.checkBlobs(this.#onProgress)
    this.#census.conclude()
    this.#concludeWords()
    this.#concludeHead()
    this.#concludeHint()
    this.#concludeBase()
    const horizon = this.#beginning?.horizon ?? null
    return {
      ok: this.#findings.count === 0,
      transactions: this.#transactions,
      frames: this.#frames,
      blobs: this.#census.blobs,
      orphans: this.#census.orphans,
      purged: this.#census.purged,
      tornBytes,
      problems: this.#findings.problems,
      ...(this.#gaps.length === 0 ? {} : { gaps: this.#gaps }),
      ...(horizon === null ? {} : { horizon: told(horizon) }),
      problemsOmitted: this.#findings.omitted,
    }
  }

  /** What the log begins with. Where its base is damaged, its first segment says where the chain goes on. */
  async #base(): Promise<void> {
    const { reader, journalId } = this.#source
    const { segments } = reader
    try {
      const beginning = beginningOf(reader, journalId)
      this.#beginning = beginning
      this.#head = beginning.head
      if (beginning.horizon !== null) this.#last = { sequence: beginning.sequence, term: 0 }
      for (const { hash, by } of beginning.horizon?.missing ?? []) this.#census.missed(hash, by)
      for (const part of readParts(reader, beginning)) {
        if (part.kind === 'states') this.#census.stated(part.states)
        else if (this.#awaited !== null) this.#droppedHead ??= droppedSeq(part.heads, this.#awaited)
        await breathe()
      }
    } catch (error) {
      this.#findings.addError('horizon', error, positionOf(segments.base(), 0))
      const first = this.#beginning === null ? reader.frameAt(reader.start) : null
      if (first?.kind !== 'segment') return
      const { seq, chain, time } = decodeSegment(first.payload)
      this.#head = { seq, chain, time }
    }
    if (this.#head.chain === this.#awaited) this.#awaited = null
    const base = segments.base()
    if (base === 0 || segments.exists(base + 1)) return
    const message = `segment ${base + 1}, which was there before the base of the log was, is missing`
    this.#findings.add({ kind: 'lost', message, position: [base + 1, 0] })
  }

  /** Returns how many torn bytes stand at the end. */
  async #log(): Promise<number> {
    let position = this.#source.reader.start
    /** The greatest durable position that any intact frame of the rest states; found out at the first damage. */
    let durable: Position | null = null
    const { disk, root, journalId } = this.#source
    const noted = readHint(disk, new Layout(root), journalId)
    const hint = noted !== null && noted < position ? null : noted
    this.#hint = hint
    for (let attempt = 0; ; ) {
      const until = this.#source.readable?.()
      const end = await this.#read(position, until)
      if (end.position > position) attempt = 0
      position = end.position
      if (until !== undefined && position >= until) return 0
      if (hint !== null && position <= hint && this.#nextIntact(position) === null) {
        const message = 'the log ends before a checkpoint that had been made durable: its end is lost'
        this.#findings.add({ kind: 'lost', message, position: [segmentOf(position), offsetOf(position)] })
        return this.#tornBytes(position)
      }
      const { segments } = this.#source.reader
      const lost = !end.unread && segments.list().some((segment) => segment > segmentOf(position))
      if (!end.unread && !lost) return 0
      const delay = SETTLE_DELAYS_MS[attempt]
      if (durable === null && delay !== undefined) {
        // Another process may be writing there at this moment.
        attempt += 1
        await new Promise((resolve) => setTimeout(resolve, delay))
        continue
      }
      durable ??= await this.#durableBehind(position)
      if (durable <= position) return this.#tornBytes(position)
      const next = this.#nextIntact(position)
      if (next === null) return this.#tornBytes(position)
      this.#findings.add(describeDamage(this.#source, position, next))
      this.#linked = false
      this.#announced = null
      this.#last = null
      position = next
    }
  }

  async #read(from: Position, until: Position | undefined): Promise<{ position: Position; unread: boolean }> {
    const reading = this.#source.reader.read(from, until === undefined ? {} : { until })
    let position = from
    try {
      for (;;) {
        const step = reading.next()
        if (step.done === true) return step.value
        const frame = step.value
        // A segment that appeared while this one was being read.
        if (this.#last !== null && !followsNumber(frame, this.#last.sequence)) return { position, unread: true }
        this.#last = { sequence: frame.sequence, term: frame.term }
        const pending = this.#frame(frame)
        if (pending !== null) await pending
        const size = frameSize(frame.length)
        position = frame.position + size
        this.#bytes += size
        if (this.#bytes - this.#turn >= BYTES_A_TURN) {
          this.#turn = this.#bytes
          this.#onProgress?.({ phase: 'verifying', done: this.#bytes, total: this.#total })
          await breathe()
        }
      }
    } finally {
      reading.return({ position, unread: false, last: null })
    }
  }

  /** Null when done. */
  #frame(frame: Frame): Promise<void> | null {
    this.#frames += 1
    if (frame.kind === 'content')
      return this.#contents(frame).catch((error) => this.#findings.addError('record', error, frame.position))
    try {
      switch (frame.kind) {
        case 'segment':
          this.#segment(frame)
          break
        case 'term':
          this.#term(frame)
          break
        case 'checkpoint':
          this.#checkpoint(frame)
          if (frame.position === this.#hint) this.#hint = null
          break
        case 'gap':
          this.#gap(frame)
          break
        case 'commit':
          this.#commit(frame)
          break
        case 'horizon':
        case 'states':
        case 'heads':
          this.#contradicted(frame, `a frame of kind ${frame.kind} stands in a segment`)
      }
    } catch (error) {
      this.#findings.addError('record', error, frame.position)
    }
    return null
  }

  #segment(frame: Frame): void {
    const record = decodeSegment(frame.payload)
    const expected = { journal: this.#source.journalId, segment: segmentOf(frame.position), ...this.#head }
    const wrong = record.journal !== expected.journal || record.segment !== expected.segment
    const unlinked = this.#linked && (record.seq !== expected.seq || record.chain !== expected.chain)
    if (!wrong && !unlinked) return
    this.#findings.add({
      kind: 'segment',
      message: `segment ${expected.segment} says that it ${wrong ? `is segment ${record.segment} of journal ${record.journal}` : `follows transaction ${record.seq}, but it follows ${expected.seq}`}`,
      position: [segmentOf(frame.position), offsetOf(frame.position)],
    })
  }

  #term(frame: Frame): void {
    const { term } = decodeTerm(frame.payload)
    this.#announced = frame.term
    if (term !== frame.term) this.#contradicted(frame, `a writer of term ${frame.term} says that it is ${term}`)
  }

  #checkpoint(frame: Frame): void {
    const { redo, seq, chain } = decodeCheckpoint(frame.payload)
    if (redo > frame.position) this.#contradicted(frame, 'a checkpoint says that recovery begins behind it')
    const known = seq === this.#head.seq ? this.#head.chain : this.#chains.get(seq)
    const wrong = known === undefined ? seq > this.#head.seq : known !== chain && known !== LOST_CHAIN
    if (this.#linked && wrong)
      this.#contradicted(frame, `a checkpoint names another chain value for transaction number ${seq}`)
  }

  #contradicted({ position }: Frame, message: string): void {
    this.#findings.add({ kind: 'record', message, position: [segmentOf(position), offsetOf(position)] })
  }

  #gap(frame: Frame): void {
    const gap = decodeGap(frame.payload)
    const position: [number, number] = [segmentOf(frame.position), offsetOf(frame.position)]
    const before = this.#head
    const after = headBehind(before, gap)
    if (this.#linked && (after.seq < before.seq || after.time < before.time)) {
      const message = `the gap at segment ${position[0]}, offset ${position[1]} goes back behind transaction ${before.seq}`
      this.#findings.add({ kind: 'chain', message, position })
    }
    const lost = after.seq > before.seq ? { from: before.seq + 1, to: after.seq } : null
    this.#gaps.push({ position, lost, contents: gap.contents.length })
    for (const hash of gap.contents) this.#census.lost(hash)
    // A purge may be among what is lost.
    if (lost !== null) this.#erasedWords.clear()
    if (gap.seq !== null) this.#linked = true
    // A term may have been announced where the gap is.
    this.#announced = null
    this.#head = after
  }

  async #contents({ position, payload }: Frame): Promise<void> {
    const { tx, contents } = decodeContents(payload)
    for (const [index, record] of contents.entries()) {
      const why =
        record.encoding === PURGED
          ? 'it was erased, and no purge in the history tells of it'
          : await this.#resolver.check({ record, location: { position, index }, beside: contents })
      const replaceable = record.encoding === PURGED || record.encoding === CHANGED
      if (why === null) this.#census.found(record.hash)
      else this.#census.bad(record.hash, { tx, position, why, replaceable })
    }
  }

  #commit(frame: Frame): void {
    const position: [number, number] = [segmentOf(frame.position), offsetOf(frame.position)]
    this.#transactions += 1
    let commit: ChainedCommit
    if (!this.#linked) {
      const loose = readCommit(frame.payload)
      const due = this.#head.seq + 1
      if (loose.seq > due) this.#findings.add(lostTransactions(due, loose, position))
      // With its predecessor read, the chain can be checked in spite of the damage between them.
      this.#linked = loose.seq === due
    }
    try {
      if (this.#linked) commit = verifyCommit(this.#head, frame.payload)
      else commit = readCommit(frame.payload)
    } catch (error) {
      this.#findings.addError('chain', error, frame.position)
      commit = readCommit(frame.payload)
    }
    if (commit.time < this.#head.time) {
      const message = `the time of transaction ${commit.tx} lies before that of the one before it`
      this.#findings.add({ kind: 'time', message, tx: commit.tx, position })
    }
    if (this.#announced !== null && this.#announced !== frame.term)
      this.#contradicted(frame, `no writer of term ${frame.term} told of itself before ${commit.tx}`)
    this.#linked = true
    this.#chains.set(commit.seq, commit.chain)
    this.#head = { seq: commit.seq, chain: commit.chain, time: commit.time }
    if (commit.chain === this.#awaited) this.#awaited = null
    this.#census.named(commit)
    if (commit.horizon !== undefined) this.#named = { digest: commit.horizon, seq: commit.seq }
    for (const entry of commit.entries) {
      if (isSilenced(entry)) this.#erasedWords.set(entry.path, commit.tx)
      if (entry.op !== 'purge') continue
      for (const path of this.#erasedWords.keys()) if (isWithin(path, entry.path)) this.#erasedWords.delete(path)
    }
  }

  #concludeWords(): void {
    for (const [path, tx] of this.#erasedWords) {
      const message = `what was edited in ${path} was erased, and no purge in the history tells of it`
      this.#findings.add({ kind: 'content', message, tx, path })
    }
  }

  #concludeHead(): void {
    if (this.#awaited === null) return
    const { seq, chain } = this.#head
    if (this.#droppedHead !== null) {
      const message = `the head ${this.#awaited} is that of transaction number ${this.#droppedHead}, which retention dropped: it cannot vouch for what is kept. Note a newer one`
      this.#findings.add({ kind: 'head', message })
      return
    }
    const message = `the head ${this.#awaited} is not in this history, which ends with transaction number ${seq} at ${chain}: it was replaced by an older copy, or written anew`
    this.#findings.add({ kind: 'head', message })
  }

  /** A log that was replaced by another copy may be long enough, and yet not have the checkpoint. */
  #concludeHint(): void {
    if (this.#hint === null || this.#findings.count > 0) return
    const position: [number, number] = [segmentOf(this.#hint), offsetOf(this.#hint)]
    const message = `CHECKPOINT names a checkpoint at segment ${position[0]}, offset ${position[1]} that is not in this log: it was replaced by another copy`
    this.#findings.add({ kind: 'lost', message, position })
  }

  /** A base that no commit names yet is as good as the newest transactions; one that differs from the named is not. */
  #concludeBase(): void {
    const { horizon = null, digest = null } = this.#beginning ?? {}
    const named = this.#named
    if (named === null || named.digest === digest) return
    if (horizon !== null && named.seq <= horizon.at) return
    // A salvage could not keep the base, and says so.
    if (horizon === null && this.#gaps.some(({ lost }) => lost?.from === 1)) return
    const message =
      horizon === null
        ? `transaction number ${named.seq} says that history was dropped before it, and the log has no base`
        : `the base of the log is not the one that transaction number ${named.seq} names: it was altered`
    this.#findings.add({ kind: 'horizon', message, position: [horizon?.segment ?? 0, 0] })
  }

  async #durableBehind(position: Position): Promise<Position> {
    let durable = 0
    let count = 0
    for (const header of this.#source.reader.intactAfter(position)) {
      if (header.durable > durable) durable = header.durable
      count += 1
      if (count % 1024 === 0) await breathe()
    }
    return durable
  }

  #nextIntact(position: Position): Position | null {
    for (const header of this.#source.reader.intactAfter(position)) return header.position
    return null
  }

  #tornBytes(position: Position): number {
    const { segments } = this.#source.reader
    let total = 0
    for (const segment of segments.list()) {
      if (segment < segmentOf(position)) continue
      total += Math.max(0, segments.size(segment) - (segment === segmentOf(position) ? offsetOf(position) : 0))
    }
    return total
  }
}

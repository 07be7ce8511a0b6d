import { ContentResolver } from '../content/content-resolver.ts'
import { breathe } from '../disk/file.ts'
import { genesis } from '../entry/chain.ts'
import { decodeSegment } from '../entry/control.ts'
import { droppedSeq } from '../entry/horizon.ts'
import { followsNumber, frameSize } from '../log/frame.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Beginning, beginningOf, readParts } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import { Layout, unfinishedSalvage } from '../store/layout.ts'
import { ChainAudit } from './chain-audit.ts'
import { ContentAudit } from './content-audit.ts'
import { ContentCensus } from './content-census.ts'
import { describeDamage } from './damage.ts'
import { Findings } from './findings.ts'
import type { HistorySource, OnHistoryProgress } from './source.ts'
import { type ExternalChange, externalChanges } from './status.ts'
import { anchoredHead, told, type VerifyOptions, type VerifyReport } from './verify-report.ts'

export type { Gap, VerifiedHorizon, VerifyOptions, VerifyReport } from './verify-report.ts'

const BYTES_A_TURN = 16 * 1024 * 1024
const SETTLE_DELAYS_MS = [10, 20, 40]

/**
 * Reads the whole journal and checks every frame, record, link of the chain, content and blob. Goes on behind damage, so that all that is
 * affected is named. Holds some 45 bytes a content besides a chunk of the log.
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

class Verification {
  readonly #source: HistorySource
  readonly #onProgress: OnHistoryProgress | undefined
  readonly #findings = new Findings()
  readonly #census: ContentCensus
  readonly #contents: ContentAudit
  readonly #chain: ChainAudit
  #beginning: Beginning | null = null
  /** The number of the dropped transaction that the awaited value was of. */
  #droppedHead: number | null = null
  #frames = 0
  #bytes = 0
  #turn = 0
  #total = 0
  /** Sequence number of the last frame; null behind damage. */
  #last: number | null = null
  /** Where CHECKPOINT says that a checkpoint stands; null once that was found. */
  #hint: Position | null = null

  constructor(source: HistorySource, onProgress: OnHistoryProgress | undefined, awaited: string | null) {
    this.#source = source
    this.#onProgress = onProgress
    const { disk, reader, contents, journalId } = source
    this.#census = new ContentCensus(contents.blobs, this.#findings)
    // Without the index: what it says is not what is verified.
    const resolver = new ContentResolver(disk, reader, contents.blobs, { caching: true })
    this.#contents = new ContentAudit(this.#census, this.#findings, resolver)
    this.#chain = new ChainAudit(journalId, genesis(journalId), this.#findings, this.#census, awaited)
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
    this.#chain.conclude()
    this.#concludeHead()
    this.#concludeHint()
    this.#concludeBase()
    const horizon = this.#beginning?.horizon ?? null
    return {
      ok: this.#findings.count === 0,
      transactions: this.#chain.transactions,
      frames: this.#frames,
      blobs: this.#census.blobs,
      orphans: this.#census.orphans,
      purged: this.#census.purged,
      tornBytes,
      problems: this.#findings.problems,
      ...(this.#chain.gaps.length === 0 ? {} : { gaps: this.#chain.gaps }),
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
      this.#chain.head = beginning.head
      if (beginning.horizon !== null) this.#last = beginning.sequence
      for (const { hash, by } of beginning.horizon?.missing ?? []) this.#census.missed(hash, by)
      for (const part of readParts(reader, beginning)) {
        if (part.kind === 'states') this.#census.stated(part.states)
        else if (this.#chain.awaited !== null) this.#droppedHead ??= droppedSeq(part.heads, this.#chain.awaited)
        await breathe()
      }
    } catch (error) {
      this.#findings.addError('horizon', error, positionOf(segments.base(), 0))
      const first = this.#beginning === null ? reader.frameAt(reader.start) : null
      if (first?.kind !== 'segment') return
      const { seq, chain, time } = decodeSegment(first.payload)
      this.#chain.head = { seq, chain, time }
    }
    if (this.#chain.head.chain === this.#chain.awaited) this.#chain.awaited = null
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
      this.#chain.damaged()
      this.#last = null
      position = next
    }
  }

  async #read(from: Position, until: Position | undefined): Promise<{ position: Position; unread: boolean }> {
    const reading = this.#source.reader.read(from, { passing: true, ...(until === undefined ? {} : { until }) })
    let position = from
    try {
      for (;;) {
        const step = reading.next()
        if (step.done === true) return step.value
        const frame = step.value
        // A segment that appeared while this one was being read.
        if (this.#last !== null && !followsNumber(frame, this.#last)) return { position, unread: true }
        this.#last = frame.sequence
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
    if (frame.kind === 'content') return this.#contents.frame(frame)
    try {
      switch (frame.kind) {
        case 'segment':
          this.#chain.segment(frame)
          break
        case 'term':
          this.#chain.term(frame)
          break
        case 'checkpoint':
          this.#chain.checkpoint(frame)
          if (frame.position === this.#hint) this.#hint = null
          break
        case 'gap':
          this.#chain.gap(frame)
          break
        case 'commit':
          this.#chain.commit(frame)
          break
        case 'horizon':
        case 'states':
        case 'heads':
          this.#chain.contradicted(frame, `a frame of kind ${frame.kind} stands in a segment`)
      }
    } catch (error) {
      this.#findings.addError('record', error, frame.position)
    }
    return null
  }

  #concludeHead(): void {
    const { awaited } = this.#chain
    if (awaited === null) return
    const { seq, chain } = this.#chain.head
    if (this.#droppedHead !== null) {
      const message = `the head ${awaited} is that of transaction number ${this.#droppedHead}, which retention dropped: it cannot vouch for what is kept. Note a newer one`
      this.#findings.add({ kind: 'head', message })
      return
    }
    const message = `the head ${awaited} is not in this history, which ends with transaction number ${seq} at ${chain}: it was replaced by an older copy, or written anew`
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
    const { named, gaps } = this.#chain
    if (named === null || named.digest === digest) return
    if (horizon !== null && named.seq <= horizon.at) return
    // A salvage could not keep the base, and says so.
    if (horizon === null && gaps.some(({ lost }) => lost?.from === 1)) return
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

import { decodeContents, isHeld, PURGED } from '../content/content-frame.ts'
import { ContentResolver } from '../content/content-resolver.ts'
import { breathe } from '../disk/file.ts'
import { bodyHash, type Head, LOST_CHAIN, readCommit, verifyCommit } from '../entry/chain.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { decodeCheckpoint, decodeGap, decodeSegment, decodeTerm, headBehind } from '../entry/control.ts'
import { JournalError } from '../errors.ts'
import type { ContentCensus } from '../history/content-census.ts'
import { followsNumber, frameSize } from '../log/frame.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { beginningOf, readParts } from '../store/base.ts'
import type { Store } from '../store/opening.ts'
import { type Neighbour, NOTHING_LOST, type Region } from './region.ts'

/** A file with a number so much greater than any other is no segment of this log. */
const HOLE_LIMIT = 4096
const FRAMES_A_TURN = 256

/** Transactions lost in regions. `to`: the last that is certain. */
export interface Loss {
  readonly from: number
  readonly to: number
  readonly regions: readonly Region[]
}

/** What of a log can be trusted. */
export interface LogSurvey {
  /** Between sound frames, in the order of the log. */
  readonly regions: readonly Region[]
  readonly losses: readonly Loss[]
  /** Behind the last sound frame that is kept. */
  readonly end: Position
  readonly last: Neighbour | null
  readonly durable: Position
  readonly head: Head
  readonly transactions: number
  /** Do sound frames stand behind the end? They are about nothing that can be kept. */
  readonly dropped: boolean
  /** Is there anything but padding behind the end? */
  readonly cut: boolean
  /** Ids of the transactions that are kept, to tell those that are lost from. */
  readonly known: ReadonlySet<string>
  /** Contents that a sound frame has no more, or not right, and the transactions that brought them. */
  readonly wrong: ReadonlyMap<string, string>
  /** Those of them that were not erased: what they are a change of is damaged, or they are. */
  readonly broken: ReadonlySet<string>
}

/** Reads a damaged log and finds out what of it can be kept: every frame that is sound, and every transaction that the chain can be held to. */
export class LogSurveyor {
  readonly #store: Store
  readonly #census: ContentCensus
  readonly #until: Position
  readonly #regions: Region[] = []
  readonly #losses: Loss[] = []
  readonly #known = new Set<string>()
  readonly #wrong = new Map<string, string>()
  readonly #broken = new Set<string>()
  readonly #resolver: ContentResolver
  /** Regions that no commit or segment behind them has said anything about yet. */
  #pending: Region[] = []
  /** Regions since the last sound frame. */
  #run: Region[] = []
  #head: Head
  readonly #first: number
  #last: Neighbour | null = null
  #durable: Position = 0
  #end: Position = 0
  #transactions = 0

  /** `until`: nothing at or behind it counts. */
  constructor(store: Store, census: ContentCensus, until: Position = Number.POSITIVE_INFINITY) {
    this.#store = store
    this.#census = census
    this.#until = until
    const beginning = beginningOf(store.reader, store.format.journal)
    this.#head = beginning.head
    this.#first = segmentOf(beginning.start)
    if (beginning.horizon !== null) {
      // As if the last frame that was dropped stood at the end of its segment.
      this.#last = { sequence: beginning.sequence, term: 0 }
      this.#end = positionOf(this.#first, 0)
      for (const { hash, by } of beginning.horizon.missing) census.missed(hash, by)
      for (const part of readParts(store.reader, beginning)) if (part.kind === 'states') census.stated(part.states)
    }
    const trusts = (position: Position) => !this.#isBad(position)
    this.#resolver = new ContentResolver(store.disk, store.reader, store.contents.blobs, { trusts })
  }

  async run(): Promise<LogSurvey> {
    const { reader, segments } = this.#store
    const last = await this.#lastSegment()
    let count = 0
    for (let segment = this.#first; segment <= last; segment += 1) {
      let at = 0
      if (segments.exists(segment)) {
        for (const frame of reader.intactAfter(positionOf(segment, 0))) {
          if (segmentOf(frame.position) !== segment || frame.position >= this.#until) break
          const from = offsetOf(frame.position)
          if (from > at) this.#bad(segment, at, from)
          at = from + frameSize(frame.length)
          await this.#frame(frame, at)
          count += 1
          if (count % FRAMES_A_TURN === 0) await breathe()
        }
      }
      const size = segments.exists(segment) ? segments.size(segment) : 0
      if (at === 0 || (at < size && !reader.isZeroFrom(segment, at))) this.#bad(segment, at, null)
    }
    return this.#conclude(last)
  }

  #conclude(last: number): LogSurvey {
    const { reader, segments } = this.#store
    const [first] = this.#pending
    const end = first === undefined ? this.#end : first.before
    const beyond = segments.list().some((segment) => segment > Math.max(last, segmentOf(end)))
    const rest = end === 0 || (segments.exists(segmentOf(end)) && !reader.isZeroFrom(segmentOf(end), offsetOf(end)))
    return {
      regions: this.#regions.slice(0, this.#regions.length - this.#pending.length),
      losses: this.#losses,
      end,
      last: first === undefined ? this.#last : first.last,
      durable: Math.min(end, first === undefined ? this.#durable : first.durable),
      head: this.#head,
      transactions: this.#transactions,
      dropped: first !== undefined,
      cut: first !== undefined || beyond || rest,
      known: this.#known,
      wrong: this.#wrong,
      broken: this.#broken,
    }
  }

  async #lastSegment(): Promise<number> {
    const { reader, segments } = this.#store
    let last = this.#first - 1
    for (const segment of segments.list()) {
      if (segment > last + HOLE_LIMIT || positionOf(segment, 0) >= this.#until) break
      for (const frame of reader.intactAfter(positionOf(segment, 0))) {
        if (segmentOf(frame.position) === segment && frame.position < this.#until) last = segment
        break
      }
      await breathe()
    }
    return last
  }

  #bad(segment: number, from: number, to: number | null): void {
    const before = this.#run.at(-1)
    if (before !== undefined && before.segment === segment && before.to === from) {
      const merged = { ...before, to }
      this.#run[this.#run.length - 1] = merged
      this.#pending[this.#pending.length - 1] = merged
      this.#regions[this.#regions.length - 1] = merged
      return
    }
    const region: Region = {
      ...{ segment, from, to, last: this.#last, durable: this.#durable, head: this.#head },
      ...{ before: this.#end, next: null, record: NOTHING_LOST },
    }
    for (const list of [this.#run, this.#pending, this.#regions]) list.push(region)
  }

  async #frame(frame: Frame, end: number): Promise<void> {
    const segment = segmentOf(frame.position)
    const from = offsetOf(frame.position)
    const jumps = this.#run.length === 0 && !followsNumber(frame, this.#last?.sequence ?? 0)
    const rises = frame.sequence > (this.#last?.sequence ?? 0) && frame.term >= (this.#last?.term ?? 0)
    // Whole frames can go missing without a trace only where a segment ends.
    const possible =
      rises && (!jumps || (from === 0 && segment > this.#first)) && (frame.kind === 'segment') === (from === 0)
    if (possible && jumps) this.#bad(segment - 1, offsetOf(this.#end), null)
    if (!possible || !(await this.#holds(frame))) {
      this.#bad(segment, from, end)
      return
    }
    for (const region of this.#run) region.next = { sequence: frame.sequence, term: frame.term }
    this.#run = []
    this.#last = { sequence: frame.sequence, term: frame.term }
    this.#durable = Math.max(this.#durable, frame.durable)
    this.#end = positionOf(segment, end)
  }

  /** Does what the frame says agree with what stands before it? Only then is anything noted of it. */
  async #holds(frame: Frame): Promise<boolean> {
    try {
      switch (frame.kind) {
        case 'segment':
          return this.#segment(frame)
        case 'term':
          return decodeTerm(frame.payload).term === frame.term
        case 'checkpoint':
          return decodeCheckpoint(frame.payload).redo <= frame.position
        case 'content':
          await this.#contents(frame)
          return true
        case 'gap':
          return this.#gap(frame)
        case 'commit':
          return this.#commit(frame)
        case 'horizon':
        case 'states':
        case 'heads':
          return false
      }
    } catch (error) {
      if (error instanceof JournalError && error.code === 'CORRUPT') return false
      throw error
    }
  }

  #segment(frame: Frame): boolean {
    const { journal, segment, seq, chain, time } = decodeSegment(frame.payload)
    if (journal !== this.#store.format.journal || segment !== segmentOf(frame.position)) return false
    const same = seq === this.#head.seq && chain === this.#head.chain
    if (this.#pending.length === 0 || same) return same
    if (chain === LOST_CHAIN) return seq === this.#head.seq
    if (seq <= this.#head.seq || time < this.#head.time) return false
    this.#resolve({ seq, chain, time })
    return true
  }

  async #contents({ position, payload }: Frame): Promise<void> {
    const { tx, contents } = decodeContents(payload)
    for (const [index, record] of contents.entries()) {
      const { hash, encoding } = record
      const right =
        isHeld(encoding) &&
        (await this.#resolver.check({ record, location: { position, index }, beside: contents })) === null
      if (right) this.#census.found(hash)
      else {
        this.#wrong.set(hash, tx)
        if (encoding !== PURGED) this.#broken.add(hash)
      }
    }
  }

  /** Is it part of a damage that was found so far? */
  #isBad(position: Position): boolean {
    const offset = offsetOf(position)
    return this.#regions.some(
      ({ segment, from, to }) => segment === segmentOf(position) && offset >= from && (to === null || offset < to),
    )
  }

  #gap(frame: Frame): boolean {
    const record = decodeGap(frame.payload)
    const after = headBehind(this.#head, record)
    if (after.seq < this.#head.seq || after.time < this.#head.time) return false
    for (const hash of record.contents) this.#census.lost(hash)
    if (record.seq !== null) {
      if (this.#pending.length > 0) this.#resolve(this.#head)
      this.#head = after
    }
    return true
  }

  #commit(frame: Frame): boolean {
    const commit = readCommit(frame.payload)
    if (commit.time < this.#head.time || commit.seq <= this.#head.seq) return false
    if (commit.seq === this.#head.seq + 1) {
      // Throws when the chain does not hold: then it was altered, whatever its checksum says.
      verifyCommit(this.#head, frame.payload)
      if (this.#pending.length > 0) this.#resolve(this.#head)
    } else if (this.#pending.length === 0) return false
    else {
      const { time } = this.#head
      this.#resolve({ seq: commit.seq - 1, time, chain: LOST_CHAIN, next: bodyHash(frame.payload) })
    }
    this.#note(commit)
    return true
  }

  #note(commit: ChainedCommit): void {
    this.#head = { seq: commit.seq, chain: commit.chain, time: commit.time }
    this.#transactions += 1
    this.#known.add(commit.tx)
    this.#census.named(commit)
  }

  /** Now it is known where the history stands behind the pending regions. One of them tells; the others lost no transaction. */
  #resolve(after: Head): void {
    const lost = after.seq > this.#head.seq
    if (lost) {
      const room = ({ from, to }: Region) => (to === null ? Number.POSITIVE_INFINITY : to - from)
      const teller = this.#pending.reduce((best, region) => (room(region) >= room(best) ? region : best))
      const { seq, time, chain, next = null } = after
      teller.record = { seq, time, chain: next === null ? chain : null, next, contents: [] }
      this.#losses.push({ from: this.#head.seq + 1, to: seq, regions: this.#pending })
      let told = false
      for (const region of this.#pending) {
        // A first frame that is made anew says what was known before.
        if (told) (region as { head: Head }).head = after
        told ||= region === teller
      }
    }
    this.#head = after
    this.#pending = []
  }
}

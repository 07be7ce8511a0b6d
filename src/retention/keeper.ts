import { breathe } from '../disk/file.ts'
import { decodeSegment } from '../entry/control.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { positionOf, segmentOf } from '../log/position.ts'
import { beginningOf } from '../store/base.ts'
import type { Allowance } from './allowance.ts'
import { type Dropped, drop, planDrop, removeBlobs } from './drop.ts'
import type { JournalSize } from './journal-size.ts'
import { Pace } from './pace.ts'
import { chooseDrop, type Drop, isLimited, type RetentionLimits } from './policy.ts'
import type { RetentionSite } from './site.ts'
import { orphanBlobs } from './survey.ts'

/** Log that goes in one step. */
const STEP_BYTES = 16 * 1024 * 1024
/** Between two looks for what has become too old. */
const LOOK_MS = 60_000
/** Blobs are looked at when they have grown by this part of `maxBytes`, though the log is in the same segment. */
const GROWTHS = 16
/** Bytes that a state takes in a base, about. */
const STATE_BYTES = 256

export const NOTHING_DROPPED: Dropped = { transactions: 0, segments: 0, blobs: 0, carried: 0, bytes: 0 }

export interface KeeperOptions {
  readonly limits: RetentionLimits
  /** Drop by itself, after commits. */
  readonly auto: boolean
  readonly allowance: Allowance | null
  readonly size: JournalSize
  /** Told of what was dropped in the background, or why nothing could be. */
  readonly onDone: (dropped: Dropped | null, error: JournalError | null) => void
}

/** Drops old history when it is due. One piece of upkeep at a time; commits go on beside it. */
export class Keeper {
  readonly #site: RetentionSite
  readonly #options: KeeperOptions
  #turn: Promise<unknown> = Promise.resolve()
  #working = false
  #stopping = false
  /** The segment that the log was in, how much the blobs had grown, and when, as it was last looked for what is due. */
  #looked = { segment: 0, grown: 0, at: 0 }

  constructor(site: RetentionSite, options: KeeperOptions) {
    this.#site = site
    this.#options = options
  }

  /** Runs `work` when no other upkeep runs, and nobody can take over meanwhile: it changes what no log makes again. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      const release = this.#site.log.fence.hold()
      return work().finally(release)
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** To be called after every commit: costs nothing unless something may be due. */
  poke(): void {
    const { auto, limits } = this.#options
    if (!auto || this.#working || this.#stopping || !isLimited(limits)) return
    const segment = segmentOf(this.#site.log.end)
    const { grown } = this.#site.store.contents.blobs
    const now = performance.now()
    const larger = limits.maxBytes !== undefined && grown - this.#looked.grown > limits.maxBytes / GROWTHS
    if (segment === this.#looked.segment && !larger && now - this.#looked.at < LOOK_MS) return
    this.#looked = { segment, grown, at: now }
    this.#working = true
    this.alone(() => this.#dropAll(limits, STEP_BYTES))
      .then(
        (dropped) => dropped.segments > 0 && this.#options.onDone(dropped, null),
        (error: unknown) => {
          const failure = asJournalError(error, 'dropping old transactions')
          if (failure.code !== 'ABORTED') this.#options.onDone(null, failure)
        },
      )
      .finally(() => {
        this.#working = false
      })
  }

  /** A commit lets one slice of what runs go first: else commits in a tight loop would leave the journal growing for ever. */
  giveWay(): Promise<void> | null {
    return this.#working ? breathe() : null
  }

  /** Drops what the limits allow until a commit fits that was told that it does not. */
  async makeRoom(needed: number): Promise<void> {
    const { allowance, auto, limits } = this.#options
    if (allowance === null || !auto || !isLimited(limits)) return
    await this.alone(async () => {
      while (!allowance.fits(needed) && (await this.#dropSome(limits, 1)) !== null);
    }).catch(() => undefined)
  }

  /** Drops all that `limits` say. */
  async #dropAll(limits: RetentionLimits, most: number): Promise<Dropped> {
    let all = NOTHING_DROPPED
    for (;;) {
      const some = await this.#dropSome(limits, most)
      if (some === null) return all
      all = sumOf(all, some)
    }
  }

  async #dropSome(limits: RetentionLimits, most: number): Promise<Dropped | null> {
    const { log, checkpointer } = this.#site
    if (log.poison !== null || this.#stopping) return null
    if (limits.maxBytes !== undefined && !this.#options.size.isMeasured) await this.#options.size.measure(this.#pace)
    let choice = this.#choose(limits, log.end, most)
    if (choice !== null && choice.segment >= segmentOf(checkpointer.redo)) {
      // Recovery must not need what goes.
      await checkpointer.run()
      choice = this.#choose(limits, checkpointer.redo, most)
    }
    if (choice === null && this.#isTooLarge(limits) && this.endSegment()) {
      // What takes the room is named by the segment that the log is in.
      await checkpointer.run()
      choice = this.#choose(limits, checkpointer.redo, most)
    }
    if (choice === null) return null
    try {
      await this.#checkRoom(choice)
    } catch (error) {
      // One segment alone needs less room.
      if (most > 1 && error instanceof JournalError && error.code === 'NO_SPACE') return this.#dropSome(limits, 1)
      throw error
    }
    return drop(this.#site, choice, this.#pace)
  }

  #isTooLarge({ maxBytes }: RetentionLimits): boolean {
    return maxBytes !== undefined && this.#options.size.bytes() > maxBytes
  }

  /**
   * So that what was committed up to now can go one day without what comes after it: the next frame, that of a checkpoint, begins a new segment.
   * False when nothing was committed in this one.
   */
  endSegment(): boolean {
    const { store, log, committer } = this.#site
    const first = store.reader.frameAt(positionOf(segmentOf(log.end), 0))
    if (first?.kind !== 'segment' || decodeSegment(first.payload).seq === committer.head.seq) return false
    log.endSegment()
    return true
  }

  get #pace(): Pace {
    return new Pace(() => this.#stopping)
  }

  #choose(limits: RetentionLimits, redo: number, most: number): Drop | null {
    const { store, committer } = this.#site
    const bytes = limits.maxBytes === undefined ? 0 : this.#options.size.bytes()
    const situation = { newest: committer.head.seq, redo, bytes, now: store.disk.now() }
    return chooseDrop(store.reader, limits, situation, most)
  }

  /** What is still needed is copied first: the hard limit holds for that, too. */
  async #checkRoom({ segment }: Drop): Promise<void> {
    const { allowance } = this.#options
    if (allowance === null) return
    const { store, log } = this.#site
    const beginning = beginningOf(store.reader, store.format.journal)
    const { states, carriedBytes } = await planDrop(store, beginning, segment, log.acknowledged, this.#pace)
    const needed = carriedBytes + states * STATE_BYTES
    if (needed <= allowance.spare) return
    throw new JournalError(
      'NO_SPACE',
      `dropping old transactions needs ${needed} bytes for what is still needed of them`,
      {
        hint: 'Raise limits.journalBytes, or keep less history.',
        details: { journalBytes: allowance.limit, needed },
      },
    )
  }

  /** All that `limits` say, asked for by somebody; then blobs that nothing names. Must be called within `alone`. */
  async compact(limits: RetentionLimits): Promise<Dropped> {
    if (!isLimited(limits)) return this.#sweep()
    const dropped = await this.#dropAll(limits, STEP_BYTES)
    return sumOf(dropped, await this.#sweep())
  }

  /** What a crash between a drop and the removal of its blobs has left, and contents of transactions that were never committed. */
  async #sweep(): Promise<Dropped> {
    const { store, log, committer } = this.#site
    const { reader, contents, format } = store
    const relied = new Set<string>()
    contents.watch(0, relied)
    try {
      await committer.gate.passed()
      const source = { reader, journalId: format.journal, contents, until: log.acknowledged }
      const orphans = await orphanBlobs(source, this.#pace)
      const { files, bytes } = await removeBlobs(store, orphans.keys(), relied, this.#pace)
      return { ...NOTHING_DROPPED, blobs: files, bytes }
    } finally {
      contents.unwatch()
    }
  }

  /** Lets what runs come to its next step, and ends it there. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#turn
  }
}

function sumOf(a: Dropped, b: Dropped): Dropped {
  return {
    transactions: a.transactions + b.transactions,
    segments: a.segments + b.segments,
    blobs: a.blobs + b.blobs,
    carried: a.carried + b.carried,
    bytes: a.bytes + b.bytes,
  }
}

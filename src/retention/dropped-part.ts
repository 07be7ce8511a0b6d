import type { ContentLocation } from '../content/content-frame.ts'
import { decodeContents, isHeld } from '../content/content-frame.ts'
import { type Head, LOST_CHAIN, verifyCommit } from '../entry/chain.ts'
import type { Commit } from '../entry/commit.ts'
import { decodeGap, headBehind } from '../entry/control.ts'
import { changesOf } from '../entry/entry.ts'
import { type DroppedHeads, HEAD_BYTES } from '../entry/horizon.ts'
import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import type { Frame, LogReader } from '../log/log-reader.ts'
import { positionOf } from '../log/position.ts'
import { corruptionError, judgeTail } from '../log/tail.ts'
import { type Beginning, readParts } from '../store/base.ts'
import { hashesOf } from './needed.ts'
import type { Pace } from './pace.ts'
import { sortedPaths } from './sorted-paths.ts'

/** So many of the newest chain values that were dropped are remembered. */
const HEADS = 8192

/**
 * What is in the segments up to one, read and checked from the first frame to the last: nothing damaged is ever dropped. Memory: what these segments
 * change, name and hold, without their contents.
 */
export class DroppedPart {
  /** The newest states that they set, by path. */
  readonly changes = new Map<string, { readonly seq: number; readonly state: State }>()
  /** Contents that stand in them. */
  readonly standing = new Map<ContentHash, ContentLocation>()
  /** Contents that stand in them, or that they or the states before them name: whatever may not be needed any more. */
  readonly candidates = new Set<ContentHash>()
  /** Contents that are not there, with what a missing content says of them. */
  readonly missing = new Map<ContentHash, number>()
  readonly segment: number
  /** Those of `changes`, in order. */
  paths: readonly string[] = []
  readonly #heads: number[] = []
  #head: Head
  #sequence: number
  #entries: number
  #transactions = 0

  private constructor(beginning: Beginning, segment: number) {
    this.segment = segment
    this.#head = beginning.head
    this.#sequence = beginning.sequence
    this.#entries = beginning.horizon?.entries ?? 0
    for (const { hash, by } of beginning.horizon?.missing ?? []) this.#lack(hash, by)
  }

  #lack(hash: ContentHash, by: number): void {
    this.missing.set(hash, by)
    this.candidates.add(hash)
  }

  /** Where the history stands behind them. */
  get head(): Head {
    return this.#head
  }

  /** Of the last frame in them. */
  get sequence(): number {
    return this.#sequence
  }

  /** Of all transactions up to there. */
  get entries(): number {
    return this.#entries
  }

  get transactions(): number {
    return this.#transactions
  }

  get heads(): DroppedHeads {
    const count = this.#heads.length / HEAD_BYTES
    return { first: this.#head.seq - count + 1, heads: Uint8Array.from(this.#heads) }
  }

  /** @throws JournalError `CORRUPT` when they do not read back right to their end */
  static async read(reader: LogReader, beginning: Beginning, segment: number, pace: Pace): Promise<DroppedPart> {
    const part = new DroppedPart(beginning, segment)
    for (const found of readParts(reader, beginning)) {
      if (found.kind === 'heads') part.#heads.push(...found.heads.heads)
      await pace.rest()
    }
    const until = positionOf(segment + 1, 0)
    const reading = reader.read(beginning.start, { until })
    for (;;) {
      const step = reading.next()
      if (step.done === true) {
        if (step.value.position >= until) break
        throw corruptionError(step.value.position, judgeTail(reader, step.value.position))
      }
      part.#frame(step.value)
      await pace.rest()
    }
    await part.#superseded(reader, beginning, pace)
    part.paths = await sortedPaths(part.changes.keys(), pace)
    return part
  }

  #frame(frame: Frame): void {
    this.#sequence = frame.sequence
    switch (frame.kind) {
      case 'content':
        for (const [index, { hash, encoding }] of decodeContents(frame.payload).contents.entries()) {
          if (!isHeld(encoding)) continue
          this.standing.set(hash, { position: frame.position, index })
          this.candidates.add(hash)
          this.missing.delete(hash)
        }
        break
      case 'commit':
        this.#commit(verifyCommit(this.#head, frame.payload))
        break
      case 'gap': {
        const gap = decodeGap(frame.payload)
        const before = this.#head.seq
        this.#head = headBehind(this.#head, gap)
        for (const hash of gap.contents) this.#lack(hash, 0)
        if (this.#head.seq - before > HEADS) this.#heads.length = 0
        for (let lost = Math.max(before, this.#head.seq - HEADS) + 1; lost <= this.#head.seq; lost += 1)
          this.#noteHead(LOST_CHAIN)
        break
      }
      default:
    }
  }

  #commit(commit: Commit & Head): void {
    const { seq, chain, time, entries } = commit
    this.#head = { seq, chain, time }
    this.#transactions += 1
    this.#entries += entries.length
    this.#noteHead(chain)
    for (const entry of entries) {
      for (const hash of hashesOf(entry)) this.candidates.add(hash)
      if (entry.op === 'purge') for (const hash of entry.hashes) this.#lack(hash, seq)
      for (const { path, after } of changesOf(entry)) this.changes.set(path, { seq, state: after })
    }
  }

  #noteHead(chain: string): void {
    this.#heads.push(...Buffer.from(chain, 'hex').subarray(0, HEAD_BYTES))
    if (this.#heads.length > 2 * HEADS * HEAD_BYTES) this.#heads.splice(0, this.#heads.length - HEADS * HEAD_BYTES)
  }

  /** What was at a path at the horizon before, and is not any more, may not be needed either. */
  async #superseded(reader: LogReader, beginning: Beginning, pace: Pace): Promise<void> {
    if (this.#heads.length > HEADS * HEAD_BYTES) this.#heads.splice(0, this.#heads.length - HEADS * HEAD_BYTES)
    for (const found of readParts(reader, beginning)) {
      if (found.kind !== 'states') continue
      for (const { path, state } of found.states) {
        const hash = hashOf(state)
        if (hash !== null && this.changes.has(path)) this.candidates.add(hash)
      }
      await pace.rest()
    }
  }
}

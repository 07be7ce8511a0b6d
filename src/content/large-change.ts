import type { ContentHash } from '../entry/state.ts'
import { type Delta, DeltaBuilder } from './delta.ts'
import type { HashTrail } from './hash-trail.ts'
import type { LargeContent, LargeContents } from './large-contents.ts'

/** No more bytes of a file are written in place for one change: what readers may see half done. */
const MOST_BYTES = 256 * 1024
/** In no more ranges than this. */
const MOST_RANGES = 256

/** Bytes that take the place of others of the same file, where they stand; those of the last range may go beyond its end. */
export interface PatchedRange {
  readonly at: number
  readonly old: Uint8Array
  readonly bytes: Uint8Array
}

/** One place of a content, and what comes there. */
export interface Splice {
  readonly at: number
  /** Bytes that go. */
  readonly remove: number
  readonly insert: Uint8Array
}

/** A new large content, known by what it changes in one that the journal has. It is nowhere whole. */
export interface LargeChange {
  readonly base: ContentHash
  /** Bytes of the base. */
  readonly baseSize: number
  readonly delta: Delta
  /** In the order in which they stand. */
  readonly ranges: readonly PatchedRange[]
  readonly trail: HashTrail
  /** Of the base, if it is in memory: it becomes the new one's once that is in the workspace. */
  readonly known: LargeContent
}

/** An addition at the end. Null when it is too long. */
export function largeAddition(known: LargeContent, added: Uint8Array): LargeChange | null {
  const { trail } = known
  if (added.byteLength === 0 || added.byteLength > MOST_BYTES) return null
  const running = trail.from(trail.size)
  running.update(added)
  const bytes = Uint8Array.prototype.slice.call(added)
  const delta = new DeltaBuilder()
  delta.keep(trail.size)
  delta.insert(bytes)
  return {
    base: trail.hash,
    baseSize: trail.size,
    delta: delta.finish(),
    ranges: [{ at: trail.size, old: new Uint8Array(0), bytes }],
    trail: running.finish(),
    known,
  }
}

/** Splices that replace as many bytes as they bring, in ascending order; the bytes of the base must be in memory. Null when it is not small. */
export function largeReplacement(known: LargeContent, splices: readonly Splice[]): LargeChange | null {
  const { trail, text } = known
  if (text === null || splices.length === 0 || splices.length > MOST_RANGES) return null
  const base = text.bytes
  const delta = new DeltaBuilder()
  const ranges: PatchedRange[] = []
  let total = 0
  let position = 0
  for (const { at, remove, insert } of splices) {
    if (remove !== insert.byteLength) return null
    total += remove
    if (total > MOST_BYTES) return null
    delta.keep(at - position)
    delta.skip(remove)
    delta.insert(insert)
    position = at + remove
    ranges.push({ at, old: Uint8Array.prototype.slice.call(base, at, position), bytes: insert })
  }
  delta.keep(base.byteLength - position)
  const running = trail.from((ranges[0] as PatchedRange).at)
  position = running.size
  for (const { at, old, bytes } of ranges) {
    running.update(base.subarray(position, at))
    running.update(bytes)
    position = at + old.byteLength
  }
  running.update(base.subarray(position))
  return { base: trail.hash, baseSize: trail.size, delta: delta.finish(), ranges, trail: running.finish(), known }
}

/** What is known of the new content once it has taken the place of its base. The text is the new one's from then on, unless another change took it. */
export function advance(contents: LargeContents, { base, known, ranges, trail }: LargeChange): void {
  const text = contents.get(base) === known ? known.text : null
  contents.delete(base)
  if (text !== null) for (const { at, bytes } of ranges) text.write(bytes, at)
  contents.set({ trail, text })
}

import type { ContentHash } from '../entry/state.ts'
import { type Delta, DeltaBuilder } from './delta.ts'
import type { HashTrail } from './hash-trail.ts'
import type { LargeContent, LargeContents } from './large-contents.ts'
import type { Splice } from './splice.ts'

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

/** A new large content, known by what it changes in one that the journal has. It is nowhere whole. */
export interface LargeChange {
  readonly base: ContentHash
  /** Bytes of the base. */
  readonly baseSize: number
  readonly delta: Delta
  /** In the order in which they stand. */
  readonly splices: readonly Splice[]
  /** The same, where bytes are written over and added to the end only; null where others move. */
  readonly ranges: readonly PatchedRange[] | null
  readonly trail: HashTrail
  /** Of the base. */
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
    splices: [{ at: trail.size, remove: 0, insert: bytes }],
    ranges: [{ at: trail.size, old: new Uint8Array(0), bytes }],
    trail: running.finish(),
    known,
  }
}

/** Splices in ascending order; the bytes of the base must be in memory. Null when they are not few and small. */
export function largeReplacement(known: LargeContent, splices: readonly Splice[]): LargeChange | null {
  const { trail, text } = known
  const [first] = splices
  if (text === null || first === undefined || splices.length > MOST_RANGES) return null
  if (splices.reduce((sum, { remove, insert }) => sum + Math.max(remove, insert.byteLength), 0) > MOST_BYTES)
    return null
  const base = text.bytes
  const delta = new DeltaBuilder()
  const running = trail.from(first.at)
  let hashed = running.size
  let position = 0
  for (const { at, remove, insert } of splices) {
    delta.keep(at - position)
    delta.skip(remove)
    delta.insert(insert)
    running.update(base.subarray(hashed, at))
    running.update(insert)
    position = at + remove
    hashed = position
  }
  delta.keep(base.byteLength - position)
  running.update(base.subarray(position))
  return {
    base: trail.hash,
    baseSize: trail.size,
    delta: delta.finish(),
    splices,
    ranges: splices.every(isLevel) ? splices.map((splice) => rangeOf(base, splice)) : null,
    trail: running.finish(),
    known,
  }
}

function isLevel({ remove, insert }: Splice): boolean {
  return remove === insert.byteLength
}

function rangeOf(base: Uint8Array, { at, remove, insert }: Splice): PatchedRange {
  return { at, old: Uint8Array.prototype.slice.call(base, at, at + remove), bytes: insert }
}

/** What is known of the new content once it has taken the place of its base. The text is the new one's from then on, unless another change took it. */
export function advance(contents: LargeContents, { base, known, splices, trail }: LargeChange): void {
  const text = contents.get(base) === known ? known.text : null
  contents.delete(base)
  text?.change(splices)
  contents.set({ trail, text })
}

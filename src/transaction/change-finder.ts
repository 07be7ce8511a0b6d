import { COMPRESS_FROM, looksCompressible } from '../content/compression.ts'
import { type BasePlace, decodeChange } from '../content/content-frame.ts'
import { type Link, MAX_CHAIN_PIECES, MAX_LINKS } from '../content/content-resolver.ts'
import type { ContentStore } from '../content/content-store.ts'
import { composed, type Delta, DeltaBuilder, MAX_PIECES, makes, sizeOf } from '../content/delta.ts'
import { difference } from '../content/difference.ts'
import type { Held } from '../content/held-bytes.ts'
import type { LargeChange } from '../content/large-change.ts'
import type { Disk } from '../disk/disk.ts'
import type { ContentHash } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { middleOf } from './file-difference.ts'

/** Smaller contents are kept as they are: what is said about a change takes some 60 bytes itself. */
const SMALLEST = 512
/** Below this a content is not looked up in the index. */
export const LOOKUP_SIZE = 16 * 1024
/** What a record of a change takes besides its pieces, at most. */
const HEAD = 64
/** Every so many changes one is made of what was there so many changes ago. */
const RADIX = 8
/** Then a content is kept whole again. */
const MAX_STEPS = RADIX ** 4

/** How a content can be kept as a change of another one. */
export interface Change {
  readonly base: ContentHash
  /** Null: wherever this transaction puts it. */
  readonly place: BasePlace | null
  readonly step: number
  /** How many changes it stands on with its own, and their pieces together. */
  readonly depth: number
  readonly pieces: number
  readonly delta: Delta
}

/** A content that a new one takes the place of. */
export interface Predecessor {
  readonly hash: ContentHash
  readonly size: number
  /** Null: not brought by this transaction. */
  readonly own: Held | null
  /** May it be read, though it is small and not in memory? */
  readonly readable: boolean
}

/**
 * The change that a content numbered `step` is kept as: from that many steps back to it. Numbers are written with the digits 0 to 7; the last digit that is
 * not 0 is taken down by one. So a content stands on no more changes than the sum of its digits, and each change is told at most once a digit
 * ("skip-deltas", as Subversion has them with 2 digits).
 */
export function ancestorOf(step: number): number {
  let unit = 1
  while (step % (unit * RADIX) === 0) unit *= RADIX
  return step - unit
}

/** Finds out how little a new content adds to one that the journal has. Each change that it gives was tried: it makes what it should. */
export class ChangeFinder {
  readonly #disk: Disk
  readonly #contents: ContentStore

  constructor(disk: Disk, contents: ContentStore) {
    this.#disk = disk
    this.#contents = contents
  }

  /** For a content in memory. Null: it is better kept whole. Waits for nothing when the base is in memory too, and need not be looked up. */
  find(base: Predecessor, hash: ContentHash, bytes: Uint8Array): Change | null | Promise<Change | null> {
    if (!this.#contents.dense || bytes.byteLength < SMALLEST || base.size < SMALLEST || base.hash === hash) return null
    const held = base.own ?? this.#contents.held.get(base.hash)
    if (held === undefined || held === null) {
      const looking = base.size > LOOKUP_SIZE
      if (!looking && (!base.readable || this.#contents.recent(base.hash) === null)) return null
      return this.#fromLog(base.hash, hash, bytes, looking)
    }
    const delta = directChange(held.bytes, bytes)
    if (delta === null) return null
    const step = held.step + 1
    if (ancestorOf(step) === held.step) {
      const place = base.own === null ? this.#placeOf(base.hash) : null
      if (base.own === null && place === null) return null
      const pieces = held.pieces + delta.pieces.length
      return checked({ base: base.hash, place, step, depth: held.depth + 1, pieces, delta }, held.bytes, bytes)
    }
    if (base.own !== null) return null
    const passing = this.#inMemory(base.hash, held, delta, bytes)
    return passing === undefined
      ? this.#passing(base.hash, hash, delta, bytes.byteLength, base.size > LOOKUP_SIZE)
      : passing
  }

  /** For a content in a file: what it has in common with the base, both ends of it, is looked for. `limit`: bytes that a record may take. */
  async findInFiles(
    base: { readonly hash: ContentHash; readonly file: string },
    content: { readonly hash: ContentHash; readonly size: number; readonly file: string },
    limit: number,
  ): Promise<Change | null> {
    if (!this.#contents.dense || base.hash === content.hash) return null
    const { size } = content
    const middle = await middleOf(this.#disk, base.file, content.file, Math.min(limit, size / 4) - 2 * HEAD)
    if (middle === null) return null
    const builder = new DeltaBuilder()
    builder.keep(middle.prefix)
    builder.skip(middle.skip)
    builder.insert(middle.insert)
    builder.keep(middle.suffix)
    return this.#passing(base.hash, content.hash, builder.finish(), Math.min(size, 2 * limit), true)
  }

  /** For a content that is known by what it changes. */
  async findKnown({ base, delta, trail: { hash, size } }: LargeChange, limit: number): Promise<Change | null> {
    if (!this.#contents.dense || base === hash) return null
    return this.#passing(base, hash, delta, Math.min(size, 2 * limit), true, false)
  }

  #placeOf(hash: ContentHash): BasePlace | null {
    const location = this.#contents.recent(hash)
    return location === null ? null : { at: 'log', ...location }
  }

  /** The change of what was so many changes ago, when all between is in memory; undefined when it is not. */
  #inMemory(base: ContentHash, held: Held, direct: Delta, bytes: Uint8Array): Change | null | undefined {
    const step = held.step + 1
    let delta = direct
    let at = base
    for (let link = held; ; ) {
      if (link.step === ancestorOf(step)) {
        const place = this.#placeOf(at)
        if (place === null || isTooLarge(delta, bytes.byteLength)) return null
        const pieces = link.pieces + delta.pieces.length
        return checked({ base: at, place, step, depth: link.depth + 1, pieces, delta }, link.bytes, bytes)
      }
      if (link.data === null || link.step < ancestorOf(step)) return undefined
      const { change, delta: own } = decodeChange(link.data)
      const next = this.#contents.held.get(change.base)
      if (next === undefined) return undefined
      delta = composed(own, delta)
      at = change.base
      link = next
    }
  }

  async #fromLog(base: ContentHash, hash: ContentHash, bytes: Uint8Array, looking: boolean): Promise<Change | null> {
    try {
      const delta = directChange(await this.#contents.read(base), bytes)
      return delta === null ? null : await this.#passing(base, hash, delta, bytes.byteLength, looking)
    } catch (error) {
      if (!isMissing(error)) throw error
      return null
    }
  }

  /** The change of the base, or of what that was so many changes ago. `trying`: it is not known yet whether `direct` makes what it should. */
  async #passing(
    base: ContentHash,
    hash: ContentHash,
    direct: Delta,
    size: number,
    looking: boolean,
    trying = true,
  ): Promise<Change | null> {
    try {
      const links = await this.#contents.links(base, looking)
      const step = (links?.[0]?.step ?? 0) + 1
      const at = links?.findIndex((link) => link.step === ancestorOf(step)) ?? -1
      const link = links?.[at]
      if (links === null || link === undefined || step >= MAX_STEPS) return null
      const delta = link.delta === null ? direct : composed(link.delta, direct)
      const depth = links.length - at
      const pieces = links.slice(at).reduce((sum, each) => sum + each.pieces, delta.pieces.length)
      if (depth > MAX_LINKS || pieces > MAX_CHAIN_PIECES || isTooLarge(delta, size)) return null
      const place = await this.#linkPlace(link)
      if (place === null || (trying && !(await this.#contents.isMadeOf(hash, link, delta)))) return null
      return { base: link.hash, place, step, depth, pieces, delta }
    } catch (error) {
      if (!isMissing(error)) throw error
      return null
    }
  }

  async #linkPlace({ hash, found }: Link): Promise<BasePlace | null> {
    if (found !== null) return { at: 'log', ...found.location }
    return (await this.#contents.blobs.has(hash)) ? { at: 'blob' } : null
  }
}

/** Null when it is not worth it: texts that are compressed take a third or a quarter of their space. */
function directChange(before: Uint8Array, after: Uint8Array): Delta | null {
  const compressible = looksCompressible(after)
  const delta = difference(before, after, compressible)
  if (delta === null) return null
  const share = compressible && after.byteLength >= COMPRESS_FROM ? 4 : 2
  return sizeOf(delta) + HEAD > after.byteLength / share ? null : delta
}

function isTooLarge(delta: Delta, size: number): boolean {
  return delta.pieces.length > MAX_PIECES || sizeOf(delta) + HEAD > size / 2
}

function checked(change: Change, before: Uint8Array, after: Uint8Array): Change | null {
  if (change.depth > MAX_LINKS || change.pieces > MAX_CHAIN_PIECES || change.step >= MAX_STEPS) return null
  // Nothing is lost with one that is wrong: the content is kept whole.
  return makes(change.delta, before, after) ? change : null
}

/** What cannot be read cannot be built upon. Whoever asks for it is told. */
function isMissing(error: unknown): boolean {
  return error instanceof JournalError && (error.code === 'CORRUPT' || error.code === 'NOT_FOUND')
}

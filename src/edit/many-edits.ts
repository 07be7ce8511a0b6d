/**
 * Thousands of edits of one text, without going through all of it for each. The old texts are looked for in one pass: pieces of them (*anchors*), of few
 * lengths, are found by a rolling hash (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987). Then the edits are made one by one; around each,
 * the new text is looked through for the old texts of those that are still to come. An edit whose old text stands in what earlier ones wrote, or that is
 * not found once, ends the run: what was made so far is put together, and the caller goes on from there.
 */
import { BlockCounts } from './block-counts.ts'

/** An edit in the form of the text: nothing of it is to be converted. */
export interface PlainEdit {
  readonly oldText: string
  readonly newText: string
  readonly all: boolean
}

export interface Run {
  readonly text: string
  /** How many of the edits were made. */
  readonly done: number
  /** First and last line of each place, by edit. */
  readonly lines: readonly (readonly (readonly [number, number])[])[]
}

/** Lengths of anchors. */
const LENGTHS = [32, 16, 8, 4, 2, 1]
/** Longer old texts end a run. */
const LONGEST = 4096
/** Places of one old text that are kept; more end a run. */
const MOST_PLACES = 256
/** Old texts with one anchor. Beyond it another piece of them is tried. */
const CROWD = 8
const PRIME = 0x01000193
const FILTER_BITS = 20

/** A part of the text that was replaced. */
interface Patch {
  readonly from: number
  readonly to: number
  readonly text: string
}

interface Anchored {
  readonly id: number
  readonly offset: number
}

/** Makes as many of the edits as it can, from the first on. Null: none, it would be no faster. */
export function runEdits(text: string, edits: readonly PlainEdit[]): Run | null {
  const long = edits.findIndex(({ oldText }) => oldText.length > LONGEST || oldText === '')
  const usable = long < 0 ? edits : edits.slice(0, long)
  if (usable.length === 0) return null
  const search = new Search(usable)
  const places = search.placesIn(text)
  if (places === null) return null
  return new Runner(text, usable, search, places).run()
}

class Runner {
  readonly #text: string
  readonly #edits: readonly PlainEdit[]
  readonly #search: Search
  readonly #places: readonly (readonly number[])[]
  /** What was replaced, by its first place and by the one behind its last. */
  readonly #begun = new Map<number, Patch>()
  readonly #ended = new Map<number, Patch>()
  /** 1: this character was replaced. */
  readonly #gone: Uint8Array
  readonly #newlines: BlockCounts
  /** Old texts that stand, or may stand, where something was written. */
  readonly #written = new Set<number>()

  constructor(text: string, edits: readonly PlainEdit[], search: Search, places: readonly (readonly number[])[]) {
    this.#text = text
    this.#edits = edits
    this.#search = search
    this.#places = places
    this.#gone = new Uint8Array(text.length)
    this.#newlines = new BlockCounts(text)
  }

  run(): Run {
    const lines: (readonly [number, number])[][] = []
    for (const [index, edit] of this.#edits.entries()) {
      const starts = this.#startsOf(index, edit)
      if (starts === null) break
      const spans: (readonly [number, number])[] = []
      // The lines are those that the edits before it left, so they are told before anything of it is made.
      for (const from of starts) {
        const first = this.#newlines.before(from) + 1
        spans.push([first, first + breaksIn(edit.oldText, edit.oldText.length - 1)])
      }
      for (const from of starts) this.#replace(from, edit)
      lines.push(spans)
      // What was written was not looked through to its end: nothing is certain any more.
      if (this.#search.isSpent) break
    }
    return { text: this.#whole(), done: lines.length, lines }
  }

  /** Where an edit is to be made; null when that is not certain. */
  #startsOf(index: number, { oldText, all }: PlainEdit): number[] | null {
    const id = this.#search.idOf(index)
    if (this.#written.has(id)) return null
    const known = this.#places[id] as readonly number[]
    if (known.length >= MOST_PLACES) return null
    const standing = known.filter((from) => this.#stands(from, oldText.length))
    if (!all) return standing.length === 1 ? standing : null
    const chosen: number[] = []
    for (const from of standing) if (from >= (chosen.at(-1) ?? -oldText.length) + oldText.length) chosen.push(from)
    return chosen.length === 0 ? null : chosen
  }

  #stands(from: number, length: number): boolean {
    for (let at = from; at < from + length; at += 1) if (this.#gone[at] === 1) return false
    return true
  }

  #replace(from: number, { oldText, newText }: PlainEdit): void {
    const to = from + oldText.length
    this.#gone.fill(1, from, to)
    this.#newlines.add(from, breaksIn(newText, newText.length) - breaksIn(oldText, oldText.length))
    const patch = this.#joined({ from, to, text: newText })
    this.#begun.set(patch.from, patch)
    this.#ended.set(patch.to, patch)
    const reach = this.#search.longest - 1
    const [left, middle, right] = [this.#before(patch, reach), patch.text, this.#behind(patch, reach)]
    this.#search.find(left + middle + right, (id, start, length) => {
      // What lies wholly beside it was there before.
      if (start + length > left.length && start < left.length + middle.length) this.#written.add(id)
    })
  }

  /** With those that it touches, if it or they add nothing: then no two that touch add nothing. */
  #joined(patch: Patch): Patch {
    let joined = patch
    const before = this.#ended.get(joined.from)
    if (before !== undefined && (before.text === '' || joined.text === '')) {
      this.#ended.delete(before.to)
      joined = { from: before.from, to: joined.to, text: before.text + joined.text }
    }
    const behind = this.#begun.get(joined.to)
    if (behind !== undefined && (behind.text === '' || joined.text === '')) {
      this.#begun.delete(behind.from)
      joined = { from: joined.from, to: behind.to, text: joined.text + behind.text }
    }
    return joined
  }

  /** Up to `reach` characters before a replaced part, as the text is now. */
  #before({ from }: Patch, reach: number): string {
    let found = ''
    for (let end = from; end > 0 && found.length < reach; ) {
      const left = reach - found.length
      const patch = this.#ended.get(end)
      if (patch !== undefined) {
        found = patch.text.slice(Math.max(0, patch.text.length - left)) + found
        end = patch.from
      } else {
        const low = Math.max(0, end - left)
        const start = low + this.#gone.subarray(low, end).lastIndexOf(1) + 1
        found = this.#text.slice(start, end) + found
        end = start
      }
    }
    return found
  }

  #behind({ to }: Patch, reach: number): string {
    let found = ''
    for (let start = to; start < this.#text.length && found.length < reach; ) {
      const left = reach - found.length
      const patch = this.#begun.get(start)
      if (patch !== undefined) {
        found += patch.text.slice(0, left)
        start = patch.to
      } else {
        const high = Math.min(this.#text.length, start + left)
        const hit = this.#gone.subarray(start, high).indexOf(1)
        const end = hit < 0 ? high : start + hit
        found += this.#text.slice(start, end)
        start = end
      }
    }
    return found
  }

  #whole(): string {
    const parts: string[] = []
    let at = 0
    for (const { from, to, text } of [...this.#begun.values()].sort((a, b) => a.from - b.from)) {
      parts.push(this.#text.slice(at, from), text)
      at = to
    }
    parts.push(this.#text.slice(at))
    return parts.join('')
  }
}

/** Looks for many texts at once. */
class Search {
  /** Characters of the longest of them. */
  readonly longest: number
  readonly #ids: readonly number[]
  readonly #texts: readonly string[]
  /** By length of the anchor: which texts have an anchor of that hash. */
  readonly #anchors: {
    readonly length: number
    readonly hashes: Map<number, Anchored[]>
    readonly filter: Uint8Array
  }[] = []
  /** How many candidates may still be looked at. */
  #budget = 0

  constructor(edits: readonly PlainEdit[]) {
    const ids = new Map<string, number>()
    this.#ids = edits.map(({ oldText }) => {
      const id = ids.get(oldText) ?? ids.size
      ids.set(oldText, id)
      return id
    })
    this.#texts = [...ids.keys()]
    this.longest = this.#texts.reduce((longest, { length }) => Math.max(longest, length), 0)
    for (const [id, text] of this.#texts.entries()) this.#anchor(id, text)
  }

  idOf(edit: number): number {
    return this.#ids[edit] as number
  }

  /** Was a search broken off, because too many pieces are the same? */
  get isSpent(): boolean {
    return this.#budget < 0
  }

  /** Where each text stands, in order, up to so many places; null when the search would take too long. */
  placesIn(text: string): number[][] | null {
    const places: number[][] = this.#texts.map(() => [])
    this.#budget = 4 * text.length + 64 * this.#texts.length
    this.find(text, (id, from) => {
      const own = places[id] as number[]
      if (own.length < MOST_PLACES) own.push(from)
    })
    return this.isSpent ? null : places
  }

  /** Calls `hit` for every place where one of the texts stands, unless the search is spent. */
  find(text: string, hit: (id: number, from: number, length: number) => void): void {
    for (const { length, hashes, filter } of this.#anchors) {
      if (text.length < length) continue
      const leaving = factor(length)
      let hash = hashAt(text, 0, length)
      for (let at = 0; ; at += 1) {
        if (filter[filterSlot(hash)] === 1) {
          for (const { id, offset } of hashes.get(hash) ?? []) {
            this.#budget -= 1
            if (this.#budget < 0) return
            const own = this.#texts[id] as string
            if (at < offset || !text.startsWith(own, at - offset)) continue
            hit(id, at - offset, own.length)
          }
        }
        if (at + length >= text.length) break
        hash =
          (Math.imul((hash - Math.imul(text.charCodeAt(at), leaving)) | 0, PRIME) + text.charCodeAt(at + length)) | 0
      }
    }
  }

  /** Chooses a piece of a text that few others have for theirs. */
  #anchor(id: number, text: string): void {
    const length = LENGTHS.find((each) => each <= text.length) as number
    let anchors = this.#anchors.find((each) => each.length === length)
    if (anchors === undefined) {
      anchors = { length, hashes: new Map(), filter: new Uint8Array(1 << FILTER_BITS) }
      this.#anchors.push(anchors)
    }
    const last = text.length - length
    let best = { hash: 0, offset: 0, crowd: Number.POSITIVE_INFINITY }
    for (const offset of new Set([0, last, last >> 1, last >> 2, last - (last >> 2)])) {
      const hash = hashAt(text, offset, length)
      const crowd = anchors.hashes.get(hash)?.length ?? 0
      if (crowd < best.crowd) best = { hash, offset, crowd }
      if (crowd < CROWD) break
    }
    const others = anchors.hashes.get(best.hash)
    if (others === undefined) anchors.hashes.set(best.hash, [{ id, offset: best.offset }])
    else others.push({ id, offset: best.offset })
    anchors.filter[filterSlot(best.hash)] = 1
  }
}

function filterSlot(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS)
}

function hashAt(text: string, at: number, length: number): number {
  let hash = 0
  for (let n = at; n < at + length; n += 1) hash = (Math.imul(hash, PRIME) + text.charCodeAt(n)) | 0
  return hash
}

/** The factor of the character that leaves the window. */
function factor(length: number): number {
  let product = 1
  for (let n = 1; n < length; n += 1) product = Math.imul(product, PRIME)
  return product
}

/** Line ends in the first `length` characters. */
function breaksIn(text: string, length: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < length; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

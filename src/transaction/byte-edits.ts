import type { HeldText } from '../content/held-text.ts'
import type { Splice } from '../content/splice.ts'
import type { TextEdit } from '../entry/entry.ts'

const BOM = [0xef, 0xbb, 0xbf] as const
const RETURN = 13
/** More places are left to `applyEdits`. */
const MOST_PLACES = 256

export interface ByteEdits {
  /** What comes where, in ascending order. */
  readonly splices: readonly Splice[]
  /** Of each edit: how many places. */
  readonly counts: readonly number[]
}

/**
 * The same as `applyEdits` on the bytes of a text that is UTF-8 without NUL, without making a string of it. Null where it is not as simple as that: the texts
 * overlap, line ends differ, or an edit is to be refused, which `applyEdits` knows how to say.
 */
export function byteEdits(held: HeldText, edits: readonly TextEdit[]): ByteEdits | null {
  const { bytes } = held
  const start = BOM.every((byte, at) => bytes[at] === byte) ? BOM.length : 0
  const splices: Splice[] = []
  const counts: number[] = []
  if (edits.some(({ oldText, newText }) => /[\r\n]/.test(oldText + newText)) && bytes.includes(RETURN)) return null
  for (const { oldText, newText, all } of edits) {
    if (oldText === '' || newText.includes('\0')) return null
    const wanted = Buffer.from(oldText)
    const places = placesOf(held, wanted, start, all === true)
    if (places === null || places.length === 0) return null
    // What an earlier edit brought, or took away, may be a part of this one.
    if (splices.length > 0 && isNear(bytes, splices, wanted, places)) return null
    const insert = Buffer.from(newText)
    for (const at of places) splices.push({ at, remove: wanted.byteLength, insert })
    counts.push(places.length)
  }
  return { splices: splices.sort((a, b) => a.at - b.at), counts }
}

/** Null: too many. */
function placesOf(text: HeldText, wanted: Buffer, start: number, all: boolean): number[] | null {
  const places: number[] = []
  // Where it must stand once, places that overlap are two; of all of them, those are replaced that begin behind the one before.
  const step = all ? wanted.byteLength : 1
  for (let at = text.find(wanted, start); at >= 0; at = text.find(wanted, at + step)) {
    places.push(at)
    if (places.length > (all ? MOST_PLACES : 1)) return null
  }
  return places
}

/** Would `wanted` be found elsewhere after the splices than before them? */
function isNear(bytes: Buffer, splices: readonly Splice[], wanted: Buffer, places: readonly number[]): boolean {
  const reach = wanted.byteLength
  for (const { at, remove, insert } of splices) {
    const end = at + remove
    if (places.some((place) => place < end + reach && place + reach > at - reach)) return true
    if (splices.some((other) => other.at !== at && other.at < end + reach && other.at + other.remove > at - reach))
      return true
    const around = Buffer.concat([
      bytes.subarray(Math.max(0, at - reach), at),
      insert,
      bytes.subarray(end, end + reach),
    ])
    if (around.includes(wanted)) return true
  }
  return false
}

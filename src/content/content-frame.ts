/** Payload of a content frame: file contents on their way into the log. */
import { asBytes, asInteger, asMap, asText, fromHex, pack, toHex, unpack } from '../entry/codec.ts'
import type { ContentHash } from '../entry/state.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import { type Delta, decodeDelta, encodeDelta } from './delta.ts'
import { malformedContent, pushVarint, VarintReader } from './varint.ts'

/** The content itself. */
export const RAW = 0
/** Zeros, as many as there were bytes: the content was erased. */
export const PURGED = 1
/** Compressed: see `compression.ts`. */
export const DEFLATED = 2
/** A change of another content: see `delta.ts`. */
export const CHANGED = 3

/** Does a record of this encoding have a content that this version can read? */
export function isHeld(encoding: number): boolean {
  return encoding === RAW || encoding === DEFLATED || encoding === CHANGED
}

/** A content that was erased, by the transaction of that number; 0: by none, it was lost. */
export interface Purged {
  readonly purgedBy: number
}

/** A content that a salvage found to be nowhere any more. */
export const LOST: Purged = Object.freeze({ purgedBy: 0 })

/** Where a content stands in the log. */
export interface ContentLocation {
  /** Of the content frame. */
  readonly position: Position
  /** Which of its contents. */
  readonly index: number
}

export interface ContentRecord {
  readonly hash: ContentHash
  readonly encoding: number
  readonly data: Uint8Array
}

/** Where the base of a change is: always something that was there before it, so that no chain of them can be a ring. */
export type BasePlace =
  | { readonly at: 'blob' }
  /** The same frame, with a smaller index. */
  | { readonly at: 'beside'; readonly index: number }
  | ({ readonly at: 'log' } & ContentLocation)

export interface ChangeRecord {
  readonly base: ContentHash
  readonly place: BasePlace
  /** How many changes after a content that is none, were none passed over. */
  readonly step: number
}

const HASH_BYTES = 32
const PLACES = ['blob', 'beside', 'log'] as const

/** MessagePack: a map of two, with the long head that `pack` gives every map, and its first key. */
const FIRST_KEY = Uint8Array.of(0xde, 0, 2, 0xa2, ...Buffer.from('tx'))
const SECOND_KEY = Uint8Array.of(0xa8, ...Buffer.from('contents'))
/** An array of any length, and a record without its data. */
const ARRAY_BYTES = 5
const RECORD_BYTES = 1 + 2 + HASH_BYTES + 1 + 5

/** What `pack` makes of `{ tx, contents: [[hash, encoding, data], …] }`, without a copy of the contents on the way. */
export function encodeContents(tx: string, contents: readonly ContentRecord[]): Uint8Array {
  // Of a later version: as long as it was, when it is only passed on.
  if (contents.some(({ encoding }) => encoding > 0x7f))
    return pack({ tx, contents: contents.map(({ hash, encoding, data }) => [fromHex(hash), encoding, data]) })
  const name = pack(tx)
  let size = FIRST_KEY.byteLength + name.byteLength + SECOND_KEY.byteLength + ARRAY_BYTES
  for (const { data } of contents) size += RECORD_BYTES + data.byteLength
  const target = Buffer.allocUnsafe(size)
  target.set(FIRST_KEY, 0)
  target.set(name, FIRST_KEY.byteLength)
  let at = FIRST_KEY.byteLength + name.byteLength
  target.set(SECOND_KEY, at)
  at = putHeader(target, at + SECOND_KEY.byteLength, contents.length, ARRAY)
  for (const { hash, encoding, data } of contents) {
    target[at] = 0x93
    target[at + 1] = 0xc4
    target[at + 2] = HASH_BYTES
    target.write(hash, at + 3, 'hex')
    target[at + 3 + HASH_BYTES] = encoding
    at = putHeader(target, at + 4 + HASH_BYTES, data.byteLength, BINARY)
    target.set(data, at)
    at += data.byteLength
  }
  return target.subarray(0, at)
}

/** First bytes of a length: below `short`, it stands in the first byte itself or in one byte more; then in two; then in four. */
const ARRAY = { own: 0x90, short: 16, two: 0xdc, four: 0xdd } as const
const BINARY = { own: null, short: 256, two: 0xc5, four: 0xc6 } as const

function putHeader(
  target: Buffer,
  at: number,
  length: number,
  { own, short, two, four }: typeof ARRAY | typeof BINARY,
) {
  if (length < short) {
    if (own !== null) {
      target[at] = own | length
      return at + 1
    }
    target[at] = 0xc4
    target[at + 1] = length
    return at + 2
  }
  if (length < 0x10000) {
    target[at] = two
    return target.writeUInt16BE(length, at + 1)
  }
  target[at] = four
  return target.writeUInt32BE(length, at + 1)
}

export function encodeChange({ base, place, step }: ChangeRecord, delta: Delta): Uint8Array {
  const head = [...fromHex(base)]
  pushVarint(head, PLACES.indexOf(place.at))
  if (place.at === 'log') {
    pushVarint(head, segmentOf(place.position))
    pushVarint(head, offsetOf(place.position))
  }
  if (place.at !== 'blob') pushVarint(head, place.index)
  pushVarint(head, step)
  return encodeDelta(head, delta)
}

/** The content that a record of the encoding `CHANGED` stands on. @throws JournalError `CORRUPT` */
export function baseOf(data: Uint8Array): ContentHash {
  if (data.byteLength < HASH_BYTES) throw malformedContent('it ends too early')
  return toHex(data.subarray(0, HASH_BYTES))
}

/** @throws JournalError `CORRUPT` */
export function decodeChange(data: Uint8Array): { readonly change: ChangeRecord; readonly delta: Delta } {
  const base = baseOf(data)
  const reader = new VarintReader(data, HASH_BYTES)
  const at = PLACES[reader.next()]
  if (at === undefined) throw malformedContent('its base is at no place known to this version')
  let place: BasePlace
  if (at === 'blob') place = { at }
  else if (at === 'beside') place = { at, index: reader.next() }
  else place = { at, position: positionFrom(reader), index: reader.next() }
  const step = reader.next()
  return { change: { base, place, step }, delta: decodeDelta(reader) }
}

function positionFrom(reader: VarintReader): Position {
  const segment = reader.next()
  const offset = reader.next()
  if (segment >= 2 ** 20 || offset >= 2 ** 32) throw malformedContent('its base is at no place')
  return positionOf(segment, offset)
}

/** What is erased, and what stands on it: records of changes of either go too. */
export interface ErasedContents {
  readonly hashes: ReadonlySet<ContentHash>
  /** Contents that are kept elsewhere, whole. */
  readonly standing: ReadonlySet<ContentHash>
}

/** Must a record go, so that nothing is left of what is erased, and nothing needs it? */
export function isErased({ hash, encoding, data }: ContentRecord, { hashes, standing }: ErasedContents): boolean {
  if (hashes.has(hash)) return encoding !== PURGED
  if (encoding !== CHANGED) return false
  const base = baseOf(data)
  return hashes.has(base) || standing.has(base)
}

/** The payload without what is to be erased; null when it has none of it. As long as before: every frame keeps its place. */
export function withoutContents(payload: Uint8Array, erased: ErasedContents): Uint8Array | null {
  const { tx, contents } = decodeContents(payload)
  const gone = contents.map((record) => isErased(record, erased))
  if (!gone.includes(true)) return null
  return encodeContents(
    tx,
    contents.map((record, index) =>
      gone[index] === true ? { ...record, encoding: PURGED, data: new Uint8Array(record.data.byteLength) } : record,
    ),
  )
}

export function decodeContents(payload: Uint8Array): {
  readonly tx: string
  readonly contents: readonly ContentRecord[]
} {
  const map = asMap(unpack(payload), 'content record')
  const list = Array.isArray(map.contents) ? map.contents : []
  return {
    tx: asText(map.tx, 'tx'),
    contents: list.map((item: unknown) => {
      const [hash, encoding, data] = Array.isArray(item) ? item : []
      return {
        hash: toHex(asBytes(hash, 32, 'content hash')),
        encoding: asInteger(encoding, 'encoding'),
        data: asBytes(data, 0, 'content data'),
      }
    }),
  }
}

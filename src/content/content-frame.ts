/** Payload of a content frame: file contents on their way into the log. */
import { asBytes, asInteger, asMap, asText, fromHex, pack, toHex, unpack } from '../entry/codec.ts'
import type { ContentHash } from '../entry/state.ts'
import type { Position } from '../log/position.ts'

/** The content itself. */
export const RAW = 0
/** Zeros, as many as there were bytes: the content was erased. */
export const PURGED = 1

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

export function encodeContents(tx: string, contents: readonly { hash: ContentHash; bytes: Uint8Array }[]): Uint8Array {
  return pack({ tx, contents: contents.map(({ hash, bytes }) => [fromHex(hash), RAW, bytes]) })
}

/** The payload with the contents of `hashes` erased; null when it has none of them. As long as before: every frame keeps its place. */
export function withoutContents(payload: Uint8Array, hashes: ReadonlySet<ContentHash>): Uint8Array | null {
  const { tx, contents } = decodeContents(payload)
  const erase = ({ hash, encoding }: ContentRecord) => encoding === RAW && hashes.has(hash)
  if (!contents.some(erase)) return null
  return pack({
    tx,
    contents: contents.map((record) =>
      erase(record)
        ? [fromHex(record.hash), PURGED, new Uint8Array(record.data.byteLength)]
        : [fromHex(record.hash), record.encoding, record.data],
    ),
  })
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

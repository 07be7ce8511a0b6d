/** Payload of a content frame: file contents on their way into the log. */
import { asBytes, asInteger, asMap, asText, fromHex, pack, toHex, unpack } from '../entry/codec.ts'
import type { ContentHash } from '../entry/state.ts'
import type { Position } from '../log/position.ts'

/** The content itself. */
export const RAW = 0

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

import { firstBadByte } from '../../edit/utf8.ts'
import type { FileType } from './file-type.ts'

/** Formats whose own definition says UTF-8. Others are read by their programs in other encodings too. */
const UTF8_ONLY: ReadonlySet<FileType> = new Set(['json', 'jsonc', 'jsonl', 'toml', 'yaml', 'go', 'rust'])

export interface DecodedText {
  readonly text: string
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin-1'
  readonly bom: boolean
}

/** Why bytes are no text of a type. */
export interface Undecodable {
  readonly problem: string
  /** Byte at which it shows. */
  readonly at: number
}

/** The text of a file, without its byte order mark. `type` null: any encoding will do. */
export function decode(bytes: Uint8Array, type: FileType | null): DecodedText | Undecodable {
  const [a, b, c] = bytes
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    const encoding = a === 0xff ? 'utf-16le' : 'utf-16be'
    if (type !== null && UTF8_ONLY.has(type)) return { problem: 'is in UTF-16, and must be in UTF-8', at: 0 }
    try {
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding, bom: true }
    } catch {
      return { problem: 'is not UTF-16 in spite of its byte order mark', at: 0 }
    }
  }
  const zero = bytes.indexOf(0)
  if (zero >= 0) return { problem: 'is binary: it has a zero byte', at: zero }
  const bom = a === 0xef && b === 0xbb && c === 0xbf
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf-8', bom }
  } catch {
    const at = firstBadByte(bytes)
    if (bom || type === null || UTF8_ONLY.has(type)) return { problem: 'is not UTF-8', at }
    return {
      text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
      encoding: 'latin-1',
      bom,
    }
  }
}

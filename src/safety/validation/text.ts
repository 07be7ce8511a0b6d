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

/** Ranges of the second byte where not every continuation will do: no overlong forms, no surrogates, nothing above U+10FFFF. */
const SECOND: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
}

/** Where the first character begins that UTF-8 does not have (RFC 3629, section 4). */
function firstBadByte(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.byteLength; ) {
    const lead = bytes[at] as number
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0
    if (length === 0) return at
    for (let index = 1; index < length; index += 1) {
      const [low, high] = (index === 1 ? SECOND[lead] : undefined) ?? [0x80, 0xbf]
      const byte = bytes[at + index] ?? 0
      if (byte < low || byte > high) return at
    }
    at += length
  }
  return bytes.byteLength
}

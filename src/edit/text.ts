import { JournalError, shown } from '../errors.ts'

/** Larger files are not edited as text: they would have to be held in memory. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024
/** Byte order mark. */
const BOM = '\ufeff'

/** Encodings of texts. All but the first are known by their byte order mark, or named by the caller. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'

export const ENCODINGS: readonly Encoding[] = ['utf-8', 'utf-16le', 'utf-16be', 'latin1']

/** The text of a file, and what else it takes to make the very same bytes of it. */
export interface SourceText {
  /** Without the byte order mark. */
  readonly text: string
  readonly encoding: Encoding
  readonly bom: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The text of a file, byte for byte recoverable by `encodeText`. The encoding is UTF-16 where a byte order mark says so, else UTF-8, unless the caller names one.
 * @throws JournalError `INVALID` for binary content and for files too large
 */
export function decodeText(bytes: Uint8Array, path: string, named?: Encoding): SourceText {
  checkTextSize(bytes.byteLength, path)
  const encoding = named ?? markedEncoding(bytes) ?? 'utf-8'
  const whole = decoded(bytes, encoding, path)
  if (whole.includes('\0')) throw binary(path, encoding)
  const bom = encoding !== 'latin1' && whole.startsWith(BOM)
  return { text: bom ? whole.slice(1) : whole, encoding, bom }
}

/** @throws JournalError `INVALID` */
export function checkTextSize(size: number, path: string): void {
  if (size <= MAX_TEXT_BYTES) return
  throw new JournalError('INVALID', `${path} has ${size} bytes, too many to edit as text`, {
    hint: `Write the new content as a stream; texts up to ${MAX_TEXT_BYTES} bytes can be edited.`,
    path,
  })
}

/** The bytes of a changed text in the form that the file had. @throws JournalError `INVALID` for a character that the encoding has not */
export function encodeText(
  text: string,
  { encoding, bom }: Pick<SourceText, 'encoding' | 'bom'>,
  path: string,
): Buffer {
  const whole = bom ? BOM + text : text
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(whole, 'utf8')
    case 'utf-16le':
      return Buffer.from(whole, 'utf16le')
    case 'utf-16be':
      return Buffer.from(whole, 'utf16le').swap16()
    case 'latin1':
      checkLatin1(whole, path)
      return Buffer.from(whole, 'latin1')
  }
}

/** @throws JournalError `INVALID` */
export function checkEncoding(named: Encoding | undefined): void {
  if (named === undefined || ENCODINGS.includes(named)) return
  throw new JournalError('INVALID', `${shown(named)} is no encoding that texts are known in here`, {
    hint: `Name one of ${ENCODINGS.join(', ')}; a byte order mark says UTF-16 by itself.`,
  })
}

function markedEncoding(bytes: Uint8Array): Encoding | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
}

function decoded(bytes: Uint8Array, encoding: Encoding, path: string): string {
  if (encoding === 'latin1') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (encoding === 'utf-8') {
    try {
      return utf8.decode(bytes)
    } catch (cause) {
      throw binary(path, encoding, cause)
    }
  }
  if (bytes.byteLength % 2 !== 0) throw binary(path, encoding)
  const pairs = Buffer.from(bytes)
  const text = (encoding === 'utf-16be' ? pairs.swap16() : pairs).toString('utf16le')
  if (!text.isWellFormed()) throw binary(path, encoding)
  return text
}

function binary(path: string, encoding: Encoding, cause?: unknown): JournalError {
  const name = encoding.toUpperCase()
  return new JournalError('INVALID', `${path} is not ${name} text`, {
    hint: 'Binary content cannot be edited as text: write the whole new content instead. If it is text in another encoding, name that.',
    path,
    cause,
  })
}

function checkLatin1(text: string, path: string): void {
  let line = 1
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 10) line += 1
    if (code <= 0xff) continue
    const character = String.fromCodePoint(text.codePointAt(at) as number)
    throw new JournalError('INVALID', `Latin-1 has no ${character}, which would stand in line ${line} of ${path}`, {
      hint: 'Use other characters, or write the file anew in UTF-8.',
      path,
      details: { line },
    })
  }
}

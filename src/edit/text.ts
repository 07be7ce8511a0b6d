import { JournalError, shown } from '../errors.ts'
import { lineAt } from './place.ts'
import { firstBadByte } from './utf8.ts'

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
  const zero = whole.indexOf('\0')
  if (zero >= 0)
    throw binary(path, `${path} is no text: a zero byte stands in line ${lineAt(whole, zero)}`, lineAt(whole, zero))
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

/**
 * The bytes of a changed text in the form that the file had.
 * @throws JournalError `INVALID` for a character that the encoding has not, and for U+0000: what has that is no text that could be edited again
 */
export function encodeText(
  text: string,
  { encoding, bom }: Pick<SourceText, 'encoding' | 'bom'>,
  path: string,
): Buffer {
  checkNoZero(text, path)
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
      const line = lineOfByte(bytes, firstBadByte(bytes))
      throw binary(path, `${path} is not UTF-8 text: see line ${line}`, line, cause)
    }
  }
  const name = encoding.toUpperCase()
  if (bytes.byteLength % 2 !== 0) throw binary(path, `${path} is not ${name} text: it has an odd number of bytes`)
  const pairs = Buffer.from(bytes)
  const text = (encoding === 'utf-16be' ? pairs.swap16() : pairs).toString('utf16le')
  if (!text.isWellFormed()) {
    const line = lineAt(text, firstHalf(text))
    throw binary(path, `${path} is not ${name} text: half a character stands in line ${line}`, line)
  }
  return text
}

/** Where half of a surrogate pair stands alone. */
function firstHalf(text: string): number {
  const whole = text.toWellFormed()
  let at = 0
  while (whole.charCodeAt(at) === text.charCodeAt(at)) at += 1
  return at
}

/** From 1. */
function lineOfByte(bytes: Uint8Array, end: number): number {
  let line = 1
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) line += 1
  return line
}

function binary(path: string, message: string, line?: number, cause?: unknown): JournalError {
  return new JournalError('INVALID', message, {
    hint: 'Binary content cannot be edited as text: write the whole new content instead. If it is text in another encoding, name that.',
    path,
    cause,
    ...(line === undefined ? {} : { details: { line } }),
  })
}

function checkNoZero(text: string, path: string): void {
  const zero = text.indexOf('\0')
  if (zero < 0) return
  const line = lineAt(text, zero)
  throw new JournalError('INVALID', `a zero byte would stand in line ${line} of ${path}, which would be no text then`, {
    hint: 'Leave U+0000 out, or write the whole new content.',
    path,
    details: { line },
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

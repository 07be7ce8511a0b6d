import { JournalError } from '../errors.ts'

/** Line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** Where the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  // Sought from before the start, it would be found at the start.
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the line of an offset ends, before its line ending. */
export function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset)
  if (at < 0) return text.length
  return at > offset && text[at - 1] === '\r' ? at - 1 : at
}

/** Where the line after the one of an offset begins; the end of the text when there is none. */
export function nextLine(text: string, offset: number): number {
  const at = text.indexOf('\n', offset)
  return at < 0 ? text.length : at + 1
}

/** The blanks at the start of the line of an offset. */
export function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? ''
}

/** Nothing but blanks before an offset on its line. */
export function startsLine(text: string, offset: number): boolean {
  return text.slice(lineStart(text, offset), offset).trim() === ''
}

/** The line ending of a text: of its first line that has one; `\n` when none has. */
export function newlineOf(text: string): string {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

/** `INVALID` that names a file and a line; both are part of its JSON form. */
export function invalidAt(path: string, text: string, offset: number, what: string, hint: string): JournalError {
  return invalidLine(path, lineAt(text, offset), what, hint)
}

export function invalidLine(path: string, line: number, what: string, hint: string): JournalError {
  return new JournalError('INVALID', `${path}, line ${line}: ${what}`, { hint, path, details: { line } })
}

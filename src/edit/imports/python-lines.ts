import type { JournalError } from '../../errors.ts'
import { invalidAt } from '../place.ts'

/** One statement at the start of a logical line, or after a semicolon in it. */
export interface PythonStatement {
  readonly from: number
  /** Without a comment after it. */
  readonly to: number
  /** Columns of blanks before the line. */
  readonly indent: number
  /** Shares its line with others. */
  readonly shared: boolean
}

const PREFIX = /(?:[rR][bBfFtT]?|[bBfFtT][rR]?|[uU])?$/

/**
 * The statements of a Python file, by what the language says of lines: brackets, strings and backslashes join them.
 * @throws JournalError `INVALID` with the line of a string or a bracket without an end
 */
export function pythonStatements(text: string, path: string): PythonStatement[] {
  const statements: PythonStatement[] = []
  const open: number[] = []
  let parts: { from: number; to: number }[] = []
  let indent = 0
  let from = -1
  let to = -1
  const refused = (offset: number, what: string): JournalError =>
    invalidAt(path, text, offset, `this is not Python: ${what}`, 'Correct the file first, as text.')
  const endPart = (): void => {
    if (from >= 0) parts.push({ from, to })
    from = -1
  }
  const endLine = (): void => {
    endPart()
    for (const part of parts) statements.push({ ...part, indent, shared: parts.length > 1 })
    parts = []
  }
  for (let at = 0; at < text.length; ) {
    const char = text[at] as string
    if (char === '\n') {
      if (open.length === 0) endLine()
      at += 1
    } else if (char === '#') {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else if (char === '\\' && /^\\\r?\n/.test(text.slice(at, at + 3))) {
      at = text.indexOf('\n', at) + 1
    } else if (char === ';' && open.length === 0) {
      endPart()
      at += 1
    } else if (/\s/.test(char)) at += 1
    else {
      if (from < 0) {
        from = at
        if (parts.length === 0) indent = at - (text.lastIndexOf('\n', at - 1) + 1)
      }
      if (char === '"' || char === "'") {
        const end = afterString(text, at)
        if (end === undefined) throw refused(at, 'a string without an end')
        at = end
      } else {
        if ('([{'.includes(char)) open.push(at)
        else if (')]}'.includes(char) && open.pop() === undefined) throw refused(at, `a ${char} that closes nothing`)
        at += 1
      }
      to = at
    }
  }
  const unclosed = open.at(-1)
  if (unclosed !== undefined) throw refused(unclosed, `a ${text[unclosed]} that nothing closes`)
  endLine()
  return statements
}

/** Where a string ends that begins with this quote. */
function afterString(text: string, start: number): number | undefined {
  const quote = text[start] as string
  const triple = text.startsWith(quote.repeat(3), start)
  const mark = triple ? quote.repeat(3) : quote
  const prefix = PREFIX.exec(text.slice(Math.max(0, start - 2), start))?.[0].toLowerCase() ?? ''
  const formatted = /[ft]/.test(prefix)
  for (let at = start + mark.length; at < text.length; at += 1) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (text.startsWith(mark, at)) return at + mark.length
    else if (char === '\n' && !triple) return undefined
    else if (formatted && char === '{') {
      if (text[at + 1] === '{') at += 1
      else {
        const end = afterField(text, at + 1, mark)
        if (end === undefined) return undefined
        at = end - 1
      }
    }
  }
  return undefined
}

/** Where a field `{…}` of a formatted string ends: since Python 3.12 it may hold strings of the same quotes. */
function afterField(text: string, start: number, mark: string): number | undefined {
  let depth = 1
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] as string
    if ('([{'.includes(char)) depth += 1
    else if (')]}'.includes(char)) {
      depth -= 1
      if (depth === 0) return at + 1
    } else if (char === '"' || char === "'") {
      const end = afterString(text, at)
      // An older file: the quote that ends the whole string, after a brace that is none.
      if (end === undefined) return text.startsWith(mark, at) ? at : undefined
      at = end - 1
    } else if (char === '\n' && mark.length === 1) return undefined
  }
  return undefined
}

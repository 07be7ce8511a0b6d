import { JournalError } from '../errors.ts'
import { invalidAt } from './place.ts'

/** Brackets, or blocks, inside of each other. What people write has a tenth of it. */
const MAX_LEVELS = 400
const MARK = /["'`[\](){}]/g
const INDENTED = /^( *)((?:[-?] +)*)(?=\S)/gm

/**
 * Parsers call themselves for every level. At the end of the stack not all that they do then can be caught, so what is nested deeper than anybody writes is
 * refused before: brackets outside of what is in quotes on a line, and, with `blocks`, lines indented deeper and deeper.
 * @throws JournalError `INVALID` with the line
 */
export function checkNesting(text: string, path: string, blocks = false): void {
  const deep = (offset: number): JournalError =>
    invalidAt(path, text, offset, `it is nested too deeply, more than ${MAX_LEVELS} levels`, 'Change it as text.')
  let depth = 0
  let lineEnd = -1
  /** Quotes that nothing more closes, with the end of that line. */
  const unclosed = new Map<string, number>()
  MARK.lastIndex = 0
  for (let found = MARK.exec(text); found !== null; found = MARK.exec(text)) {
    const [mark] = found
    if ('[({'.includes(mark)) depth += 1
    else if ('])}'.includes(mark)) depth = Math.max(0, depth - 1)
    else {
      // Sought once a line: a line may be all of the file.
      if (lineEnd < found.index) lineEnd = text.indexOf('\n', found.index)
      if (lineEnd < 0) lineEnd = text.length
      if (unclosed.get(mark) === lineEnd) continue
      const after = afterQuoted(text, found.index, mark, lineEnd)
      if (after === found.index + 1) unclosed.set(mark, lineEnd)
      MARK.lastIndex = after
    }
    if (depth > MAX_LEVELS) throw deep(found.index)
  }
  if (!blocks) return
  const columns: number[] = []
  for (const { 1: blanks = '', 2: dashes = '', index } of text.matchAll(INDENTED)) {
    while ((columns.at(-1) ?? -1) >= blanks.length) columns.pop()
    columns.push(blanks.length)
    if (columns.length + dashes.length / 2 > MAX_LEVELS) throw deep(index)
  }
}

/** Behind a text in quotes that ends before `lineEnd`; else behind its first quote, which may be an apostrophe. */
function afterQuoted(text: string, start: number, quote: string, lineEnd: number): number {
  for (let end = text.indexOf(quote, start + 1); end >= 0 && end < lineEnd; end = text.indexOf(quote, end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return end + 1
  }
  return start + 1
}

/**
 * Runs what reads a text by its structure. A text that is nested so deep that no stack holds it is refused, like any that cannot be read.
 * @throws JournalError `INVALID`
 */
export async function withinStack<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RangeError && /call stack/.test(error.message))) throw error
    throw new JournalError('INVALID', `${path} is nested too deeply to be read`, {
      hint: 'Change it as text.',
      path,
      cause: error,
    })
  }
}

import type { TextEdit } from '../entry/entry.ts'
import { JournalError, shown } from '../errors.ts'

/** How alike a line must be to be named as a likely one. */
const LIKELY = 0.5

/** How the text of an edit was found. */
export type Matching = 'exact' | 'line ends' | 'trailing blanks' | 'indentation'

/** How one edit was made. */
export interface EditMatch {
  readonly matching: Matching
  /** First and last line of each place, from 1, in the text as the edits before it left it. */
  readonly lines: readonly (readonly [from: number, to: number])[]
}

export interface Edited {
  readonly text: string
  readonly edits: readonly EditMatch[]
}

/** The line ending of a text: of the first line that has one; `\n` when none has. */
function lineEnding(text: string): string {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

function count(text: string, part: string): number {
  let found = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found += 1
  return found
}

/** Line numbers, from 1, at which `part` begins in `text`. */
function lineNumbers(text: string, part: string): number[] {
  const lines: number[] = []
  let line = 1
  let seen = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    for (; seen < at; seen += 1) if (text.charCodeAt(seen) === 10) line += 1
    lines.push(line)
  }
  return lines
}

/** Share of the words of two lines that they have in common, 0 to 1. */
function likeness(a: string, b: string): number {
  const words = new Set(a.split(/\W+/).filter(Boolean))
  const others = new Set(b.split(/\W+/).filter(Boolean))
  if (words.size === 0 || others.size === 0) return a.trim() === b.trim() ? 1 : 0
  let common = 0
  for (const word of words) if (others.has(word)) common += 1
  return (2 * common) / (words.size + others.size)
}

function likelyLines(text: string, wanted: string): { line: number; text: string }[] {
  const first = wanted.split('\n').find((line) => line.trim() !== '') ?? ''
  return text
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: line.slice(0, 200), score: likeness(line, first) }))
    .filter(({ score }) => score >= LIKELY)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ line, text: found }) => ({ line, text: found.trimEnd() }))
}

/** The form in which `wanted` stands in `text`: as it is or, where the file has CRLF and the caller wrote LF, with CRLF. */
function inFileForm(text: string, wanted: string): string {
  if (wanted.includes('\n') && !wanted.includes('\r') && lineEnding(text) === '\r\n')
    return wanted.replaceAll('\n', '\r\n')
  return wanted
}

/**
 * Applies edits in order. The file keeps its byte order mark and line endings: where the file has CRLF and an edit was written with LF,
 * both its texts are taken with CRLF.
 * @throws JournalError `INVALID` with the count and the nearest likely lines
 */
export function applyEdits(content: string, edits: readonly TextEdit[], path: string): Edited {
  let text = content
  const matches: EditMatch[] = []
  for (const [index, edit] of edits.entries()) {
    const which = edits.length === 1 ? '' : ` (edit ${index + 1} of ${edits.length})`
    if (edit.oldText === '') {
      throw new JournalError('INVALID', `the text to replace in ${path} is empty${which}`, {
        hint: 'Name the text to replace; to add text at the end, append.',
        path,
      })
    }
    const exact = count(text, edit.oldText)
    const oldText = exact > 0 ? edit.oldText : inFileForm(text, edit.oldText)
    const newText = inFileForm(text, edit.newText)
    const found = exact > 0 ? exact : oldText === edit.oldText ? 0 : count(text, oldText)
    if (found === 0) {
      const likely = likelyLines(text, edit.oldText)
      const near = likely.map(({ line, text: likelyText }) => `line ${line}: ${likelyText}`).join('; ')
      throw new JournalError('INVALID', `the text to replace does not stand in ${path}${which}`, {
        hint: near === '' ? 'Read the file again and copy the text exactly.' : `Nearest: ${near}`,
        path,
        details: { count: 0, likely },
      })
    }
    if (found > 1 && edit.all !== true) {
      const lines = lineNumbers(text, oldText)
      throw new JournalError('INVALID', `the text to replace stands ${found} times in ${path}${which}`, {
        hint: `It stands at lines ${lines.slice(0, 10).join(', ')}. Give more of the text around it, or ask for all.`,
        path,
        details: { count: found, lines },
      })
    }
    matches.push({ matching: exact > 0 ? 'exact' : 'line ends', lines: [] })
    text = edit.all === true ? text.replaceAll(oldText, () => newText) : text.replace(oldText, () => newText)
  }
  return { text, edits: matches }
}

/** A lone surrogate has no form in UTF-8: neither the file nor the log could hold it. */
function isWords(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

/** @throws JournalError `INVALID` */
export function checkPatch(path: string, patch: string): string {
  if (isWords(patch)) return patch
  throw new JournalError('INVALID', `the patch for ${shown(path)} is no well-formed text`, {
    hint: 'Give a unified diff of one file.',
    path,
  })
}

/** @throws JournalError `INVALID` */
export function checkEdits(path: string, edits: readonly TextEdit[]): readonly TextEdit[] {
  const valid =
    Array.isArray(edits) && edits.length > 0 && edits.every((edit) => isWords(edit?.oldText) && isWords(edit.newText))
  if (!valid) {
    throw new JournalError(
      'INVALID',
      `the edits for ${shown(path)} are not a list of { oldText, newText } in well-formed text`,
      {
        hint: 'Give at least one edit with both texts.',
        path,
      },
    )
  }
  return edits.map(({ oldText, newText, all }) => Object.freeze({ oldText, newText, ...(all === true ? { all } : {}) }))
}

/**
 * Edits as the reference filesystem server makes them: the first place where a text stands, else the first lines that are the same but for blanks around
 * them. Unlike there, lines that no edit touches stay byte for byte, their ends included, and new lines end as their neighbours do.
 */
import { createTwoFilesPatch } from 'diff'
import { applyEdits } from '../../edit/edits.ts'
import { lineEndAt } from '../../edit/lines.ts'
import { decodeText, encodeText } from '../../edit/text.ts'
import type { TextEdit } from '../../entry/entry.ts'

export interface ReferenceEdit {
  readonly oldText: string
  readonly newText: string
}

export interface EditedFile {
  /** In a fence that nothing in it can end. */
  readonly diff: string
  readonly bytes: Buffer
  readonly changed: boolean
  /** The same as edits that the history understands, where they are that simple. */
  readonly edits: readonly TextEdit[] | null
}

/** @throws Error `Could not find exact match for edit` · JournalError `INVALID` for what is no text */
export function editAsReference(bytes: Uint8Array, path: string, edits: readonly ReferenceEdit[]): EditedFile {
  const { text: bare, encoding, bom } = decodeText(bytes, path)
  const mark = bom ? '\ufeff' : ''
  const before = mark + bare
  let text = before
  const simple: TextEdit[] = []
  for (const edit of edits) {
    const oldText = plain(edit.oldText)
    const normalized = plain(text)
    const place = exactPlace(normalized, oldText, plain(edit.newText)) ?? lenientPlace(normalized, oldText, edit)
    if (place === null) throw new Error(`Could not find exact match for edit:\n${edit.oldText}`)
    const from = originalOffset(text, place.from)
    const to = originalOffset(text, place.to)
    const fresh = lineEndAt(text, from) === '\r\n' ? place.text.replaceAll('\n', '\r\n') : place.text
    simple.push({ oldText: text.slice(from, to), newText: fresh })
    text = text.slice(0, from) + fresh + text.slice(to)
  }
  return {
    diff: fenced(createTwoFilesPatch(path, path, plain(before), plain(text), 'original', 'modified')),
    bytes: encodeText(text, { encoding, bom: false }, path),
    changed: text !== before,
    edits: understood(bare, simple, path) === text.slice(mark.length) ? simple : null,
  }
}

function plain(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

interface Replacement {
  readonly from: number
  readonly to: number
  readonly text: string
}

function exactPlace(content: string, oldText: string, newText: string): Replacement | null {
  const from = content.indexOf(oldText)
  return from < 0 ? null : { from, to: from + oldText.length, text: newText }
}

function lenientPlace(content: string, oldText: string, edit: ReferenceEdit): Replacement | null {
  const asked = oldText.split('\n')
  const wanted = asked.map((line) => line.trim())
  const lines = content.split('\n')
  const at = lines.findIndex((_, index) => wanted.every((line, offset) => lines[index + offset]?.trim() === line))
  if (at < 0) return null
  const from = lines.slice(0, at).reduce((sum, line) => sum + line.length + 1, 0)
  const found = lines.slice(at, at + asked.length).join('\n')
  const indent = blanksBefore(lines[at] as string)
  const fresh = plain(edit.newText)
    .split('\n')
    .map((line, index) => {
      if (index === 0) return indent + line.trimStart()
      const [old, own] = [blanksBefore(asked[index] ?? ''), blanksBefore(line)]
      if (old === '' || own === '') return line
      return indent + ' '.repeat(Math.max(0, own.length - old.length)) + line.trimStart()
    })
  return { from, to: from + found.length, text: fresh.join('\n') }
}

function blanksBefore(line: string): string {
  return /^\s*/.exec(line)?.[0] ?? ''
}

/** Where a place of the text with plain line ends lies in the text as it is. */
function originalOffset(text: string, offset: number): number {
  let skipped = 0
  for (let at = text.indexOf('\r\n'); at >= 0 && at - skipped < offset; at = text.indexOf('\r\n', at + 2)) skipped += 1
  return offset + skipped
}

function understood(text: string, edits: readonly TextEdit[], path: string): string | null {
  if (edits.some(({ oldText }) => oldText === '')) return null
  try {
    return applyEdits(text, edits, path).text
  } catch {
    return null
  }
}

function fenced(diff: string): string {
  let fence = '```'
  while (diff.includes(fence)) fence += '`'
  return `${fence}diff\n${diff}${fence}\n\n`
}

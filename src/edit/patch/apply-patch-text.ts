/** The `apply_patch` format: files to add, delete and update between two marks, hunks that are found by their lines alone. */
import { JournalError } from '../../errors.ts'
import type { FilePatch, Hunk, PatchLine } from './file-patch.ts'

const BEGIN = '*** Begin Patch'
const END = '*** End Patch'
const END_OF_FILE = '*** End of File'
const HEADER = /^\*\*\* (Add|Delete|Update) File: (.+)$/
const MOVE = /^\*\*\* Move to: (.+)$/
const HEREDOC = /^(?:apply_patch\s+|cat\s+)?<<-?\s*(['"]?)(\w+)\1$/

/** Is a text meant to be one of these? */
export function isApplyPatch(text: string): boolean {
  const lines = text.trimStart().split('\n', 2)
  return lines.some((line) => line.trim() === BEGIN)
}

/** @throws JournalError `INVALID` with the line */
export function readApplyPatch(patch: string): FilePatch[] {
  const reader = new Reader(patch)
  const files: FilePatch[] = []
  for (let line = reader.peek(); line !== null; line = reader.peek()) files.push(fileOf(reader))
  if (files.length === 0) throw new JournalError('INVALID', 'No files were modified.', { hint: 'The patch is empty.' })
  return files
}

/** The lines between the two marks. */
class Reader {
  readonly #lines: readonly string[]
  readonly #end: number
  #at: number

  constructor(patch: string) {
    const lines = patch.replaceAll('\r\n', '\n').split('\n')
    let begin = lines.findIndex((line) => line.trim() !== '')
    let end = lines.findLastIndex((line) => line.trim() !== '')
    const [, , word] = HEREDOC.exec(lines[begin]?.trim() ?? '') ?? []
    if (word !== undefined && lines[end]?.trim() === word && end > begin) {
      begin += 1
      end -= 1
    }
    if (lines[begin]?.trim() !== BEGIN) throw unmarked('first', BEGIN, Math.max(begin, 0) + 1)
    if (end <= begin || lines[end]?.trim() !== END) throw unmarked('last', END, end + 1)
    this.#lines = lines
    this.#at = begin + 1
    this.#end = end
  }

  /** The next line, without taking it; null behind the last. */
  peek(): string | null {
    return this.#at < this.#end ? (this.#lines[this.#at] as string) : null
  }

  take(): string {
    const line = this.#lines[this.#at] as string
    this.#at += 1
    return line
  }

  /** Of the next line, from 1. */
  get number(): number {
    return this.#at + 1
  }

  /** Lines from one number up to the next line, as they stand in the patch. */
  since(number: number): string {
    return this.#lines.slice(number - 1, this.#at).join('\n')
  }

  isOver(): boolean {
    const line = this.peek()
    return line === null || HEADER.test(line.trim())
  }
}

function fileOf(reader: Reader): FilePatch {
  const patchLine = reader.number
  const header = reader.take().trim()
  const [, kind, path = ''] = HEADER.exec(header) ?? []
  switch (kind) {
    case 'Add': {
      const added: string[] = []
      while (!reader.isOver()) {
        const line = reader.take()
        if (!line.startsWith('+'))
          throw invalidHunk(reader.number - 1, `'${line}' is no line to add: those begin with +`)
        added.push(`${line.slice(1)}\n`)
      }
      return { change: 'add', path, content: added.join(''), hunks: [], patchLine, said: reader.since(patchLine) }
    }
    case 'Delete':
      if (!reader.isOver()) throw invalidHunk(reader.number, 'nothing can follow the deletion of a file')
      return { change: 'delete', path, hunks: [], patchLine, said: reader.since(patchLine) }
    case 'Update':
      return updated(reader, path, patchLine)
    default:
      throw invalidHunk(
        patchLine,
        `'${header}' is not a valid hunk header. Valid hunk headers: '*** Add File: {path}', '*** Delete File: {path}', '*** Update File: {path}'`,
      )
  }
}

function updated(reader: Reader, path: string, patchLine: number): FilePatch {
  const [, to] = MOVE.exec(reader.peek()?.trim() ?? '') ?? []
  if (to !== undefined) reader.take()
  const hunks: Hunk[] = []
  while (!reader.isOver()) {
    if (reader.peek()?.trim() === '' && hunks.length > 0) reader.take()
    else hunks.push(hunkOf(reader, hunks.length === 0))
  }
  if (hunks.length === 0 && to === undefined)
    throw invalidHunk(patchLine, `Update file hunk for path '${path}' is empty`)
  const moved = to === undefined || to === path ? {} : { to }
  return { change: 'update', path, ...moved, hunks, patchLine, said: reader.since(patchLine) }
}

function hunkOf(reader: Reader, isFirst: boolean): Hunk {
  const patchLine = reader.number
  const anchors: string[] = []
  let marked = false
  while (!reader.isOver() && /^@@(?: |$)/.test(reader.peek()?.trimEnd() ?? '')) {
    const anchor = reader.take().slice(3)
    marked = true
    if (anchor.trim() !== '') anchors.push(anchor)
  }
  if (!marked && !isFirst) {
    throw invalidHunk(patchLine, `Expected update hunk to start with a @@ context marker, got: '${reader.peek()}'`)
  }
  const lines: PatchLine[] = []
  let atEnd = false
  while (!reader.isOver() && !atEnd && !reader.peek()?.startsWith('@@')) {
    const line = reader.take()
    const sign = line[0] ?? ' '
    if (line.trim() === END_OF_FILE) atEnd = true
    else if (sign === ' ' || sign === '-' || sign === '+') lines.push({ sign, text: line.slice(1) })
    else if (lines.length > 0 && line.startsWith('***')) throw invalidHunk(reader.number - 1, `'${line}' is no mark`)
    else {
      throw invalidHunk(
        reader.number - 1,
        `Unexpected line found in update hunk: '${line}'. Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)`,
      )
    }
  }
  if (lines.length === 0) throw invalidHunk(patchLine, 'Update hunk does not contain any lines')
  return { patchLine, at: null, anchors, lines, atEnd }
}

function unmarked(which: string, mark: string, line: number): JournalError {
  return new JournalError('INVALID', `Invalid patch: The ${which} line of the patch must be '${mark}'`, {
    hint: `Begin with '${BEGIN}' and end with '${END}', each on a line of its own.`,
    details: { line },
  })
}

function invalidHunk(line: number, message: string): JournalError {
  return new JournalError('INVALID', `Invalid patch hunk on line ${line}: ${message}`, {
    hint: "Lines of an update begin with ' ', '-' or '+'; those of a new file with '+'.",
    details: { line },
  })
}

/** Unified diffs, of one file or of many, with the headers that git writes. */
import type { StructuredPatch, StructuredPatchHunk } from 'diff'
import { JournalError } from '../../errors.ts'
import type { FilePatch, Hunk, PatchLine } from './file-patch.ts'

const NOTHING = '/dev/null'
const REGULAR = /^100([0-7]{3})$/
/** The end of a mail: git's version below a line of its own. */
const SIGNATURE = /^-- ?\n(?=\d+\.\d[^\n]*\n?)/gm

export interface UnifiedOptions {
  /** Names to leave out at the beginning of each path. Default: `a/` and `b/`, where both sides have them. */
  readonly strip?: number | undefined
}

/** @throws JournalError `INVALID` with the line, for what is no unified diff, or names what is not a file */
export async function readUnified(patch: string, options: UnifiedOptions = {}): Promise<FilePatch[]> {
  const text = withoutCarriage(patch)
  if (/^GIT binary patch$/m.test(text)) throw refused(lineOf(text, /^GIT binary patch$/m), 'a binary patch is no text')
  const { formatPatch, parsePatch } = await import('diff')
  const parsed = parse(parsePatch, text)
  const headers = headerLines(text)
  const files: FilePatch[] = []
  for (const file of parsed) {
    // Prose before the first header, or behind the last hunk.
    if (file.oldFileName === undefined && file.hunks.length === 0) continue
    const hunks = file.hunks.map((hunk) => hunkOf(hunk, headers.shift() ?? 1))
    const patchLine = hunks[0]?.patchLine ?? 1
    files.push(filePatch(file, hunks, { patchLine, said: () => formatPatch(file), options }))
  }
  if (files.length > 0) return files
  throw refused(1, 'there is nothing in it that could be applied')
}

function parse(parsePatch: (text: string) => StructuredPatch[], text: string): StructuredPatch[] {
  try {
    return parsePatch(text)
  } catch (cause) {
    try {
      return parsePatch(text.replace(SIGNATURE, '\n'))
    } catch {
      const message = cause instanceof Error ? cause.message : String(cause)
      const [, line] = /line (\d+)/.exec(message) ?? []
      throw refused(line === undefined ? 1 : Number(line), message, cause)
    }
  }
}

/** A patch that was itself given CRLF line ends, headers and all. */
function withoutCarriage(patch: string): string {
  return /\r\n/.test(patch) && !/(?:^|[^\r])\n/.test(patch) ? patch.replaceAll('\r\n', '\n') : patch
}

/** Lines of the hunks' headers, from 1, in order. */
function headerLines(text: string): number[] {
  const found: number[] = []
  for (const [index, line] of text.split('\n').entries()) if (/^@@\s/.test(line)) found.push(index + 1)
  return found
}

function lineOf(text: string, mark: RegExp): number {
  return text.slice(0, text.search(mark)).split('\n').length
}

function hunkOf({ oldStart, lines }: StructuredPatchHunk, patchLine: number): Hunk {
  if (!Number.isSafeInteger(oldStart) || lines.length === 0)
    throw refused(patchLine, 'a hunk without a place, or without lines')
  const made: PatchLine[] = []
  for (const line of lines) {
    const last = made.at(-1)
    if (line.startsWith('\\')) {
      if (last !== undefined) made[made.length - 1] = { ...last, unended: true }
    } else made.push({ sign: (line[0] ?? ' ') as PatchLine['sign'], text: line.slice(1) })
  }
  return { patchLine, at: oldStart, anchors: [], lines: withEnds(made), atEnd: false }
}

/** Lines that all end with CR are those of a file with CRLF; where only some do, the patch tells both apart. */
function withEnds(lines: readonly PatchLine[]): PatchLine[] {
  const ended = lines.filter(({ unended }) => !unended)
  const carriages = ended.filter(({ text }) => text.endsWith('\r')).length
  if (carriages === 0) return [...lines]
  return lines.map((line) => {
    const hasOne = line.text.endsWith('\r')
    const bare = hasOne && !line.unended ? { ...line, text: line.text.slice(0, -1) } : line
    if (carriages === ended.length || line.unended) return bare
    return { ...bare, end: hasOne ? '\r\n' : '\n' }
  })
}

interface About {
  readonly patchLine: number
  readonly said: () => string
  readonly options: UnifiedOptions
}

function filePatch(file: StructuredPatch, hunks: readonly Hunk[], about: About): FilePatch {
  const { patchLine, options } = about
  const [from, to] = namesOf(file, options)
  const mode = modeOf(file.newMode, patchLine)
  modeOf(file.oldMode, patchLine)
  if (file.isBinary) throw refused(patchLine, `${to ?? from} is a binary file there`)
  const said = about.said()
  const moded = mode === undefined || mode === modeOf(file.oldMode, patchLine) ? {} : { mode }
  if (from === null || file.isCreate) {
    const path = to ?? from
    if (path === null) throw refused(patchLine, 'neither side names a file')
    return { change: 'add', path, ...moded, content: contentOf(file.hunks), hunks, patchLine, said }
  }
  if (to === null || file.isDelete) return { change: 'delete', path: from, hunks, patchLine, said }
  if (!(file.isRename || file.isCopy)) return { change: 'update', path: to, ...moded, hunks, patchLine, said }
  const copies = file.isCopy ? { copies: true as const } : {}
  return { change: 'update', path: from, to, ...copies, ...moded, hunks, patchLine, said }
}

/** The names of both sides; null: nothing there. */
function namesOf(file: StructuredPatch, { strip }: UnifiedOptions): [string | null, string | null] {
  const [old, fresh] = [file.oldFileName ?? '', file.newFileName ?? '']
  const prefixed =
    strip === undefined && (old === NOTHING || old.startsWith('a/')) && (fresh === NOTHING || fresh.startsWith('b/'))
  const bare = (name: string): string | null => {
    if (name === NOTHING) return null
    if (prefixed) return name.slice(2)
    return strip === undefined ? name : name.split('/').slice(strip).join('/')
  }
  return [bare(old), bare(fresh)]
}

function modeOf(mode: string | undefined, line: number): number | undefined {
  if (mode === undefined) return undefined
  const [, bits] = REGULAR.exec(mode) ?? []
  if (bits === undefined) throw refused(line, `mode ${mode} is not that of a file`)
  return Number.parseInt(bits, 8)
}

/** A new file is what its lines say, a CR at their ends included. */
function contentOf(hunks: readonly StructuredPatchHunk[]): string {
  const parts: string[] = []
  for (const { lines } of hunks) {
    for (const [index, line] of lines.entries()) {
      if (line.startsWith('+')) parts.push(line.slice(1), lines[index + 1]?.startsWith('\\') ? '' : '\n')
    }
  }
  return parts.join('')
}

function refused(line: number, message: string, cause?: unknown): JournalError {
  return new JournalError('INVALID', `line ${line} of the patch: ${message}`, {
    hint: 'Give a unified diff as diff -u or git diff write it.',
    details: { line },
    cause,
  })
}

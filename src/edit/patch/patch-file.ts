import { JournalError } from '../../errors.ts'
import { lineEndAt } from '../lines.ts'
import type { FilePatch, HunkConflict, HunkMatch, PatchFormat } from './file-patch.ts'
import { applyHunks } from './hunks.ts'
import { readUnified } from './unified.ts'

const BOM = '\ufeff'
/** Conflicts that a hint shows. */
const SHOWN = 3

export interface PatchedText {
  readonly text: string
  readonly hunks: readonly HunkMatch[]
}

/**
 * Puts the hunks for one file into its text. `text`: without a byte order mark.
 * @throws JournalError `CONFLICT` that names every hunk that does not fit
 */
export function patchText(text: string, file: FilePatch, format: PatchFormat, path: string): PatchedText {
  const marked = file.hunks[0]?.lines.some(({ text: line }) => line.startsWith(BOM)) === true
  const { text: patched, hunks, conflicts } = applyHunks(marked ? BOM + text : text, file.hunks, format)
  if (conflicts.length > 0) throw conflictError(path, file.hunks.length, conflicts)
  const whole = format === 'apply_patch' ? withLastEnd(patched) : patched
  return { text: marked && whole.startsWith(BOM) ? whole.slice(1) : whole, hunks }
}

/** `apply_patch` ends every file that it updates with a line end. */
function withLastEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : text + lineEndAt(text, text.length)
}

/**
 * Applies a unified diff of one file to its text, whatever names the diff has.
 * @throws JournalError `INVALID` for what is none, `CONFLICT` when it does not fit
 */
export async function patchOneFile(text: string, patch: string, path: string): Promise<PatchedText> {
  let files: readonly FilePatch[] = []
  try {
    files = await readUnified(patch)
  } catch (error) {
    throw unreadable(path, error)
  }
  const [file] = files
  if (files.length !== 1 || file === undefined || file.hunks.length === 0) {
    throw unreadable(path, new RangeError(`it has ${files.length} files, or no hunks`))
  }
  return patchText(text, file, 'unified', path)
}

function unreadable(path: string, cause: unknown): JournalError {
  const { message = '', details } = cause instanceof JournalError ? cause : { message: String(cause) }
  return new JournalError('INVALID', `the patch for ${path} cannot be read: ${message}`, {
    hint: 'Give a unified diff of one file.',
    path,
    cause,
    ...(details === undefined ? {} : { details }),
  })
}

function conflictError(path: string, of: number, conflicts: readonly HunkConflict[]): JournalError {
  const which = conflicts.map(({ hunk }) => hunk).join(', ')
  return new JournalError('CONFLICT', `the patch does not fit ${path} as it is now: hunk ${which} of ${of}`, {
    hint: `Read the file again and make the patch anew. ${conflicts.slice(0, SHOWN).map(shownConflict).join('\n')}`,
    path,
    details: { hunks: conflicts },
  })
}

/** For a person: `-` expected, `+` there. */
export function shownConflict({ hunk, patchLine, line, diff, reason }: HunkConflict): string {
  const where = line === null ? '' : `, at line ${line}`
  return `Hunk ${hunk} (line ${patchLine} of the patch)${where}: ${reason}; - expected, + there:\n${diff}`
}

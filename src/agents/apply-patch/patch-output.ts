/** The words of the format: what it says of success and failure. */
import { readApplyPatch } from '../../edit/patch/apply-patch-text.ts'
import type { FilePatch } from '../../edit/patch/file-patch.ts'
import type { JournalError } from '../../errors.ts'

interface HunkFault {
  readonly expected?: unknown
}

/** A part of `details.files` of a patch that does not fit. */
interface FileFault {
  readonly path: string
  readonly code: string
  readonly message: string
  readonly hunks?: readonly HunkFault[]
}

/** `A`, `M` and `D` lines of the files of a patch, as the format prints them. */
export function successOf(patch: string): string {
  const marks: readonly (readonly [string, FilePatch['change']])[] = [
    ['A', 'add'],
    ['M', 'update'],
    ['D', 'delete'],
  ]
  const files = readApplyPatch(patch)
  const lines = marks.flatMap(([mark, change]) =>
    files.filter((file) => file.change === change).map(({ path, to }) => `${mark} ${to ?? path}`),
  )
  return `Success. Updated the following files:\n${lines.join('\n')}\n`
}

/** What is said of a patch that was not applied: of every file and hunk that does not fit, not only the first. */
export function failureOf(error: JournalError, patch: string): string {
  const faults = (error.details?.files ?? []) as readonly FileFault[]
  if (error.code !== 'CONFLICT' || faults.length === 0) {
    return error.code === 'INVALID' ? error.message : `${error.message}. ${error.hint}`
  }
  const changes = new Map(readApplyPatch(patch).map(({ path, change }) => [path, change]))
  return faults.map((fault) => faultOf(fault, changes.get(fault.path))).join('\n')
}

function faultOf({ path, code, message, hunks }: FileFault, change: FilePatch['change'] | undefined): string {
  if (hunks !== undefined) {
    return hunks.map(({ expected }) => `Failed to find expected lines in ${path}:\n${String(expected)}`).join('\n')
  }
  const reason = code === 'NOT_FOUND' ? 'No such file or directory (os error 2)' : message
  if (change === 'delete') return `Failed to delete file ${path}`
  return change === 'update'
    ? `Failed to read file to update ${path}: ${reason}`
    : `Failed to write file ${path}: ${reason}`
}

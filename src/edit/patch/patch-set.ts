import { JournalError, shown } from '../../errors.ts'
import { isApplyPatch, readApplyPatch } from './apply-patch-text.ts'
import type { PatchFormat, PatchSet } from './file-patch.ts'
import { readUnified, type UnifiedOptions } from './unified.ts'

/** The largest patch that is read, in characters. */
const MAX_PATCH = 64 * 1024 * 1024

export interface PatchOptions extends UnifiedOptions {
  /** Default: found by its first lines. */
  readonly format?: PatchFormat | undefined
}

/** @throws JournalError `INVALID` */
export function checkPatchOptions({ format, strip }: PatchOptions): void {
  if (format !== undefined && format !== 'unified' && format !== 'apply_patch') {
    throw new JournalError('INVALID', `${shown(format)} is no format of patches`, {
      hint: 'Name unified or apply_patch, or leave it out.',
    })
  }
  if (strip === undefined || (Number.isInteger(strip) && strip >= 0)) return
  throw new JournalError('INVALID', `${shown(strip)} is no number of names to leave out`, { hint: 'Give 0, 1, 2 …' })
}

/** Reads a patch of either format. @throws JournalError `INVALID` with the line */
export async function readPatch(patch: string, options: PatchOptions = {}): Promise<PatchSet> {
  if (patch.length > MAX_PATCH) {
    throw new JournalError('INVALID', `a patch of ${patch.length} characters is too large`, {
      hint: `Split it; up to ${MAX_PATCH} are read.`,
    })
  }
  const format = options.format ?? (isApplyPatch(patch) ? 'apply_patch' : 'unified')
  return { format, files: format === 'apply_patch' ? readApplyPatch(patch) : await readUnified(patch, options) }
}

import { JournalError } from '../errors.ts'

const BOM = '\ufeff'

/**
 * Applies a unified diff of one file to its text.
 * @throws JournalError `INVALID` for what is none, `CONFLICT` when it does not fit
 */
export async function applyUnified(text: string, patch: string, path: string, bom: boolean): Promise<string> {
  const { applyPatch, parsePatch } = await import('diff')
  let patched: string | false
  try {
    const parsed = parsePatch(patch)
    if (parsed.length !== 1 || !parsed[0]?.hunks.some(({ lines }) => lines.length > 0))
      throw new RangeError(`it has ${parsed.length} files, or no hunks`)
    patched = applyPatch(text, patch, { autoConvertLineEndings: true })
    // The context may name the byte order mark with the first line.
    if (patched === false && bom) {
      const marked = applyPatch(BOM + text, patch, { autoConvertLineEndings: true })
      patched = marked === false || !marked.startsWith(BOM) ? false : marked.slice(1)
    }
  } catch (cause) {
    throw new JournalError('INVALID', `the patch for ${path} cannot be read`, {
      hint: 'Give a unified diff of one file.',
      path,
      cause,
    })
  }
  if (patched !== false) return patched
  throw new JournalError('CONFLICT', `the patch does not fit ${path} as it is now`, {
    hint: 'Read the file again and make the patch anew.',
    path,
  })
}

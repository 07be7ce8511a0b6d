import type { FileDiff } from '../history/diff.ts'
import type { Output } from './output.ts'
import { printable, printableText } from './printable.ts'

/** A file's difference as unified text, ending in a line end; coloured where that is wanted, and byte for byte elsewhere. */
export function patchText(difference: Pick<FileDiff, 'path' | 'patch' | 'note'>, output: Output): string {
  const { path, note } = difference
  const head = note === undefined ? '' : `${output.colors.dim(`# ${printable(path)}: ${printable(note)}`)}\n`
  const patch = difference.patch === '' || difference.patch.endsWith('\n') ? difference.patch : `${difference.patch}\n`
  if (!output.terminal && !output.colors.isColorSupported) return head + patch
  return (
    head +
    patch
      .split('\n')
      .map((line) => paintLine(line, output))
      .join('\n')
  )
}

function paintLine(line: string, output: Output): string {
  const { bold, red, green, cyan } = output.colors
  const text = output.terminal ? printableText(line) : line
  if (/^(---|\+\+\+|diff |Binary |={10})/.test(line)) return bold(text)
  if (line.startsWith('@@')) return cyan(text)
  if (line.startsWith('+')) return green(text)
  return line.startsWith('-') ? red(text) : text
}

/** Prints differences: a JSON object a file, or patches. Returns how many there were. */
export async function printDifferences(differences: AsyncIterable<FileDiff>, output: Output): Promise<number> {
  let count = 0
  for await (const difference of differences) {
    count += 1
    if (output.json) await output.object(difference)
    else await output.write(patchText(difference, output))
  }
  return count
}

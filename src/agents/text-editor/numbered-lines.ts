import { Lines } from '../../edit/lines.ts'
import { EditorFailure } from './failure.ts'

/** Lines shown before and behind a change. */
const AROUND = 4

/** Lines with their numbers, as `cat -n` prints them; tabs stay tabs. Lines count from 0, `to` is not among them. */
function numbered(lines: Lines, from: number, to: number): string {
  return lines
    .range(from, to)
    .map((line, index) => `${String(from + index + 1).padStart(6)}\t${line}\n`)
    .join('')
}

/** What `view` answers. @throws EditorFailure for a range that the file has not */
export function viewOf(
  text: string,
  path: string,
  range: readonly [from: number, to: number] | null,
  most: number | undefined,
): string {
  const lines = new Lines(text)
  const [from, to] = range === null ? [0, lines.count] : within(range, lines.count)
  const all = `Here's the result of running \`cat -n\` on ${path}:\n${numbered(lines, from, to)}`
  if (most === undefined || all.length <= most) return all
  const cut = all.slice(0, most).toWellFormed()
  return `${cut}\n... (${all.length - most} of ${all.length} characters left out; use view_range to see them)\n`
}

function within([first, last]: readonly [number, number], count: number): [number, number] {
  const invalid = `Invalid \`view_range\`: [${first}, ${last}].`
  const most = Math.max(count, 1)
  if (first < 1 || first > most) {
    throw new EditorFailure(
      `${invalid} Its first element \`${first}\` should be within the range of lines of the file: [1, ${most}]`,
    )
  }
  if (last === -1) return [first - 1, count]
  if (last > most) {
    throw new EditorFailure(
      `${invalid} Its second element \`${last}\` should be smaller than or equal to the number of lines in the file: \`${count}\``,
    )
  }
  if (last < first) {
    throw new EditorFailure(
      `${invalid} Its second element \`${last}\` should be larger than or equal to its first \`${first}\``,
    )
  }
  return [first - 1, last]
}

/** What is said of a change: the lines `from` to `to` (from 1) of the new text, and some around them. */
export function snippetOf(text: string, path: string, from: number, to: number): string {
  const lines = new Lines(text)
  const shown = numbered(lines, Math.max(0, from - 1 - AROUND), Math.min(lines.count, to + AROUND))
  return (
    `The file ${path} has been edited. Here's the result of running \`cat -n\` on a snippet of ${path}:\n${shown}` +
    'Review the changes and make sure they are as expected. Edit the file again if necessary.'
  )
}

/** A text with another inserted behind a line as lines of their own. @throws EditorFailure for a line that it has not */
export function inserted(
  text: string,
  line: number,
  added: string,
  end: '\n' | '\r\n',
): { text: string; lines: number } {
  const lines = new Lines(text)
  if (line < 0 || line > lines.count) {
    throw new EditorFailure(
      `Invalid \`insert_line\` parameter: ${line}. It should be within the range of lines of the file: [0, ${lines.count}]`,
    )
  }
  const at = lines.from(line)
  const [before, behind] = [text.slice(0, at), text.slice(at)]
  const unended = before !== '' && !before.endsWith('\n')
  const ended = added.endsWith('\n') || (behind === '' && (unended || text === ''))
  const middle = `${unended ? end : ''}${added}${ended ? '' : end}`
  return { text: before + middle + behind, lines: new Lines(added).count }
}

import type { Revision, Saved } from '../transaction/revision.ts'
import { savedBy } from '../transaction/revision.ts'
import { counted } from './measure.ts'
import type { Output } from './output.ts'
import { printable } from './printable.ts'

/** `3`, or `3 to 5`. */
function span([from, to]: readonly [number, number]): string {
  return to > from ? `lines ${from} to ${to}` : `line ${from}`
}

/** What was found otherwise than it was asked for, line by line. */
function remarks({ edits = [], hunks = [], merged }: Revision): string[] {
  const inexact = edits
    .filter(({ matching }) => matching !== 'exact' && matching !== 'line-ends')
    .flatMap(({ matching, lines }) => lines.map((each) => `${span(each)}: found but for ${matching.replace('-', ' ')}`))
  const elsewhere = hunks
    .filter(({ matching, offset }) => matching !== 'exact' || offset !== 0)
    .map(({ matching, offset, lines }) => {
      const how = matching === 'exact' ? [] : [`found but for ${matching.replace('-', ' ')}`]
      const where =
        offset === 0 ? [] : [`${counted(Math.abs(offset), 'line')} ${offset > 0 ? 'further down' : 'further up'}`]
      return `${span(lines)}: ${[...how, ...where].join(', ')}`
    })
  return [...inexact, ...elsewhere, ...(merged ? ['merged with what others changed'] : [])]
}

/** What edits and patches came to, for a person: only what is not as it was asked for, and what was saved. */
export function revisionText(revisions: readonly Revision[], output: Output): string[] {
  const { dim } = output.colors
  const lines = revisions.flatMap((revision) =>
    remarks(revision).map((remark) => `  ${printable(revision.path)}, ${remark}`),
  )
  const { writes } = savedBy(revisions)
  return writes === 0
    ? lines
    : [...lines, dim(`  saved ${counted(writes, 'reading')} and ${counted(writes, 'writing')}`)]
}

/** What would be changed: JSON, or for a person. */
export function printRehearsal(revisions: readonly Revision[], output: Output): Promise<void> {
  const saved: Saved = savedBy(revisions)
  return output.result({ dryRun: true, revisions, saved }, () => [
    `would change ${counted(new Set(revisions.map(({ path }) => path)).size, 'path')}:`,
    ...revisions.map(({ path, change = 'modified', from }) => {
      return `  ${change} ${from === undefined ? '' : `${printable(from)} -> `}${printable(path)}`
    }),
    ...revisionText(revisions, output),
  ])
}

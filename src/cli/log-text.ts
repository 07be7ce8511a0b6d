import type { ChainedCommit } from '../entry/commit.ts'
import { type NoteEntry, subjectOf } from '../entry/entry.ts'
import { receiptFiles } from '../transaction/receipt.ts'
import { counted } from './measure.ts'
import type { Output } from './output.ts'
import { headline, printable } from './printable.ts'

/** What `--json` prints for a transaction; `kind`, `of`, `about`, `tags` and `parent` only where there is something to say. */
export function logObject(commit: ChainedCommit): Record<string, unknown> {
  const { tx, seq, time, actor, message, chain, kind, of, about, tags, parent } = commit
  return {
    ...{ tx, seq, time, actor: actor ?? null, message: message ?? null, chain, kind },
    ...(of === undefined ? {} : { of }),
    ...(about === undefined ? {} : { about }),
    ...(tags === undefined ? {} : { tags }),
    ...(parent === undefined ? {} : { parent }),
    files: receiptFiles(commit.entries),
  }
}

/** What a transaction did, for one that does not say why. */
function summary({ kind, of, about, entries }: ChainedCommit): string {
  if (kind === 'note') return noteText(entries)
  if (kind !== 'write') return [kind, of ?? about?.map(({ tx }) => tx).join(', ') ?? ''].join(' ').trimEnd()
  const [first, ...more] = entries.filter((entry) => !(entry.op === 'mkdir' && entry.implied))
  return first === undefined ? '' : `${first.op} ${subjectOf(first)}${more.length > 0 ? ' …' : ''}`
}

/** What was said: `lease acquire src`. */
function noteText(entries: ChainedCommit['entries']): string {
  const said = entries.flatMap((entry) =>
    entry.op === 'note' ? [[entry.topic, ...wordsOf(entry.value)].join(' ')] : [],
  )
  return said.join('; ')
}

function wordsOf({ do: act, rule, paths }: NoteEntry['value']): string[] {
  return [act, rule, ...(Array.isArray(paths) ? paths : [])].filter((word) => typeof word === 'string')
}

export function logLine(commit: ChainedCommit, width: number, output: Output): string {
  const { bold, dim, cyan, green } = output.colors
  const { length } = receiptFiles(commit.entries)
  return output.row(
    [
      commit.tx,
      output.terminal ? `(${commit.seq})` : String(commit.seq),
      output.time(commit.time),
      printable(commit.actor ?? '-'),
      headline(commit.message ?? summary(commit)),
      output.terminal ? `(${counted(length, 'file')})` : String(length),
    ],
    [16, -width - 2, 12, 10],
    [bold, dim, green, cyan, String, dim],
  )
}

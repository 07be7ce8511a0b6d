import type { ChainedCommit } from '../../entry/commit.ts'
import { type NoteEntry, subjectOf } from '../../entry/entry.ts'
import type { HistoryQuery } from '../../history/query.ts'
import { receiptFiles } from '../../transaction/receipt.ts'
import { declare, positive } from '../declaration.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { headline, printable } from '../printable.ts'

interface Options {
  readonly limit?: number
  readonly tag?: string
  readonly parent?: string
  readonly since?: string
  readonly until?: string
  readonly oldest?: boolean
}

/** What `--json` prints for a transaction; `kind`, `of`, `tags` and `parent` only where there is something to say. */
function logObject(commit: ChainedCommit): Record<string, unknown> {
  const { tx, seq, time, actor, message, chain, kind, of, tags, parent } = commit
  return {
    ...{ tx, seq, time, actor: actor ?? null, message: message ?? null, chain, kind },
    ...(of === undefined ? {} : { of }),
    ...(tags === undefined ? {} : { tags }),
    ...(parent === undefined ? {} : { parent }),
    files: receiptFiles(commit.entries),
  }
}

/** What a transaction did, for one that does not say why. */
function summary({ kind, of, entries }: ChainedCommit): string {
  if (kind === 'note') return noteText(entries)
  if (kind !== 'write') return of === undefined ? kind : `${kind} ${of}`
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

function logLine(commit: ChainedCommit, width: number, output: Output): string {
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

export default declare<[path: string | undefined], Options>({
  description: 'Lists transactions, newest first: id, number, time, actor, message, and how many files each changed.',
  arguments: [['[path]', 'only those that changed this file, or anything in this folder']],
  options: [
    ['-n, --limit <count>', 'at most so many', positive],
    ['--tag <tag>', 'only those with this tag'],
    ['--parent <id>', 'only those that belong to this'],
    ['--since <at>', 'only those after this point: 2h, 2026-01-31, a number, an id'],
    ['--until <at>', 'only those up to this point'],
    ['--oldest', 'oldest first'],
  ],
  actor: 'only transactions of this actor',
  examples: [
    ['journal log -n 20', 'the last twenty'],
    ['journal log src --actor builder --since 2h', 'what builder did below src in the last two hours'],
    ['journal log --json | jq .message', 'for a program'],
  ],
  async run(session, [path], options) {
    const { output, globals } = session
    const query = present<HistoryQuery>({
      path: path === undefined ? undefined : session.selection([path])?.[0],
      actor: globals.actor,
      tag: options.tag,
      parent: options.parent,
      since: options.since,
      until: options.until,
      limit: options.limit,
      order: options.oldest ? 'oldest' : 'newest',
    })
    await session.look(async (reading) => {
      const width = String(await reading.newest()).length
      for await (const commit of reading.history(query)) {
        if (output.json) await output.object(logObject(commit))
        else await output.line(logLine(commit, width, output))
      }
    })
  },
})

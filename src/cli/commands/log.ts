import type { HistoryQuery } from '../../history/query.ts'
import { declare, positive } from '../declaration.ts'
import { logLine, logObject } from '../log-text.ts'
import { present } from '../present.ts'

interface Options {
  readonly limit?: number
  readonly tag?: string
  readonly parent?: string
  readonly since?: string
  readonly until?: string
  readonly oldest?: boolean
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

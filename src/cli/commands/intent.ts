import type { Intent } from '../../team/intents.ts'
import type { Overlaps } from '../../team/overlaps.ts'
import { declare, duration, positive } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'
import { noMore, wordsOf } from '../team-text.ts'

interface Options {
  readonly what?: string
  readonly ttl?: number
  readonly pid?: number
}

export default declare<[action: string, rest: string[]], Options>({
  description:
    'Says what you mean to write, so that others know, and shows where several mean to write the same. It keeps nobody from anything: `journal lease` does.',
  arguments: [
    ['<action>', 'announce PATH…, list, overlaps, or withdraw ID'],
    ['[rest...]', 'files, or folders with all below them; or an id'],
  ],
  options: [
    ['--what <text>', 'what is going to be done'],
    ['--ttl <time>', 'how long it stands: 30s, 10m, 2h; default 1h, at most 1d', duration],
    ['--pid <number>', 'it ends with this process too', positive],
  ],
  examples: [
    ['journal intent announce src/api.ts docs --what "rename the option" --actor builder', 'tell the others'],
    ['journal intent overlaps', 'where several mean to write, and what one batch would save'],
    ['journal intent withdraw t0f3kq2m9x7b4c1d', 'not any more'],
  ],
  async run(session, [action, rest], options) {
    switch (action) {
      case 'announce':
        return announce(session, rest, options)
      case 'list':
        noMore('intent list', rest)
        return session.read(async (journal) => {
          for (const intent of await journal.intents.list()) {
            if (session.output.json) await session.output.object(intent)
            else await session.output.line(intentLine(intent, session.output))
          }
        })
      case 'overlaps':
        noMore('intent overlaps', rest)
        return session.read(async (journal) => {
          const found = await journal.intents.overlaps()
          await session.output.result(found, () => overlapLines(found))
        })
      case 'withdraw': {
        const [id, ...more] = rest
        if (id === undefined) throw new UsageError('which intent?', 'Name its id: `journal intent list` shows them.')
        noMore('intent withdraw', more)
        return session.write(async (journal) => {
          await journal.intents.withdraw(id, session.meta({}))
          await session.output.result({ withdrawn: id }, () => [`withdrawn ${printable(id)}`])
        })
      }
      default:
        throw new UsageError(
          `there is no ${printable(action)} of intents`,
          'Actions are announce, list, overlaps, withdraw.',
        )
    }
  },
})

async function announce(session: Session, paths: readonly string[], { what, ttl, pid }: Options): Promise<void> {
  if (paths.length === 0) throw new UsageError('what is going to be written?', 'Name files or folders.')
  await session.write(async (journal) => {
    const request = {
      paths: paths.map((path) => session.folder(path)),
      pid: pid ?? null,
      ...present({ what, ttlMs: ttl }),
    }
    const announced = await journal.intents.announce(request, session.meta({}))
    await session.output.result(announced, () => [`announced ${announced.id}`, ...overlapLines(announced)])
  })
}

function overlapLines({ overlaps, saving }: Overlaps): string[] {
  if (overlaps.length === 0) return []
  const lines = overlaps.map(({ path, actors }) => `  ${printable(path)}: ${actors.map(printable).join(', ')}`)
  return [
    `${counted(overlaps.length, 'path')} that several mean to write:`,
    ...lines,
    `One batch would save ${counted(saving.syncs, 'sync')} and ${counted(saving.fileOperations, 'file operation')}.`,
  ]
}

function intentLine({ id, actor, paths, what, expiresInMs, pid }: Intent, output: Output): string {
  const cells = [
    id,
    printable(actor ?? '-'),
    wordsOf(expiresInMs, pid),
    paths.map(printable).join(' '),
    printable(what ?? ''),
  ]
  return output.row(cells, [16, 12, 18, 0]).trimEnd()
}

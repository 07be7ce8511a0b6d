import type { LeaseInfo } from '../../team/leases.ts'
import { declare, duration, positive } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'
import { noMore, wordsOf } from '../team-text.ts'

interface Options {
  readonly ttl?: number
  readonly wait?: number
  readonly pid?: number
}

export default declare<[action: string, rest: string[]], Options>({
  description:
    'Keeps all others from writing files, or folders with all below them, as long as the lease stands. What it grants is a token, a number for `--lease` of commands that write.',
  arguments: [
    ['<action>', 'acquire PATH…, list, renew TOKEN, or release TOKEN'],
    ['[rest...]', 'files and folders, or a token'],
  ],
  options: [
    ['--ttl <time>', 'how long it stands: 30s, 10m, 2h; default 5m, at most 1d', duration],
    ['--wait <time>', 'how long to wait for leases of others to end; default: not at all', duration],
    ['--pid <number>', 'it ends with this process too', positive],
  ],
  details:
    'A lease of the command line ends with its time. With --pid $$ it ends with the shell that asked for it, too. A token of a lease that is over is refused: exit code 5.',
  examples: [
    ['journal lease acquire src/api --ttl 10m --actor builder', 'have it alone for ten minutes'],
    ['journal write src/api/a.ts --lease 17 < a.ts', 'write under it'],
    ['journal lease release 17', 'let others write there'],
  ],
  async run(session, [action, rest], options) {
    switch (action) {
      case 'acquire':
        return acquire(session, rest, options)
      case 'list':
        noMore('lease list', rest)
        return session.read(async (journal) => {
          for (const lease of await journal.leases.list()) {
            if (session.output.json) await session.output.object(lease)
            else await session.output.line(leaseLine(lease, session.output))
          }
        })
      case 'renew':
        return session.write(async (journal) => {
          const token = tokenOf(action, rest)
          await journal.leases.renew(token, present({ ttlMs: options.ttl, pid: options.pid }), session.meta({}))
          const lease = (await journal.leases.list()).find((one) => one.token === token)
          await session.output.result(lease ?? { token }, () => [
            `renewed ${token}${lease === undefined ? '' : ` ${wordsOf(lease.expiresInMs, lease.pid)}`}`,
          ])
        })
      case 'release':
        return session.write(async (journal) => {
          const token = tokenOf(action, rest)
          const released = await journal.leases.release(token, session.meta({}))
          await session.output.result({ token, released }, () => [
            released ? `released ${token}` : `${token} did not stand any more`,
          ])
        })
      default:
        throw new UsageError(`there is no ${printable(action)} of leases`, 'Actions are acquire, list, renew, release.')
    }
  },
})

async function acquire(session: Session, paths: readonly string[], { ttl, wait, pid }: Options): Promise<void> {
  if (paths.length === 0) throw new UsageError('a lease of what?', 'Name files or folders.')
  await session.write(async (journal) => {
    const options = { pid: pid ?? null, signal: session.signal, ...present({ ttlMs: ttl, wait }) }
    const lease = await journal.leases.acquire(
      paths.map((path) => session.folder(path)),
      options,
      session.meta({}),
    )
    const { id, token } = lease
    await session.output.result({ id, token, paths: lease.paths }, () => [
      `lease ${token} on ${lease.paths.map(printable).join(', ')}`,
    ])
  })
}

function tokenOf(action: string, rest: readonly string[]): number {
  const [token, ...more] = rest
  if (token === undefined || !/^[1-9]\d{0,14}$/.test(token))
    throw new UsageError('which lease?', 'Give its token, a number: `journal lease list` shows them.')
  noMore(`lease ${action}`, more)
  return Number(token)
}

function leaseLine({ token, actor, paths, expiresInMs, pid }: LeaseInfo, output: Output): string {
  const cells = [String(token), printable(actor ?? '-'), wordsOf(expiresInMs, pid), paths.map(printable).join(' ')]
  return output.row(cells, [-6, 12, 18])
}

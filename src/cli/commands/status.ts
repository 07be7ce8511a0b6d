import type { Status } from '../../journal-types.ts'
import { declare } from '../declaration.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { printable } from '../printable.ts'

function writerText({ pid, host, since }: NonNullable<Status['writer']>, output: Output): string {
  const where = host === undefined ? '' : ` on ${printable(host)}`
  const when = since === undefined ? '' : `, since ${output.time(since)}`
  return `writer: process ${pid ?? 'unknown'}${where}${when}`
}

function statusText(status: Status, output: Output): string[] {
  const { bold, red, yellow } = output.colors
  const newest = status.seq === 0 ? '' : `, newest ${output.time(status.time)}`
  const lines = [
    `${bold(printable(status.root))}: ${counted(status.seq, 'transaction')}${newest}, ${counted(status.tracked, 'path')} tracked`,
  ]
  if (status.writer !== null) lines.push(writerText(status.writer, output))
  if (status.needsRecovery) {
    lines.push(
      red(`a crash left ${counted(status.inFlight.length, 'transaction')} in flight: ${status.inFlight.join(' ')}`),
    )
    lines.push('hint: `journal recover` finishes them; `journal recover --dry-run` shows what it would do.')
  }
  if (status.changed.length === 0) lines.push('nothing changed behind the journal')
  else {
    lines.push('changed behind the journal:')
    for (const { path, change } of status.changed) lines.push(`  ${yellow(change.padEnd(8))}  ${printable(path)}`)
    lines.push('hint: `journal diff` shows the changes, `journal adopt` takes them into the history.')
  }
  return lines
}

export default declare<[]>({
  description:
    'Shows where the journal stands: its newest transaction, who writes, and the files that were changed behind its back.',
  examples: [
    ['journal status', 'for a person'],
    ["journal status --json | jq -r '.changed[].path'", 'only the paths that changed'],
  ],
  async run(session) {
    await session.look(async (reading) => {
      const status = await reading.status()
      await session.output.result(status, () => statusText(status, session.output))
    })
  },
})

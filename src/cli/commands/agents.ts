import { NodeDisk } from '../../disk/node-disk.ts'
import { Layout } from '../../store/layout.ts'
import { Agents, type EffectiveSettings, type SettingName } from '../../team/agent-settings.ts'
import { teamConfig } from '../../team/config-file.ts'
import { declare } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'

export default declare<[action: string | undefined, rest: string[]]>({
  description:
    'Shows what holds for each agent, from `.journal/config.yaml`; or for one, and whether it may write paths. Names are what --actor says: this keeps agents from mistakes, not from lies.',
  arguments: [
    ['[action]', 'check NAME [PATH…]; without it all names and patterns are listed'],
    ['[rest...]', 'the name of an agent, and paths'],
  ],
  details: 'Exit code 1: one of the paths is not for that agent.',
  examples: [
    ['journal agents', 'names, patterns and their settings'],
    ['journal agents check reviewer docs/a.md src/a.ts', 'what holds for reviewer, and may it write these'],
  ],
  async run(session, [action, rest]) {
    const disk = new NodeDisk()
    const { config } = new Layout(session.root)
    const { agents: options } = await teamConfig(disk, config, undefined)
    const agents = new Agents(options)
    if (action === undefined) {
      for (const [name, settings] of Object.entries(options)) {
        if (session.output.json) await session.output.object({ name, settings })
        else await session.output.line(`${printable(name)}: ${settingsText(settings)}`)
      }
      return
    }
    const [name, ...paths] = rest
    if (action !== 'check' || name === undefined)
      throw new UsageError('agents takes nothing, or check NAME [PATH…]', 'Run `journal help agents`.')
    await check(session, agents.of(name), paths)
  },
})

async function check(session: Session, effective: EffectiveSettings, given: readonly string[]): Promise<void> {
  const { actor, settings, origins } = effective
  const paths = await located(session, given)
  const found = paths.map((path) => ({ path, allowed: effective.allows(path) }))
  if (found.some(({ allowed }) => !allowed)) session.exitCode = 1
  const from = Object.fromEntries(origins.map((origin) => [origin.name, origin.from]))
  await session.output.result({ actor, settings, from, ...(found.length === 0 ? {} : { paths: found }) }, () => [
    ...(origins.length === 0 ? [`${printable(actor)}: nothing of its own`] : []),
    ...origins.map(
      (origin) => `${origin.name}: ${valueText(settings[origin.name as SettingName])} (${printable(origin.from)})`,
    ),
    ...found.map(({ path, allowed }) => `${allowed ? 'may write' : 'may not write'} ${printable(path)}`),
  ])
}

/** Where paths really lead, as a transaction would have it. */
async function located(session: Session, given: readonly string[]): Promise<string[]> {
  if (given.length === 0) return []
  const [{ readerSite }, { locateRoot, openStore }, { View }] = await Promise.all([
    import('../../transaction/reader-site.ts'),
    import('../../store/opening.ts'),
    import('../../transaction/view.ts'),
  ])
  const disk = new NodeDisk()
  const view = new View(readerSite(openStore(disk, locateRoot(disk, session.root))))
  return given.map((path) => view.resolve(session.path(path), { follow: true, folder: true }))
}

function settingsText(settings: object): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ')
}

function valueText(value: unknown): string {
  return Array.isArray(value) ? value.map((item) => printable(String(item))).join(' ') : String(value)
}

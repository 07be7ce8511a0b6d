import type { Disk } from '../disk/disk.ts'
import { readSmallFile } from '../disk/file.ts'
import { JournalError, shown } from '../errors.ts'
import { type AgentOptions, checkAgents } from './agent-settings.ts'

const MAX_BYTES = 1024 * 1024
/** What the file may say. Anything else is a slip of the pen, and a rule that would not hold. */
const KEYS: readonly string[] = ['agents']

/** The settings that hold in an open journal. */
export interface TeamConfig {
  readonly agents: AgentOptions
  /** Those that the journal was opened with. */
  readonly option: AgentOptions | undefined
  /** Of the file, as it was read. */
  readonly stamp: string | null
}

/**
 * What the file says of agents, or the option where the file says nothing.
 * @throws JournalError `INVALID` with the line; or when both speak, and do not say the same
 */
export async function teamConfig(disk: Disk, path: string, option: AgentOptions | undefined): Promise<TeamConfig> {
  const stamp = stampOfConfig(disk, path)
  if (option !== undefined) checkAgents(option, () => 'the options')
  const said = stamp === null ? undefined : await readConfig(disk, path)
  if (said !== undefined && option !== undefined && !isSame(said, option)) {
    throw new JournalError('INVALID', `${path} says other things of agents than the option does`, {
      hint: 'What is to hold for all processes stands in the file: leave the option out, or make them the same.',
      path,
    })
  }
  return { agents: said ?? option ?? {}, option, stamp }
}

/** What tells one content of the file from another; null: there is none. */
export function stampOfConfig(disk: Disk, path: string): string | null {
  const stat = disk.lstat(path)
  return stat === null ? null : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
}

/**
 * What `.journal/config.yaml` says of agents; undefined when there is no such file, or it says nothing of them.
 * @throws JournalError `INVALID` with the line
 */
async function readConfig(disk: Disk, path: string): Promise<AgentOptions | undefined> {
  const stat = disk.lstat(path)
  if (stat === null) return undefined
  if (stat.kind !== 'file' || stat.size > MAX_BYTES) {
    throw new JournalError('INVALID', `${path} is no file of at most ${MAX_BYTES} bytes`, {
      hint: 'Put a YAML file with settings there, or remove it.',
      path,
    })
  }
  const text = Buffer.from(readSmallFile(disk, path) ?? new Uint8Array(0)).toString('utf8')
  const { LineCounter, parseDocument, isMap, isScalar, visit } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const lineOf = (offset: number | undefined): string => `${path}, line ${lines.linePos(offset ?? 0).line}`
  const [fault] = [...document.errors, ...document.warnings]
  if (fault !== undefined) {
    throw new JournalError('INVALID', `${lineOf(fault.pos[0])}: ${fault.message}`, {
      hint: 'Correct the YAML; nothing was changed.',
      path,
    })
  }
  const where = (keys: readonly string[]): string => {
    let table: unknown = document.contents
    let at = 0
    for (const key of keys) {
      const pair = isMap(table)
        ? table.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : null
      if (!isScalar(pair?.key)) break
      at = pair.key.range?.[0] ?? at
      table = pair.value
    }
    return lineOf(at)
  }
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return
      throw new JournalError('INVALID', `${lineOf(alias.range?.[0])}: there is no anchor &${alias.source}`, {
        hint: 'Correct the YAML; nothing was changed.',
        path,
      })
    },
  })
  let said: unknown
  try {
    said = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw new JournalError('INVALID', `${path}: ${cause instanceof Error ? cause.message : shown(cause)}`, {
      hint: 'Correct the YAML; nothing was changed.',
      path,
      cause,
    })
  }
  if (said === null) return undefined
  if (typeof said !== 'object' || Array.isArray(said)) {
    throw new JournalError('INVALID', `${lineOf(0)}: settings must be a table, and are ${shown(said)}`, {
      hint: `Begin with 'agents:'.`,
      path,
    })
  }
  for (const key of Object.keys(said)) {
    if (KEYS.includes(key)) continue
    throw new JournalError('INVALID', `${where([key])}: ${shown(key)} is no setting`, {
      hint: `Settings are ${KEYS.join(', ')}.`,
      path,
    })
  }
  const { agents } = said as { readonly agents?: unknown }
  return agents === undefined || agents === null ? undefined : checkAgents(agents, (keys) => where(['agents', ...keys]))
}

function isSame(a: AgentOptions, b: AgentOptions): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

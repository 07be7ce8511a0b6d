import type { Json } from '../entry/entry.ts'
import { hashOf } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { Draft } from '../transaction/draft.ts'
import type { EffectiveSettings, SettingName } from './agent-settings.ts'

/** What was tried, against which rule. */
export interface Breach {
  readonly rule: SettingName
  readonly path?: string
  readonly limit?: Json
  readonly found?: Json
  /** Of a limit by the minute: when there is room again. */
  readonly retryAfterMs?: number
}

/** Files and links that a transaction changes, makes or takes away: what limits count. */
export function writesOf(draft: Draft): number {
  let count = 0
  for (const [path, state] of draft.changes) {
    const before = draft.base.get(path)?.state ?? null
    if ((state ?? before)?.kind !== 'dir') count += 1
  }
  return count
}

/** The first rule that a transaction breaks, but for those of time; null: none. Every path is where it really leads. */
export function breachOf(effective: EffectiveSettings, draft: Draft): Breach | null {
  const { settings } = effective
  if (settings.paths !== undefined) {
    const path = forbidden(effective, draft)
    if (path !== null) return { rule: 'paths', path, limit: [...settings.paths] }
  }
  if (settings.maxFileBytes !== undefined) {
    const limit = settings.maxFileBytes
    for (const [path, state] of draft.changes) {
      if (state?.kind !== 'file' || state.size <= limit) continue
      // Its mode may be set, and it may be moved: it is as large as it was.
      if (isBrought(draft, state.hash)) return { rule: 'maxFileBytes', path, limit, found: state.size }
    }
  }
  if (settings.maxFiles !== undefined) {
    const found = writesOf(draft)
    if (found > settings.maxFiles) return { rule: 'maxFiles', limit: settings.maxFiles, found }
  }
  return null
}

/** Both ends of a move, folders made on the way, and whatever a removed folder held: all of it has entries. */
function forbidden(effective: EffectiveSettings, draft: Draft): string | null {
  for (const path of draft.touched) if (!effective.allows(path)) return path
  for (const entry of draft.entries) {
    if (entry.op === 'note') continue
    if (!effective.allows(entry.path)) return entry.path
    if (entry.op === 'rename' && !effective.allows(entry.to)) return entry.to
  }
  return null
}

/** Is it a content that this transaction did not find? */
function isBrought(draft: Draft, hash: string): boolean {
  for (const { state } of draft.base.values()) if (hashOf(state) === hash) return false
  return true
}

export function deniedError(effective: EffectiveSettings, breach: Breach, tx: string): JournalError {
  const { actor, origins } = effective
  const from = origins.find(({ name }) => name === breach.rule)?.from ?? actor
  const who = actor === '' ? 'who gives no name' : actor
  return new JournalError('DENIED', `${whatHappened(breach, who)} (rule ${breach.rule} of agent ${from})`, {
    hint: `Nothing was changed. \`journal agents check ${actor === '' ? "''" : actor}\` shows what holds; a person can change it in .journal/config.yaml.`,
    path: breach.path,
    tx,
    details: { actor: actor === '' ? null : actor, agent: from, ...breach },
  })
}

function whatHappened({ rule, path, limit, found, retryAfterMs }: Breach, who: string): string {
  switch (rule) {
    case 'paths':
      return `${who} may not write ${path}`
    case 'maxFileBytes':
      return `${who} may write files of ${limit} bytes at most, and ${path} has ${found}`
    case 'maxFiles':
      return `a transaction of ${who} may change ${limit} files at most, and this one changes ${found}`
    default:
      return `${who} may change ${limit} files a minute, and this would make ${found}: there is room in ${Math.ceil((retryAfterMs ?? 0) / 1000)} s`
  }
}

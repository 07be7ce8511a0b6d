import { JournalError, shown } from '../errors.ts'
import type { Durability } from '../log/log-writer.ts'
import { globbed } from '../safety/validation/glob.ts'
import type { ValidationLevel } from '../safety/validation/level.ts'

/** What holds for the transactions of an agent, over what holds for all. */
export interface AgentSettings {
  /** In place of that of the journal. */
  readonly durability?: Durability
  /** The least: a transaction may ask for more. */
  readonly validation?: ValidationLevel
  /**
   * Where it may write: files, folders with all below them, and patterns with `*`, `**`, `?`, `{a,b}`, each with all below what it fits. Behind `!`: not there. With nothing but
   * those: everywhere else.
   */
  readonly paths?: readonly string[]
  /** Bytes of a file that it writes. */
  readonly maxFileBytes?: number
  /** Files that one transaction changes. */
  readonly maxFiles?: number
  /** Files that its transactions change within any minute. */
  readonly writesPerMinute?: number
}

/** By the name of an actor, or a pattern of names (`*` for any characters, `?` for one). */
export type AgentOptions = Readonly<Record<string, AgentSettings>>

export type SettingName = keyof AgentSettings

/** Where a setting stands, for messages: `config.yaml, line 4`. */
export type Whereabouts = (keys: readonly string[]) => string

interface Form {
  readonly words: string
  readonly fits: (value: unknown) => boolean
}

function oneOf(...values: string[]): Form {
  return { words: `one of ${values.join(', ')}`, fits: (value) => values.includes(value as string) }
}

function count(words: string): Form {
  return { words, fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0 }
}

const FORMS: Readonly<Record<SettingName, Form>> = {
  durability: oneOf('full', 'os'),
  validation: oneOf('off', 'basic', 'strict'),
  paths: { words: 'a list of paths and patterns inside the workspace', fits: isPatterns },
  maxFileBytes: count('a whole number of bytes'),
  maxFiles: count('a whole number'),
  writesPerMinute: count('a whole number'),
}
export const SETTING_NAMES = Object.keys(FORMS) as readonly SettingName[]
const MAX_AGENTS = 1000
const MAX_PATTERNS = 1000

function isPatterns(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_PATTERNS && value.every(isPattern)
}

function isPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const path = bare(value.replace(/^!/, ''))
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0')
}

/**
 * @throws JournalError `INVALID` that says what is wrong, and where
 */
export function checkAgents(given: unknown, where: Whereabouts): AgentOptions {
  if (!isTable(given)) throw wrong(where([]), 'agents must be a table of settings by name', given)
  const names = Object.keys(given)
  if (names.length > MAX_AGENTS) throw wrong(where([]), `agents must be at most ${MAX_AGENTS}`, names.length)
  for (const name of names) {
    const settings = given[name]
    if (name === '') throw wrong(where([name]), 'the name of an agent must be a text', name)
    if (!isTable(settings)) throw wrong(where([name]), `agents.${name} must be a table of settings`, settings)
    for (const key of Object.keys(settings)) {
      const form = Object.hasOwn(FORMS, key) ? FORMS[key as SettingName] : undefined
      if (form === undefined) {
        throw new JournalError('INVALID', `${where([name, key])}: agents.${name}.${key} is no setting`, {
          hint: `Settings are ${SETTING_NAMES.join(', ')}.`,
        })
      }
      const value = settings[key]
      if (!form.fits(value)) throw wrong(where([name, key]), `agents.${name}.${key} must be ${form.words}`, value)
    }
  }
  return given as AgentOptions
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(where: string, what: string, found: unknown): JournalError {
  return new JournalError('INVALID', `${where}: ${what}, and is ${shown(found)}`, {
    hint: 'Correct it; nothing was changed.',
  })
}

/** A setting that holds, and the name or pattern that it comes from. */
export interface Origin {
  readonly name: SettingName
  readonly from: string
}

/** What holds for one agent. */
export class EffectiveSettings {
  readonly actor: string
  readonly settings: AgentSettings
  /** Where each setting comes from. */
  readonly origins: readonly Origin[]
  readonly #allowed: readonly RegExp[]
  readonly #refused: readonly RegExp[]

  constructor(actor: string, settings: AgentSettings, origins: readonly Origin[]) {
    this.actor = actor
    this.settings = settings
    this.origins = origins
    const { paths = [] } = settings
    this.#allowed = paths.filter((path) => !path.startsWith('!')).map(patternOf)
    this.#refused = paths.filter((path) => path.startsWith('!')).map((path) => patternOf(path.slice(1)))
  }

  /** May it write this path? As it really is: no symbolic link in it. */
  allows(path: string): boolean {
    if (this.#refused.some((pattern) => covers(pattern, path))) return false
    return this.#allowed.length === 0 || this.#allowed.some((pattern) => covers(pattern, path))
  }
}

/** A path, or a folder above it, fits. */
function covers(pattern: RegExp, path: string): boolean {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) if (pattern.test(at)) return true
  return false
}

/** Without the ends that say no more than "and all below". */
function bare(pattern: string): string {
  return pattern.replace(/^(\.\/)+/, '').replace(/(\/(\*\*)?)+$/, '')
}

function patternOf(given: string): RegExp {
  const pattern = bare(given)
  // A plain name is a path from the top; only a pattern is looked for in all folders.
  return /[*?{]/.test(pattern) ? globbed(pattern) : new RegExp(`^${escaped(pattern)}$`)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.+()|[\]{}*?]/g, '\\$&')
}

/** Settings of all agents, and what of them holds for one: key by key, what stands under the closest name. */
export class Agents {
  readonly options: AgentOptions
  readonly #rows: readonly { readonly pattern: string; readonly fits: RegExp; readonly settings: AgentSettings }[]
  readonly #known = new Map<string, EffectiveSettings>()

  constructor(options: AgentOptions) {
    this.options = options
    const rows = Object.entries(options).map(([pattern, settings], at) => ({ pattern, settings, at }))
    // From the most general to the closest; of two that are equally close, the later one wins.
    rows.sort((a, b) => closeness(a.pattern) - closeness(b.pattern) || a.at - b.at)
    this.#rows = rows.map(({ pattern, settings }) => ({ pattern, settings, fits: nameFits(pattern) }))
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0
  }

  /** Who gives no name has the empty one, which only patterns fit. */
  of(actor = ''): EffectiveSettings {
    const known = this.#known.get(actor)
    if (known !== undefined) return known
    const settings: Record<string, unknown> = {}
    const origins = new Map<SettingName, string>()
    for (const row of this.#rows) {
      if (!row.fits.test(actor)) continue
      for (const name of SETTING_NAMES) {
        if (row.settings[name] === undefined) continue
        settings[name] = row.settings[name]
        origins.set(name, row.pattern)
      }
    }
    const effective = new EffectiveSettings(
      actor,
      Object.freeze(settings as AgentSettings),
      [...origins].map(([name, from]) => ({ name, from })),
    )
    // Names come from callers: there may be any number.
    if (this.#known.size >= MAX_AGENTS) this.#known.clear()
    this.#known.set(actor, effective)
    return effective
  }
}

function isExact(pattern: string): boolean {
  return !/[*?]/.test(pattern)
}

/** How close a pattern is to the names that it fits: the characters that it fixes; a name itself is closest. */
function closeness(pattern: string): number {
  return isExact(pattern) ? Number.POSITIVE_INFINITY : pattern.replace(/[*?]/g, '').length
}

function nameFits(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.+()|[\]{}*?]/g, (character) =>
    character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`,
  )
  return new RegExp(`^${source}$`, 's')
}

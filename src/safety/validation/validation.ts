import { hashBytes } from '../../content/hash.ts'
import type { ContentHash } from '../../entry/state.ts'
import type { Sight } from '../../transaction/guard.ts'
import { runValidator, type Validator } from './custom.ts'
import { type Dialect, dialectOf, type FileType } from './file-type.ts'
import type { Findings, Flaw } from './findings.ts'
import { globbed } from './glob.ts'
import { reaches, type ValidationLevel } from './level.ts'
import type { ValidationSettings } from './options.ts'
import { Parsing } from './parsing.ts'
import { unresolved } from './references/resolve.ts'
import { Remembered } from './remembered.ts'

/** Parts of answers that are remembered, a few tens of megabytes at most. */
const REMEMBERED = 100_000
/** Issues of one examination that are listed. */
const MAX_ISSUES = 1000
/** Files that are looked at beside each other. */
const LANES = 4
/** Headings of this much Markdown are looked for. */
const LINKED_BYTES = 4 * 1024 * 1024

/** Something wrong with a file. */
export interface Issue extends Flaw {
  readonly path: string
  /** A type of file, or the name of a validator. */
  readonly validator: string
  /** Did the file have it before the change? */
  readonly existing?: true
  /** The transaction leaves this file as it is, and removes, or moves away, what it refers to. */
  readonly dependent?: true
}

/** A file to look at. */
export interface Candidate {
  readonly path: string
  readonly hash: ContentHash | null
  readonly size: number
  readonly read: () => Promise<Uint8Array>
}

export interface ValidationReport {
  readonly issues: readonly Issue[]
  /** How many more there are than are listed. */
  readonly omitted: number
  /** Files that somebody looked at. */
  readonly checked: number
}

/** Types of files that name others. */
const REFERRING: ReadonlySet<FileType> = new Set([
  ...(['json', 'jsonc', 'yaml', 'markdown', 'javascript', 'typescript', 'python'] as const),
])

interface Custom {
  readonly validator: Validator
  readonly patterns: readonly RegExp[]
}

/** Looks at contents with the parsers of their types, and with the validators of the caller. */
export class Validation {
  readonly settings: ValidationSettings
  readonly #custom: readonly Custom[]
  readonly #parsing: Parsing
  readonly #known = new Remembered(REMEMBERED)

  constructor(settings: ValidationSettings) {
    this.settings = settings
    this.#parsing = new Parsing(settings)
    this.#custom = settings.validators.map((validator) => ({
      validator,
      patterns: (typeof validator.files === 'string' ? [validator.files] : validator.files).map(globbed),
    }))
  }

  /** The level for a path. `asked` instead of that of the settings. */
  levelOf(path: string, asked: ValidationLevel = this.settings.level): ValidationLevel {
    if (asked === 'off' || this.settings.exclude.some((pattern) => pattern.test(path))) return 'off'
    const dialect = dialectOf(path)
    return (dialect === null ? undefined : this.settings.types[dialect.type]) ?? asked
  }

  /**
   * Everything that is wrong with these files, in their order.
   * @throws JournalError `VALIDATOR`, `ABORTED`
   */
  async examine(
    files: readonly Candidate[],
    sight: Sight,
    options: { readonly level?: ValidationLevel | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ValidationReport> {
    const answers: (readonly Issue[] | null)[] = []
    let omitted = 0
    let next = 0
    const lane = async (): Promise<void> => {
      for (let at = next++; at < files.length; at = next++) {
        const answer = await this.#file(files[at] as Candidate, sight, options)
        answers[at] = answer === null ? null : answer.issues
        omitted += answer?.omitted ?? 0
      }
    }
    const lanes = Array.from({ length: Math.min(LANES, files.length) }, lane)
    const failed = (await Promise.allSettled(lanes)).find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const issues = answers.flatMap((answer) => answer ?? [])
    const checked = answers.filter((answer) => answer !== null).length
    return { issues: issues.slice(0, MAX_ISSUES), omitted: omitted + Math.max(issues.length - MAX_ISSUES, 0), checked }
  }

  /** Might a file be of the level at which what it names must be there? */
  asksForReferences(asked: ValidationLevel = this.settings.level): boolean {
    if (asked === 'off') return false
    return asked === 'strict' || Object.values(this.settings.types).includes('strict')
  }

  /** Is a file of that level, and of a type that names others? */
  namesOthers(path: string, asked?: ValidationLevel): boolean {
    const dialect = dialectOf(path)
    return dialect !== null && REFERRING.has(dialect.type) && this.levelOf(path, asked) === 'strict'
  }

  /**
   * References of a content that lead somewhere in one sight, and nowhere in the other.
   * @throws JournalError `VALIDATOR`, `ABORTED`
   */
  async severed(
    path: string,
    bytes: Uint8Array,
    before: Sight,
    after: Sight,
    signal: AbortSignal | undefined,
  ): Promise<Issue[]> {
    const dialect = dialectOf(path)
    if (dialect === null || this.#replaced(path, 'strict')) return []
    const found = await this.#parsed(path, dialect, hashBytes(bytes), () => Promise.resolve(bytes), true, signal)
    const missing = async (sight: Sight): Promise<Flaw[]> =>
      unresolved(sight, path, found.references, async (other) =>
        other === path ? (found.anchors ?? null) : this.#anchors(other, sight, signal),
      )
    const now = await missing(after)
    if (now.length === 0) return []
    const had = new Set((await missing(before)).map(placeOf))
    return now
      .filter((flaw) => !had.has(placeOf(flaw)))
      .map((flaw): Issue => ({ path, validator: dialect.type, ...flaw, dependent: true }))
  }

  close(): Promise<void> {
    return this.#parsing.close()
  }

  /** Null: nobody looks at such files. */
  async #file(
    { path, hash, size, read }: Candidate,
    sight: Sight,
    {
      level: asked,
      signal,
    }: { readonly level?: ValidationLevel | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<{ issues: Issue[]; omitted: number } | null> {
    const level = this.levelOf(path, asked)
    if (level === 'off') return null
    const custom = this.#customFor(path, level)
    const instead = custom.some(({ validator }) => validator.instead === true)
    const dialect = instead ? null : dialectOf(path)
    if (dialect === null && custom.length === 0) return null
    const { maxBytes, timeoutMs } = this.settings
    if (size > maxBytes) {
      const message = `has ${size} bytes: more than the ${maxBytes} that are looked at (maxBytes)`
      const validator = dialect?.type ?? (custom[0] as Custom).validator.name
      return { issues: [{ path, validator, message, line: 1, column: 1, excerpt: '' }], omitted: 0 }
    }
    let content: Promise<Uint8Array> | undefined
    const bytes = (): Promise<Uint8Array> => (content ??= read())
    const issues: Issue[] = []
    let omitted = 0
    const add = (validator: string, flaws: readonly Flaw[]): void => {
      for (const flaw of flaws) issues.push({ path, validator, ...flaw })
    }
    if (dialect !== null) {
      const found = await this.#parsed(path, dialect, hash, bytes, level === 'strict', signal)
      add(dialect.type, found.flaws)
      omitted += found.omitted
      if (level === 'strict' && found.references.length > 0) {
        const anchors = (other: string): Promise<readonly string[] | null> =>
          other === path ? Promise.resolve(found.anchors ?? null) : this.#anchors(other, sight, signal)
        add(dialect.type, await unresolved(sight, path, found.references, anchors))
      }
    }
    for (const { validator } of custom) {
      const key = validator.cache === true && hash !== null ? `${validator.name}\0${level}\0${path}\0${hash}` : null
      const known = key === null ? undefined : this.#known.get(key)
      const flaws =
        known?.flaws ?? (await runValidator(validator, { path, bytes: await bytes(), level, sight, timeoutMs, signal }))
      if (key !== null && known === undefined) this.#known.set(key, { flaws, omitted: 0, references: [] })
      add(validator.name, flaws)
    }
    return { issues, omitted }
  }

  #customFor(path: string, level: ValidationLevel): readonly Custom[] {
    return this.#custom.filter(
      ({ validator, patterns }) =>
        reaches(level, validator.level ?? 'basic') && patterns.some((pattern) => pattern.test(path)),
    )
  }

  /** Does a validator of the caller stand in the place of the parser? */
  #replaced(path: string, level: ValidationLevel): boolean {
    return this.#customFor(path, level).some(({ validator }) => validator.instead === true)
  }

  /** What a parser says of a content follows from the content alone; what a file refers to is looked for each time. */
  async #parsed(
    path: string,
    dialect: Dialect,
    hash: ContentHash | null,
    bytes: () => Promise<Uint8Array>,
    references: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Findings> {
    const key = hash === null ? null : `${dialect.type}\0${dialect.variant ?? ''}\0${references}\0${hash}`
    const known = key === null ? undefined : this.#known.get(key)
    if (known !== undefined) return known
    const found = await this.#parsing.run(path, { dialect, bytes: await bytes(), references }, signal)
    if (key !== null) this.#known.set(key, found)
    return found
  }

  async #anchors(path: string, sight: Sight, signal: AbortSignal | undefined): Promise<readonly string[] | null> {
    const bytes = await sight.read(path, LINKED_BYTES)
    if (bytes === null) return null
    const dialect: Dialect = { type: 'markdown' satisfies FileType }
    const found = await this.#parsed(path, dialect, hashBytes(bytes), () => Promise.resolve(bytes), true, signal)
    return found.anchors ?? []
  }
}

function placeOf({ line, column, message }: Flaw): string {
  return `${line}:${column} ${message}`
}

import ignore, { type Ignore } from 'ignore'

/** Left out wherever they stand, unless a rule of the workspace takes them back in. */
const DEFAULTS = ['.git', 'node_modules']
/** In each folder, the later overruling the earlier. */
export const RULE_FILES = ['.gitignore', '.journalignore'] as const
/** The package remembers every path it was asked about. */
const QUESTIONS = 20_000
const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin'

export interface RuleOptions {
  /** Patterns of the caller, in the syntax of `.gitignore`, relative to the workspace; they overrule all files. */
  readonly patterns: readonly string[]
  /** Heed `.gitignore` files. */
  readonly gitignore: boolean
  /** Leave out `.git` and `node_modules`. */
  readonly defaults: boolean
}

/** Reads the rule file at a path of the workspace; null when there is none. */
export type ReadRules = (path: string) => string | null

/** One list of patterns. A pattern that cannot be understood matches nothing, as in git. */
class Patterns {
  readonly #text: readonly string[]
  #compiled: Ignore | null = null
  #asked = 0

  constructor(texts: readonly string[]) {
    this.#text = texts.flatMap((text) => text.replace(/^\uFEFF/, '').split(/\r?\n/))
  }

  /** True: left out; false: taken in; null: nothing is said. */
  verdict(path: string): boolean | null {
    this.#asked += 1
    if (this.#compiled === null || this.#asked % QUESTIONS === 0) this.#compiled = compiled(this.#text)
    const { ignored, unignored } = this.#compiled.test(path)
    return ignored ? true : unignored ? false : null
  }
}

function compiled(lines: readonly string[]): Ignore {
  const rules = ignore({ ignorecase: IGNORES_CASE, allowRelativePaths: true })
  for (const line of lines) {
    const alone = ignore({ ignorecase: IGNORES_CASE, allowRelativePaths: true })
    try {
      alone.add(line).ignores('x')
    } catch {
      continue
    }
    rules.add(line)
  }
  return rules
}

interface Level {
  readonly folder: string
  /** Null: the folder has no rules of its own. */
  readonly rules: Patterns | null
}

/**
 * What is left out, by the rules of the workspace: as git does it, the nearest `.gitignore` says most, the last pattern that fits decides, and nothing is taken
 * back in below a folder that is left out. A `.journalignore` beside it, of the same syntax, overrules it.
 */
export class IgnoreRules {
  readonly #read: ReadRules
  readonly #files: readonly string[]
  readonly #own: Patterns | null
  readonly #base: Patterns
  #levels: Level[] = []

  constructor(read: ReadRules, { patterns, gitignore, defaults }: RuleOptions) {
    this.#read = read
    this.#files = gitignore ? RULE_FILES : RULE_FILES.slice(1)
    this.#own = patterns.length === 0 ? null : new Patterns(patterns)
    const exclude = gitignore ? read('.git/info/exclude') : null
    this.#base = new Patterns([...(defaults ? DEFAULTS : []), ...(exclude === null ? [] : [exclude])])
  }

  /** Gets ready for questions about names in `folder`, which the rules do not leave out. `names`: what is in it, where that is known. */
  enter(folder: string, names?: ReadonlySet<string>): void {
    const levels = this.#levels
    while (levels.length > 0 && !isAbove((levels.at(-1) as Level).folder, folder)) levels.pop()
    if (levels.at(-1)?.folder === folder) return
    const last = levels.at(-1)
    // Those in between, where it was not come to step by step.
    if (last === undefined && folder !== '') this.enter('')
    else if (last !== undefined && parentOf(folder) !== last.folder) this.enter(parentOf(folder))
    const texts = this.#files
      .filter((name) => names === undefined || names.has(name))
      .flatMap((name) => this.#read(folder === '' ? name : `${folder}/${name}`) ?? [])
    this.#levels.push({ folder, rules: texts.length === 0 ? null : new Patterns(texts) })
  }

  /** Why a name in the folder that was entered is left out; null: it is not. */
  reason(path: string, isFolder: boolean): 'ignored' | 'pattern' | null {
    const asked = isFolder ? `${path}/` : path
    const own = this.#own?.verdict(asked) ?? null
    if (own !== null) return own ? 'pattern' : null
    for (let at = this.#levels.length - 1; at >= 0; at -= 1) {
      const { folder, rules } = this.#levels[at] as Level
      const verdict = rules?.verdict(folder === '' ? asked : asked.slice(folder.length + 1)) ?? null
      if (verdict !== null) return verdict ? 'ignored' : null
    }
    return this.#base.verdict(asked) === true ? 'ignored' : null
  }

  /** The same for a path anywhere, asked of the workspace downwards: below a folder that is left out everything is. */
  reasonBelow(path: string, isFolder: boolean): 'ignored' | 'pattern' | null {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash)
      this.enter(parentOf(folder))
      const reason = this.reason(folder, true)
      if (reason !== null) return reason
    }
    this.enter(parentOf(path))
    return this.reason(path, isFolder)
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** Is `folder` the same as `path`, or above it? */
function isAbove(folder: string, path: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

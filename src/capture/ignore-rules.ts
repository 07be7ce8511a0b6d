import ignore, { type Ignore } from 'ignore'
import { isWithin } from '../history/path-scope.ts'
import { nameOf, parentOf } from '../workspace/safe-path.ts'

/** Left out wherever they stand, unless a rule of the workspace takes them in. */
const DEFAULTS = ['node_modules']
/** Whatever the files say: to git it is no part of the tree. */
const GIT = '.git'
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
  readonly #lines: readonly string[]
  #compiled: Ignore | null = null
  #asked = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  /** True: left out; false: taken in; null: nothing is said. */
  verdict(path: string): boolean | null {
    this.#asked += 1
    if (this.#compiled === null || this.#asked % QUESTIONS === 0) this.#compiled = compiled(this.#lines)
    const { ignored, unignored } = this.#compiled.test(path)
    return ignored ? true : unignored ? false : null
  }

  /** Without those that leave out `path`. */
  sparing(path: string): Patterns {
    return new Patterns(this.#lines.filter((line) => !compiled([line]).ignores(path)))
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

function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/)
}

/** What a file of rules, or somebody else, says of the paths below a folder. */
interface List {
  readonly folder: string
  readonly patterns: Patterns
}

/** What is to be asked in a folder, what says least first. */
interface Level {
  readonly folder: string
  readonly lists: readonly List[]
}

/**
 * What is left out, by the rules of the workspace: as git does it, the nearest `.gitignore` says most, the last pattern that fits decides, and nothing is taken
 * back in below a folder that is left out. A `.journalignore` beside it, of the same syntax, overrules it.
 */
export class IgnoreRules {
  readonly #read: ReadRules
  readonly #files: readonly string[]
  /** What overrules all files. */
  readonly #own: Patterns | null
  /** What all files overrule. */
  readonly #base: readonly string[]
  readonly #defaults: boolean
  readonly #levels: Level[] = []

  constructor(read: ReadRules, { patterns, gitignore, defaults }: RuleOptions) {
    this.#read = read
    this.#files = gitignore ? RULE_FILES : RULE_FILES.slice(1)
    this.#own = patterns.length === 0 ? null : new Patterns(patterns)
    this.#defaults = defaults
    const exclude = gitignore ? read('.git/info/exclude') : null
    this.#base = [...(defaults ? DEFAULTS : []), ...linesOf(exclude ?? ''), ...patterns]
  }

  /** Gets ready for questions about names in `folder`, which the rules do not leave out. `names`: what is in it, where that is known. */
  enter(folder: string, names?: ReadonlySet<string>): void {
    const levels = this.#levels
    while (levels.length > 0 && !isWithin(folder, (levels.at(-1) as Level).folder)) levels.pop()
    if (levels.at(-1)?.folder === folder) return
    // Those in between, where it was not come to step by step.
    if (folder !== '' && levels.at(-1)?.folder !== parentOf(folder)) this.enter(parentOf(folder))
    const above = levels.at(-1)?.lists ?? [{ folder: '', patterns: new Patterns(this.#base) }]
    const lists = above.map((list) => {
      // It was overruled: then it does not speak of what is below either.
      const path = `${below(folder, list.folder)}/`
      const spoke = folder !== '' && list.patterns.verdict(path) === true
      return spoke ? { folder: list.folder, patterns: list.patterns.sparing(path) } : list
    })
    const texts = this.#files
      .filter((name) => names === undefined || names.has(name))
      .flatMap((name) => this.#read(folder === '' ? name : `${folder}/${name}`) ?? [])
    if (texts.length > 0) lists.push({ folder, patterns: new Patterns(texts.flatMap(linesOf)) })
    levels.push({ folder, lists })
  }

  /** Why a name in the folder that was entered is left out; null: it is not. */
  reason(path: string, isFolder: boolean): 'ignored' | 'pattern' | null {
    const asked = isFolder ? `${path}/` : path
    const own = this.#own?.verdict(asked) ?? null
    if (own !== null) return own ? 'pattern' : null
    if (this.#defaults && nameOf(path) === GIT) return 'ignored'
    const lists = this.#levels.at(-1)?.lists ?? []
    for (let at = lists.length - 1; at >= 0; at -= 1) {
      const { folder, patterns } = lists[at] as List
      const verdict = patterns.verdict(below(asked, folder))
      if (verdict !== null) return verdict ? 'ignored' : null
    }
    return null
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

/** A path as seen from a folder above it. */
function below(path: string, folder: string): string {
  return folder === '' ? path : path.slice(folder.length + 1)
}

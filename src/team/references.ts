import { readPython } from '../edit/imports/python-source.ts'
import { JournalError } from '../errors.ts'
import { dialectOf } from '../safety/validation/file-type.ts'
import { joined } from '../safety/validation/references/relative.ts'
import { ancestorsOf, joinPath, nameOf, parentOf } from '../workspace/safe-path.ts'

/** How one file depends on another. */
export type ReferenceKind = 'import' | 'link' | 'file'

export interface FileReference {
  readonly kind: ReferenceKind
  readonly path: string
}

/**
 * Files of a plan, by what others may call them. References are found by their form, without a parser: one too many makes for an order that was not needed, and
 * finding them must cost less than it saves.
 */
export class PlannedFiles {
  readonly #paths: ReadonlySet<string>
  /** Paths without their endings: what is imported may be named with another one, or with none. */
  readonly #stems = new Map<string, string>()
  readonly #names = new Map<string, string[]>()

  constructor(paths: Iterable<string>) {
    this.#paths = new Set(paths)
    for (const path of this.#paths) {
      this.#stems.set(stemOf(path), path)
      const name = nameOf(path)
      this.#names.set(name, [...(this.#names.get(name) ?? []), path])
    }
  }

  /** Other files of the plan that a text names. */
  referencesOf(path: string, text: string): readonly FileReference[] {
    const found = new Map<string, FileReference>()
    const note = (kind: ReferenceKind, target: string | undefined): void => {
      if (target !== undefined && target !== path && !found.has(target)) found.set(target, { kind, path: target })
    }
    switch (dialectOf(path)?.type) {
      case 'javascript':
      case 'typescript':
        for (const target of scriptTargets(text)) note('import', this.#script(path, target))
        break
      case 'python':
        for (const target of pythonTargets(text, path)) note('import', this.#python(path, target))
        break
      case 'markdown':
        for (const target of linkTargets(text)) note('link', this.#exact(parentOf(path), target))
        break
      case 'json':
      case 'jsonc':
      case 'yaml':
      case 'toml':
      case 'ini':
        for (const target of this.#named(path, text)) note('file', target)
        break
      default:
    }
    return [...found.values()]
  }

  #exact(folder: string, target: string): string | undefined {
    const path = joined(folder, target)
    return path !== null && this.#paths.has(path) ? path : undefined
  }

  #script(from: string, target: string): string | undefined {
    if (!/^\.\.?(\/|$)/.test(target)) return undefined
    const path = joined(parentOf(from), target.replace(/[?#].*$/, ''))
    if (path === null) return undefined
    if (this.#paths.has(path)) return path
    return this.#stems.get(path) ?? this.#stems.get(stemOf(path)) ?? this.#stems.get(joinPath(path, 'index'))
  }

  #python(from: string, target: string): string | undefined {
    const [, dots = '', name = ''] = /^(\.*)(.*)$/.exec(target) ?? []
    const parts = name === '' ? [] : name.split('.')
    const up = parentOf(from) === '' ? [] : parentOf(from).split('/')
    if (dots.length - 1 > up.length) return undefined
    const places =
      dots === '' ? [...ancestorsOf(from), '', 'src'] : [up.slice(0, up.length - (dots.length - 1)).join('/')]
    for (const place of places) {
      const path = [place, ...parts].filter((part) => part !== '').join('/')
      for (const ending of ['.py', '.pyi', '/__init__.py'])
        if (this.#paths.has(`${path}${ending}`)) return `${path}${ending}`
    }
    return undefined
  }

  /** Words of a configuration that end with the name of a planned file, from its own folder or from the top. */
  *#named(from: string, text: string): Generator<string> {
    for (const [word] of text.matchAll(/[^\s"'`,;:=()[\]{}<>|]+/g)) {
      if (!this.#names.has(word.slice(word.lastIndexOf('/') + 1))) continue
      const path = this.#exact(parentOf(from), word) ?? this.#exact('', word)
      if (path !== undefined) yield path
    }
  }
}

function stemOf(path: string): string {
  return path.replace(/(\.d)?\.[cm]?[jt]sx?$/, '')
}

const IMPORTS = /\b(?:from|import|require)\s*(?:\(\s*)?(?:"([^"\n]+)"|'([^'\n]+)')/g

function* scriptTargets(text: string): Generator<string> {
  for (const [, double, single] of text.matchAll(IMPORTS)) yield (double ?? single) as string
}

function* pythonTargets(text: string, path: string): Generator<string> {
  let source: ReturnType<typeof readPython>
  try {
    source = readPython(text, path)
  } catch (error) {
    if (error instanceof JournalError) return
    throw error
  }
  for (const { module, bindings } of source.imports) {
    if (module === null) for (const { name } of bindings) yield name
    else {
      yield module
      for (const { name } of bindings) yield module.endsWith('.') ? `${module}${name}` : `${module}.${name}`
    }
  }
}

function* linkTargets(text: string): Generator<string> {
  const links = /\]\(\s*<?([^)\s>]+)|^\s{0,3}\[[^\]\n]+\]:\s*<?([^\s>]+)|\b(?:href|src)\s*=\s*["']([^"']+)/gm
  for (const [, inline, definition, markup] of text.matchAll(links)) {
    const target = (inline ?? definition ?? markup ?? '').replace(/[#?].*$/, '')
    if (target === '' || /^([a-z][a-z0-9+.-]*:|\/)/i.test(target)) continue
    yield unescaped(target)
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

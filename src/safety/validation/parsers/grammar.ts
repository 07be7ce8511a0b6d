import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import type { Language, Node, Parser, Tree } from '@vscode/tree-sitter-wasm'
import type { FileType } from '../file-type.ts'
import type { Finder } from '../findings.ts'
import { checkPython } from './python.ts'

export const GRAMMARS = '@vscode/tree-sitter-wasm'

const NAMES: Readonly<Partial<Record<FileType, string>>> = {
  python: 'python',
  go: 'go',
  rust: 'rust',
  java: 'java',
  // C++ takes nearly all of C.
  c: 'cpp',
  cpp: 'cpp',
  csharp: 'c-sharp',
  ruby: 'ruby',
  php: 'php',
  bash: 'bash',
  powershell: 'powershell',
  css: 'css',
}

/**
 * One function of it is so large that the engine's optimizing compiler takes more than ten seconds for it, and no process ends before that is done: a file of one
 * line would cost them.
 */
const HUGE = new Set(['powershell'])
/** What makes the engine compile WebAssembly anew while it runs, and function by function as they are called. Read when a module is compiled. */
const OPTIMIZING = ['wasm-dynamic-tiering', 'wasm-tier-up', 'wasm-lazy-compilation']

/** Loads a grammar with the plain compiler alone. What others compile in these milliseconds is as right, and slower at most. */
async function plainly<T>(load: () => Promise<T>): Promise<T> {
  for (const flag of OPTIMIZING) setFlagsFromString(`--no-${flag}`)
  try {
    return await load()
  } finally {
    for (const flag of OPTIMIZING) setFlagsFromString(`--${flag}`)
  }
}

/** A file of `path` is of a type whose grammar is not installed. */
export class MissingGrammars extends Error {}

interface Grammars {
  readonly parser: Parser
  readonly language: (name: string) => Promise<Language>
}

let loaded: Promise<Grammars> | null = null

async function load(): Promise<Grammars> {
  const require = createRequire(import.meta.url)
  let file: string
  try {
    file = require.resolve(`${GRAMMARS}/wasm/tree-sitter.js`)
  } catch (cause) {
    throw new MissingGrammars(`${GRAMMARS} is not installed`, { cause })
  }
  const { Parser, Language } = require(file) as typeof import('@vscode/tree-sitter-wasm')
  await Parser.init()
  const languages = new Map<string, Promise<Language>>()
  return {
    parser: new Parser(),
    language: (name) => {
      const file = require.resolve(`${GRAMMARS}/wasm/tree-sitter-${name}.wasm`)
      const known = languages.get(name) ?? (HUGE.has(name) ? plainly(() => Language.load(file)) : Language.load(file))
      languages.set(name, known)
      return known
    },
  }
}

/** The other languages, by their tree-sitter grammars as WebAssembly. */
export async function parseGrammar(finder: Finder, type: FileType, wantReferences: boolean): Promise<void> {
  loaded ??= load()
  const { parser, language } = await loaded.catch((error: unknown) => {
    loaded = null
    throw error
  })
  parser.setLanguage(await language(NAMES[type] as string))
  const tree = parser.parse(finder.text)
  if (tree === null) throw new Error('the parser gave no tree')
  try {
    if (tree.rootNode.hasError) faults(finder, tree)
    if (type === 'python') checkPython(finder, tree, wantReferences)
  } finally {
    tree.delete()
  }
}

/** Every place at which the parser had to leave something out, or to imagine something. */
function faults(finder: Finder, tree: Tree): void {
  const cursor = tree.walk()
  try {
    for (let down = true; ; ) {
      if (down) {
        const node = cursor.currentNode
        if (node.isMissing) finder.flaw(node.startIndex, `expected ${named(node)}`)
        // What stands below what was left out says nothing more.
        else if (node.isError) finder.flaw(faultAt(node), `unexpected ${quoted(finder.text, faultAt(node))}`)
        else if (node.hasError && cursor.gotoFirstChild()) continue
      }
      if (cursor.gotoNextSibling()) down = true
      else if (cursor.gotoParent()) down = false
      else return
    }
  } finally {
    cursor.delete()
  }
}

/** Where the parser gave up, as far as the tree tells: behind what it had understood. */
function faultAt(node: Node): number {
  for (let at = node; ; ) {
    const inner = at.children.find((child) => child?.isError)
    if (inner === undefined || inner === null) return at.startIndex
    at = inner
  }
}

function named({ type }: Node): string {
  return /^\w+$/.test(type) ? type.replaceAll('_', ' ') : `\`${type}\``
}

function quoted(text: string, at: number): string {
  const [word = ''] = /^\s*(\w+|\S)?/.exec(text.slice(at, at + 60)) ?? []
  const shown = word.trim().slice(0, 40)
  return shown === '' ? 'end of the file' : `\`${shown}\``
}

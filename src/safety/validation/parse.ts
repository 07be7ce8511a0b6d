import type { Dialect, FileType } from './file-type.ts'
import { Finder, type Findings } from './findings.ts'
import { decode } from './text.ts'

/** A text to look at. */
export interface ParseRequest {
  readonly dialect: Dialect
  readonly bytes: Uint8Array
  /** Say also what the text names outside of itself. */
  readonly references: boolean
}

/** A text made for it takes some hundred times as much memory, and seconds. */
const GRAMMAR_LENGTH = 1024 * 1024

/** Types that are parsed by grammars. */
export const GRAMMAR_TYPES: ReadonlySet<FileType> = new Set([
  ...(['python', 'go', 'rust', 'java', 'c', 'cpp', 'csharp', 'ruby', 'php', 'bash', 'powershell', 'css'] as const),
])

/**
 * Looks at a text with the parser of its type, which is loaded when it is first needed.
 * @throws whatever a parser throws that is no finding
 */
export async function parse({ dialect, bytes, references }: ParseRequest): Promise<Findings> {
  const decoded = decode(bytes, dialect.type)
  if ('problem' in decoded) {
    const before = Buffer.from(bytes.buffer, bytes.byteOffset, decoded.at).toString('latin1')
    const finder = new Finder(before)
    finder.flaw(before.length, `the content ${decoded.problem}`)
    return finder.findings()
  }
  const finder = new Finder(decoded.text)
  try {
    await parseText(finder, dialect, references)
  } catch (error) {
    // The engine's stack ended, which it says in these words.
    if (!(error instanceof RangeError) || !/call stack/i.test(error.message)) throw error
    finder.flaw(0, 'it is nested too deeply to be looked at')
  }
  return finder.findings()
}

async function parseText(finder: Finder, dialect: Dialect, references: boolean): Promise<void> {
  const { type } = dialect
  switch (type) {
    case 'json':
    case 'jsonc':
      return (await import('./parsers/json.ts')).parseJson(finder, type === 'jsonc', references)
    case 'jsonl':
      return (await import('./parsers/json.ts')).parseJsonLines(finder)
    case 'yaml':
      return (await import('./parsers/yaml.ts')).parseYaml(finder, references)
    case 'toml':
      return (await import('./parsers/toml.ts')).parseToml(finder)
    case 'ini':
      return (await import('./parsers/ini.ts')).parseIni(finder)
    case 'markdown':
      return (await import('./parsers/markdown.ts')).parseMarkdown(finder, references)
    case 'javascript':
    case 'typescript':
      return (await import('./parsers/script.ts')).parseScript(finder, dialect, references)
    default:
      if (!GRAMMAR_TYPES.has(type)) throw new Error(`there is no parser for ${type}`)
      if (finder.text.length > GRAMMAR_LENGTH)
        return finder.flaw(0, `it is larger than what a grammar is given: ${GRAMMAR_LENGTH} characters`)
      return (await import('./parsers/grammar.ts')).parseGrammar(finder, type, references)
  }
}

import { checkNesting } from '../nesting.ts'
import { type PythonStatement, pythonStatements } from './python-lines.ts'

/** One name that an import statement binds, and where it stands. */
export interface PythonBinding {
  /** Of `import a.b`: `a.b`; of `from m import n`: `n`, or `*`. */
  readonly name: string
  /** What it is called here; of `import a.b` without `as`: `a`. */
  readonly local: string
  readonly renamed: boolean
  readonly from: number
  readonly to: number
}

export interface PythonImport extends PythonStatement {
  /** Of `from m import …`; null: `import …`. */
  readonly module: string | null
  readonly bindings: readonly PythonBinding[]
  /** Where the closing bracket of its names is. */
  readonly close: number | undefined
  /** At the level of the file, or in a block of it that is run with it. */
  readonly level: 'top' | 'block' | 'inner'
}

export interface PythonSource {
  readonly text: string
  readonly statements: readonly PythonStatement[]
  readonly imports: readonly PythonImport[]
}

interface Token {
  readonly text: string
  readonly from: number
  readonly to: number
}

const TOKEN = /[\p{ID_Start}_][\p{ID_Continue}]*|\.|[(),*]|#[^\n]*|\\\r?\n|\s+|[\s\S]/gu

/** @throws JournalError `INVALID` with the line */
export function readPython(text: string, path: string): PythonSource {
  checkNesting(text, path)
  const statements = pythonStatements(text, path)
  const imports: PythonImport[] = []
  /** Blocks around a statement, outermost first. */
  const around: { indent: number; inner: boolean }[] = []
  for (const statement of statements) {
    const words = text.slice(statement.from, Math.min(statement.to, statement.from + 200))
    while (around.length > 0 && (around.at(-1)?.indent ?? 0) >= statement.indent) around.pop()
    if (/^(?:import|from)\b/.test(words)) {
      const inner = around.some((block) => block.inner)
      const level = statement.indent === 0 && around.length === 0 ? 'top' : inner ? 'inner' : 'block'
      const found = importOf(text, statement, level)
      if (found !== undefined) imports.push(found)
    } else if (
      /^(?:async\s+)?(?:def|class)\b|^(?:if|elif|else|try|except|finally|with|for|while|match|case)\b/.test(words)
    ) {
      around.push({ indent: statement.indent, inner: /^(?:async|def|class)\b|TYPE_CHECKING/.test(words) })
    }
  }
  return { text, statements, imports }
}

/** Undefined for what only looks like one. */
export function importOf(
  text: string,
  statement: PythonStatement,
  level: PythonImport['level'],
): PythonImport | undefined {
  const tokens: Token[] = []
  for (const found of text.slice(statement.from, statement.to).matchAll(TOKEN)) {
    const [word] = found
    if (/^(?:#|\\|\s)/.test(word)) continue
    const from = statement.from + found.index
    tokens.push({ text: word, from, to: from + word.length })
  }
  let at = 1
  const dotted = (): Token | undefined => {
    const first = tokens[at]
    let last: Token | undefined
    let name = ''
    for (let token = tokens[at]; token !== undefined; token = tokens[at]) {
      const isName = /^[\p{ID_Start}_]/u.test(token.text) && token.text !== 'import' && token.text !== 'as'
      if (!(token.text === '.' || (isName && (name === '' || name.endsWith('.'))))) break
      name += token.text
      last = token
      at += 1
    }
    return first === undefined || last === undefined ? undefined : { text: name, from: first.from, to: last.to }
  }
  let module: string | null = null
  if (tokens[0]?.text === 'from') {
    module = dotted()?.text ?? null
    if (module === null || tokens[at]?.text !== 'import') return undefined
    at += 1
  }
  const bracket = tokens[at]?.text === '(' && module !== null
  if (bracket) at += 1
  const bindings: PythonBinding[] = []
  while (at < tokens.length && tokens[at]?.text !== ')') {
    const star = tokens[at]?.text === '*' ? tokens[at++] : undefined
    const name = star ?? dotted()
    if (name === undefined) return undefined
    const renamed = tokens[at]?.text === 'as'
    const other = renamed ? tokens[at + 1] : undefined
    if (renamed) at += 2
    const local = other?.text ?? (module === null ? (name.text.split('.')[0] ?? '') : name.text)
    bindings.push({ name: name.text, local, renamed, from: name.from, to: other?.to ?? name.to })
    if (tokens[at]?.text === ',') at += 1
    else break
  }
  const close = bracket && tokens[at]?.text === ')' ? tokens[at]?.from : undefined
  const complete = at === tokens.length - (close === undefined ? 0 : 1) && bracket === (close !== undefined)
  return complete && bindings.length > 0 ? { ...statement, module, bindings, close, level } : undefined
}

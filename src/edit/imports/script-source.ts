import type { ParseResult, ParserPlugin } from '@babel/parser'
import type { File, ImportDeclaration, ImportSpecifier, Statement } from '@babel/types'
import { JournalError } from '../../errors.ts'
import { checkNesting } from '../nesting.ts'
import { invalidLine } from '../place.ts'

/** One name that an import statement binds; `name`: what it is called in its module. */
export interface ScriptBinding {
  readonly kind: 'default' | 'namespace' | 'name' | 'effect'
  readonly name: string
  readonly local: string
  readonly type: boolean
}

/** One import statement. */
export interface ScriptImport {
  readonly node: ImportDeclaration
  readonly from: string
  /** What stands in `with { … }`. */
  readonly attributes: string
  /** `import type` */
  readonly type: boolean
  readonly bindings: readonly ScriptBinding[]
}

/** A source file in JavaScript or TypeScript. */
export interface ScriptSource {
  readonly text: string
  readonly file: File
  readonly imports: readonly ScriptImport[]
  /** TypeScript, or Flow. */
  readonly typed: boolean
  /** Values that are declared at the top level, by name, with where. */
  readonly declared: ReadonlyMap<string, number>
  /** Mistakes that do not keep it from being read, such as a name that is declared twice. */
  readonly mistakes: readonly { readonly line: number; readonly message: string }[]
}

/** @throws JournalError `INVALID` with the line */
export async function readScript(text: string, path: string): Promise<ScriptSource> {
  checkNesting(text, path)
  const { parse } = await import('@babel/parser')
  const typed = /\.[cm]?tsx?$/.test(path)
  const markup = !typed || path.endsWith('x')
  const flow = !typed && /^\s*(?:\/\*|\/\/)[^\n]*@flow/.test(text)
  const plugins: ParserPlugin[] = [
    'decorators',
    'decoratorAutoAccessors',
    'explicitResourceManagement',
    'importAttributes',
  ]
  if (typed) plugins.push('typescript')
  if (flow) plugins.push('flow')
  if (markup) plugins.push('jsx')
  let file: ParseResult<File>
  try {
    file = parse(text, {
      sourceType: path.endsWith('.cjs') ? 'script' : 'module',
      errorRecovery: true,
      allowReturnOutsideFunction: true,
      allowUndeclaredExports: true,
      plugins,
    })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const { loc } = error as SyntaxError & { loc?: { line: number } }
    const what = `this cannot be read: ${plainMessage(error.message)}`
    throw invalidLine(path, loc?.line ?? 1, what, 'Correct the file first, as text.')
  }
  const found = file.program.body.filter((node: Statement) => node.type === 'ImportDeclaration')
  const mistakes = (file.errors ?? []).map((error) => ({
    line: (error as { loc?: { line: number } }).loc?.line ?? 1,
    message: plainMessage(String((error as { message?: unknown }).message)),
  }))
  return {
    text,
    file,
    imports: found.map((node) => importOf(node, text)),
    typed: typed || flow,
    declared: declaredIn(file.program.body),
    mistakes,
  }
}

function declaredIn(body: readonly Statement[]): Map<string, number> {
  const names = new Map<string, number>()
  for (const statement of body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (node?.type === 'VariableDeclaration') {
      for (const { id } of node.declarations) if (id.type === 'Identifier') names.set(id.name, id.start ?? 0)
    } else if (
      node?.type === 'FunctionDeclaration' ||
      node?.type === 'ClassDeclaration' ||
      node?.type === 'TSEnumDeclaration'
    ) {
      if (node.id) names.set(node.id.name, node.id.start ?? 0)
    }
  }
  return names
}

function plainMessage(message: string): string {
  return message.replace(/ \(\d+:\d+\)$/, '')
}

function importOf(node: ImportDeclaration, text: string): ScriptImport {
  const type = node.importKind === 'type' || node.importKind === 'typeof'
  const bindings = node.specifiers.map((specifier): ScriptBinding => {
    const local = specifier.local.name
    if (specifier.type === 'ImportDefaultSpecifier') return { kind: 'default', name: 'default', local, type }
    if (specifier.type === 'ImportNamespaceSpecifier') return { kind: 'namespace', name: '*', local, type }
    const own = type || specifier.importKind === 'type' || specifier.importKind === 'typeof'
    return { kind: 'name', name: importedName(specifier), local, type: own }
  })
  const attributes = (node.attributes ?? []).map((item) => text.slice(item.start ?? 0, item.end ?? 0)).sort()
  const bare = bindings.length === 0 && !text.slice(node.start ?? 0, node.source.start ?? 0).includes('{')
  return {
    node,
    from: node.source.value,
    attributes: attributes.join(','),
    type,
    bindings: bare ? [{ kind: 'effect', name: '', local: '', type: false }] : bindings,
  }
}

function importedName({ imported }: ImportSpecifier): string {
  return imported.type === 'Identifier' ? imported.name : imported.value
}

/**
 * The import statements that a caller wrote.
 * @throws JournalError `INVALID`
 */
export async function readStatements(statement: string, path: string): Promise<ScriptSource> {
  let read: ScriptSource | undefined
  try {
    read = await readScript(statement, 'statement.ts')
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
  }
  const body = read?.file.program.body ?? []
  if (read !== undefined && read.mistakes.length === 0 && body.length > 0 && body.length === read.imports.length)
    return read
  throw new JournalError('INVALID', `${JSON.stringify(statement.slice(0, 200))} is no import statement`, {
    hint: "Write it as it would stand in the file: import { name } from 'module'.",
    path,
  })
}

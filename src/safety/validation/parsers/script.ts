import type { ParserOptions, ParserPlugin } from '@babel/parser'
import type { Dialect } from '../file-type.ts'
import type { Finder } from '../findings.ts'

interface SyntaxFault {
  readonly loc?: { readonly line: number; readonly column: number; readonly index?: number }
  readonly message: string
}

interface Node {
  readonly type: string
  readonly start?: number | null
  readonly value?: unknown
}

/** Proposals that compilers already take. */
const COMMON: readonly ParserPlugin[] = ['decoratorAutoAccessors', 'explicitResourceManagement', 'importAttributes']

/** JavaScript, JSX, TypeScript. */
export async function parseScript(finder: Finder, { type, variant }: Dialect, wantReferences: boolean): Promise<void> {
  const { parse } = await import('@babel/parser')
  const plugins = pluginsOf(finder.text, type, variant)
  const options = (decorators: ParserPlugin): ParserOptions => ({
    sourceType:
      variant === 'module' || type === 'typescript' ? 'module' : variant === 'commonjs' ? 'commonjs' : 'unambiguous',
    errorRecovery: true,
    attachComment: false,
    allowReturnOutsideFunction: type === 'javascript' && variant !== 'module',
    allowUndeclaredExports: true,
    plugins: [...COMMON, ...plugins, decorators],
  })
  const attempt = (decorators: ParserPlugin): { tree: unknown; faults: readonly SyntaxFault[] } => {
    try {
      const tree = parse(finder.text, options(decorators))
      return { tree, faults: (tree.errors ?? []) as unknown as readonly SyntaxFault[] }
    } catch (error) {
      if (error instanceof SyntaxError) return { tree: null, faults: [error as SyntaxFault] }
      throw error
    }
  }
  // TypeScript has decorators of two kinds, which a file does not name.
  let result = attempt(type === 'typescript' ? 'decorators-legacy' : 'decorators')
  if (result.faults.length > 0 && finder.text.includes('@')) {
    const other = attempt(type === 'typescript' ? 'decorators' : 'decorators-legacy')
    if (other.faults.length < result.faults.length) result = other
  }
  for (const { loc, message } of result.faults) {
    finder.flawAt(loc?.line ?? 1, (loc?.column ?? 0) + 1, message.replace(/ \(\d+:\d+\)$/, ''))
  }
  if (wantReferences && result.faults.length === 0) references(finder, (result.tree as { program: Node }).program)
}

function pluginsOf(text: string, type: Dialect['type'], variant: Dialect['variant']): ParserPlugin[] {
  if (type === 'javascript')
    return /^\s*(\/\*[\s\S]{0,2000}?@flow|\/\/[^\n]*@flow)/.test(text) ? ['jsx', 'flow'] : ['jsx']
  if (variant === 'tsx') return ['typescript', 'jsx']
  return [['typescript', { dts: variant === 'dts' }]]
}

/** What is imported for sure: an import within `try` may fail, and often is meant to. */
function references(finder: Finder, program: Node): void {
  const pending: Node[] = [program]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === 'TryStatement') continue
    const named = node as Node & {
      source?: Node
      callee?: Node & { name?: string }
      arguments?: Node[]
      expression?: Node
    }
    if (/^(Import|ExportNamed|ExportAll)(Declaration|Expression)$/.test(node.type)) note(finder, named.source)
    else if (node.type === 'TSExternalModuleReference') note(finder, named.expression)
    else if (node.type === 'CallExpression') {
      const { callee } = named
      if (callee?.type === 'Import' || (callee?.type === 'Identifier' && callee.name === 'require'))
        note(finder, named.arguments?.[0])
    }
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) for (const item of value) if (isNode(item)) pending.push(item)
      if (isNode(value)) pending.push(value)
    }
  }
}

function note(finder: Finder, source: Node | null | undefined): void {
  if (source?.type === 'StringLiteral') finder.reference('module', source.value as string, (source.start ?? 0) + 1)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

import type { ParserOptions, ParserPlugin } from '@babel/parser'
import type { Dialect } from '../file-type.ts'
import type { Finder } from '../findings.ts'

interface SyntaxFault {
  readonly loc?: { readonly line: number; readonly column: number; readonly index?: number }
  readonly message: string
}

type SourceType = 'module' | 'commonjs' | 'script' | 'unambiguous'

interface Attempt {
  readonly tree: unknown
  readonly faults: readonly SyntaxFault[]
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
  const attempt = (decorators: ParserPlugin, sourceType: SourceType): Attempt => {
    const options: ParserOptions = {
      sourceType,
      errorRecovery: true,
      attachComment: false,
      allowUndeclaredExports: true,
      plugins: [...COMMON, ...plugins, decorators],
      ...(sourceType === 'script' || sourceType === 'unambiguous' ? { allowReturnOutsideFunction: true } : {}),
    }
    try {
      const tree = parse(finder.text, options)
      return { tree, faults: (tree.errors ?? []) as unknown as readonly SyntaxFault[] }
    } catch (error) {
      if (error instanceof SyntaxError) return { tree: null, faults: [error as SyntaxFault] }
      throw error
    }
  }
  const attempts = attemptsFor(finder.text, type, variant)
  let result: Attempt | null = null
  for (const [decorators, sourceType] of attempts) {
    const found = attempt(decorators, sourceType)
    if (result === null || found.faults.length < result.faults.length) result = found
    if (result.faults.length === 0) break
  }
  if (result === null) return
  for (const { loc, message } of result.faults) {
    finder.flawAt(loc?.line ?? 1, (loc?.column ?? 0) + 1, message.replace(/ \(\d+:\d+\)$/, ''))
  }
  if (wantReferences && result.faults.length === 0) references(finder, (result.tree as { program: Node }).program)
}

/** A file does not say which kind of decorators it has, and often not whether it is a module. The first that fits decides. */
function attemptsFor(text: string, type: Dialect['type'], variant: Dialect['variant']): [ParserPlugin, SourceType][] {
  const typed = type === 'typescript'
  const kinds: ParserPlugin[] = typed ? ['decorators-legacy', 'decorators'] : ['decorators', 'decorators-legacy']
  const [usual, other] = kinds as [ParserPlugin, ParserPlugin]
  const sourceType = typed || variant === 'module' ? 'module' : variant === 'commonjs' ? 'commonjs' : 'unambiguous'
  const attempts: [ParserPlugin, SourceType][] = [[usual, sourceType]]
  if (text.includes('@')) attempts.push([other, sourceType])
  if (sourceType === 'unambiguous') attempts.push([usual, 'script'])
  return attempts
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

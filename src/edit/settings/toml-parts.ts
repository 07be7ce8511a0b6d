/** The parts of a TOML file by the paths of what they say. */
import type { AST } from 'toml-eslint-parser'
import type { KeyPath } from './key-path.ts'
import type { TomlManner } from './toml-form.ts'

export type Content = AST.TOMLContentNode

/** The values at the top, or those below one header. */
export interface Block {
  readonly table: AST.TOMLTable | undefined
  readonly path: KeyPath
  readonly pairs: readonly Pair[]
}

export interface Pair {
  readonly node: AST.TOMLKeyValue
  /** From the top of the file. */
  readonly path: KeyPath
  readonly block: KeyPath
}

export function pairOf(node: AST.TOMLKeyValue, block: KeyPath): Pair {
  return { node, path: [...block, ...keysOf(node)], block }
}

export function keysOf(node: AST.TOMLKeyValue): string[] {
  return node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))
}

/** The same path, or one to something that it holds. */
export function leadsTo(path: KeyPath, inner: KeyPath): boolean {
  return path.length <= inner.length && path.every((step, index) => String(step) === String(inner[index]))
}

export function samePath(a: KeyPath, b: KeyPath): boolean {
  return a.length === b.length && leadsTo(a, b)
}

export function headerEnd(table: AST.TOMLTable): number {
  return table.key.range[1]
}

export function endOfBlock({ table, pairs }: Block): number {
  return pairs.at(-1)?.node.range[1] ?? (table === undefined ? 0 : headerEnd(table))
}

export function mannerOf(text: string, node: Content): TomlManner {
  if (node.type !== 'TOMLValue') return {}
  if (node.kind === 'float') return { kind: 'float' }
  if (node.kind !== 'string') return {}
  return { kind: text.startsWith("'", node.range[0]) ? 'literal' : node.multiline ? 'multiline' : undefined }
}

/** The table at a path of headers, made where it is missing. */
export function tableAt(root: Record<string, unknown>, path: KeyPath): Record<string, unknown> {
  let found: unknown = root
  for (const [index, step] of path.entries()) {
    const holder = found as Record<string | number, unknown>
    const made = typeof path[index + 1] === 'number' ? [] : Object.create(null)
    holder[step] ??= made
    found = holder[step]
  }
  return found as Record<string, unknown>
}

export function assign(table: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  const last = keys.at(-1)
  if (last !== undefined) tableAt(table, keys.slice(0, -1))[last] = value
}

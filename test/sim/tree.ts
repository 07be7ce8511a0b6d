import type { Inode } from './inode.ts'

export type TreeNode =
  | { readonly kind: 'file'; readonly mode: number; readonly content: string }
  | { readonly kind: 'dir'; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'other' }

/** By path relative to the folder that was asked for, sorted. Contents are one character a byte (latin1). */
export type Tree = Map<string, TreeNode>

export function treeOf(folder: Inode, skip: ReadonlySet<string>): Tree {
  const tree: Tree = new Map()
  const visit = (at: Inode, prefix: string) => {
    const entries = [...at.entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name, inode } of entries) {
      const path = prefix + name
      if (skip.has(path)) continue
      tree.set(path, nodeOf(inode))
      if (inode.kind === 'dir') visit(inode, `${path}/`)
    }
  }
  visit(folder, '')
  return tree
}

function nodeOf(inode: Inode): TreeNode {
  const { mode } = inode.meta
  switch (inode.kind) {
    case 'file':
      return { kind: 'file', mode, content: Buffer.from(inode.bytes.subarray(0, inode.size)).toString('latin1') }
    case 'dir':
      return { kind: 'dir', mode }
    case 'symlink':
      return { kind: 'symlink', target: inode.target }
    case 'other':
      return { kind: 'other' }
  }
}

/** What differs from one tree to another, a line a path; empty when they are the same. */
export function differences(expected: Tree, found: Tree): string[] {
  const lines: string[] = []
  for (const [path, node] of expected) {
    const other = found.get(path)
    if (other === undefined) lines.push(`${path}: missing`)
    else if (JSON.stringify(node) !== JSON.stringify(other))
      lines.push(`${path}: ${JSON.stringify(node)} expected, ${JSON.stringify(other)} found`)
  }
  for (const path of found.keys()) if (!expected.has(path)) lines.push(`${path}: not expected`)
  return lines
}

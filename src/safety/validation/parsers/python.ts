import type { Node, Tree } from '@vscode/tree-sitter-wasm'
import type { Finder } from '../findings.ts'

const QUERY_TYPES = ['block', 'module', 'print_statement', 'exec_statement', 'try_statement']
const IMPORTS = ['import_statement', 'import_from_statement']

/** What the grammar lets pass and Python does not: blocks without statements, indentation that fits nothing, statements of Python 2. */
export function checkPython(finder: Finder, tree: Tree, wantReferences: boolean): void {
  for (const node of tree.rootNode.descendantsOfType(QUERY_TYPES)) {
    if (node === null) continue
    if (node.type === 'print_statement' || node.type === 'exec_statement') {
      finder.flaw(node.startIndex, `${node.type.slice(0, -10)} is a function: its arguments stand in parentheses`)
    } else if (node.type === 'try_statement') {
      const handled = node.namedChildren.some((child) => /^(except|finally)/.test(child?.type ?? ''))
      if (!handled && !node.hasError) finder.flaw(node.startIndex, 'try without except or finally')
    } else checkBlock(finder, node)
  }
  if (wantReferences) references(finder, tree)
}

function checkBlock(finder: Finder, block: Node): void {
  const statements = block.namedChildren.filter((child) => child !== null && child.type !== 'comment')
  if (block.type === 'block' && statements.length === 0 && !block.hasError)
    finder.flaw(block.startIndex, 'expected an indented block')
  let wanted: number | null = block.type === 'module' ? 0 : null
  for (const statement of statements) {
    const { row, column } = (statement as Node).startPosition
    const start = finder.offset(row + 1, 1)
    const before = finder.text.slice(start, start + column)
    // Only what begins a line is indented; another follows a semicolon, or the colon of a block on one line.
    if (before.trim() !== '') continue
    const width = widthOf(before)
    wanted ??= width
    if (width !== wanted)
      finder.flaw(start + column, width > wanted ? 'unexpected indent' : 'unindent does not match any outer level')
  }
}

/** A tab goes to the next multiple of eight, a form feed begins anew. */
function widthOf(indent: string): number {
  let width = 0
  for (const character of indent.slice(indent.lastIndexOf('\f') + 1))
    width = character === '\t' ? (Math.floor(width / 8) + 1) * 8 : width + 1
  return width
}

/** `import a.b` as `a.b`, `from ..c import d` as `..c`. An import within `try` may fail, and often is meant to. */
function references(finder: Finder, tree: Tree): void {
  for (const node of tree.rootNode.descendantsOfType(IMPORTS)) {
    if (node === null || isWithin(node, 'try_statement')) continue
    const named =
      node.type === 'import_from_statement'
        ? [node.childForFieldName('module_name')]
        : node
            .childrenForFieldName('name')
            .map((name) => (name?.type === 'aliased_import' ? name.childForFieldName('name') : name))
    for (const name of named) {
      if (name !== null && name !== undefined) finder.reference('python', name.text.replace(/\s/g, ''), name.startIndex)
    }
  }
}

function isWithin(node: Node, type: string): boolean {
  for (let at = node.parent; at !== null; at = at.parent) if (at.type === type) return true
  return false
}

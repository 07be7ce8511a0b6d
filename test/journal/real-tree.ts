import fs from 'node:fs'
import path from 'node:path'

/** Names and contents of a real folder, without the journal. */
export function realTree(root: string, prefix = ''): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const entry of fs.readdirSync(path.join(root, prefix), { withFileTypes: true })) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (name === '.journal') continue
    if (entry.isDirectory()) Object.assign(tree, { [name]: 'dir' }, realTree(root, name))
    else tree[name] = fs.readFileSync(path.join(root, name)).toString('latin1')
  }
  return tree
}

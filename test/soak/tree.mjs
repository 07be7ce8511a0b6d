import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What stands in a workspace, by path, each as a line of text; everything but the journal. */
export function treeOf(root) {
  const tree = new Map()
  const visit = (folder) => {
    for (const name of readdirSync(`${root}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (path === '.journal') continue
      const stat = lstatSync(`${root}/${path}`)
      if (stat.isSymbolicLink()) tree.set(path, lineOf({ kind: 'symlink', target: readlinkSync(`${root}/${path}`) }))
      else if (stat.isDirectory()) {
        tree.set(path, lineOf({ kind: 'dir', mode: stat.mode & 0o7777 }))
        visit(path)
      } else {
        const bytes = readFileSync(`${root}/${path}`)
        const hash = createHash('sha256').update(bytes).digest('hex')
        tree.set(path, lineOf({ kind: 'file', hash, size: bytes.byteLength, mode: stat.mode & 0o7777 }))
      }
    }
  }
  visit('')
  return tree
}

/** A state of the journal in the same form. */
export function lineOf(state) {
  switch (state?.kind) {
    case 'file':
      return `file ${state.hash} ${state.size} bytes ${state.mode.toString(8)}`
    case 'dir':
      return `folder ${state.mode.toString(8)}`
    case 'symlink':
      return `link to ${state.target}`
    default:
      return 'nothing'
  }
}

/** A line a path that differs. */
export function differences(expected, found) {
  const lines = []
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    const [a, b] = [expected.get(path) ?? 'nothing', found.get(path) ?? 'nothing']
    if (a !== b) lines.push(`${path}: ${a} by the history, ${b} in the workspace`)
  }
  return lines
}

import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Windows keeps no permission bits; everywhere else they are compared, too. */
const MODES = process.platform !== 'win32'

/**
 * Everything below `root` but its journal: a map from relative path (`/` between names) to `{ kind, bytes, mode }`.
 * Folders stand in it with a trailing `/` and no bytes.
 */
export async function readTree(root) {
  const tree = new Map()
  await collect(root, '', tree)
  return tree
}

async function collect(root, folder, tree) {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (path === '.journal') continue
    const { mode } = await lstat(join(root, path))
    if (entry.isDirectory()) {
      tree.set(`${path}/`, { kind: 'folder', bytes: null, mode: mode & 0o777 })
      await collect(root, path, tree)
    } else if (entry.isFile()) {
      tree.set(path, { kind: 'file', bytes: await readFile(join(root, path)), mode: mode & 0o777 })
    } else {
      tree.set(path, { kind: 'link', bytes: Buffer.from(await readlink(join(root, path))), mode: 0 })
    }
  }
}

/** What differs between two trees, a line each: nothing missing, nothing left over, every byte, every mode. */
export function differences(found, expected, { folderModes = true } = {}) {
  const lines = []
  for (const [path, want] of expected) {
    const got = found.get(path)
    if (got === undefined) lines.push(`${path}: missing`)
    else if (got.kind !== want.kind) lines.push(`${path}: a ${got.kind}, not a ${want.kind}`)
    else if (want.bytes !== null && !want.bytes.equals(got.bytes)) lines.push(`${path}: other bytes`)
    else if (MODES && (want.kind === 'file' || folderModes) && want.mode !== got.mode)
      lines.push(`${path}: mode ${got.mode.toString(8)}, not ${want.mode.toString(8)}`)
  }
  for (const path of found.keys()) if (!expected.has(path)) lines.push(`${path}: should not be there`)
  return lines
}

/** How much of the way from `before` to `after` the tree `found` has gone, counted in paths that the two do not share. */
export function progress(found, before, after) {
  const counts = { old: 0, new: 0, neither: 0 }
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [a, b, now] = [before.get(path), after.get(path), found.get(path)]
    if (same(a, b)) continue
    if (same(now, b)) counts.new += 1
    else if (same(now, a)) counts.old += 1
    else counts.neither += 1
  }
  return counts
}

/** The same kind, bytes and mode; undefined stands for nothing. */
export function same(a, b) {
  if (a === undefined || b === undefined) return a === b
  if (a.kind !== b.kind || (MODES && a.mode !== b.mode)) return false
  return a.bytes === null ? b.bytes === null : a.bytes.equals(b.bytes)
}

export function sizeOf(tree) {
  let files = 0
  let bytes = 0
  for (const entry of tree.values()) {
    if (entry.kind !== 'file') continue
    files += 1
    bytes += entry.bytes.length
  }
  return { files, bytes }
}

import { readdir, realpath } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { isJournalName } from '../../entry/path.ts'
import { hasSystemCode } from '../../errors.ts'
import { EditorFailure } from './failure.ts'

const LEVELS = 2
/** More names than this help nobody. */
const MOST = 2000

/** The folder that a path names, without symbolic links; null when it is none, or not there. @throws EditorFailure outside of the workspace */
export async function folderAt(root: string, path: string): Promise<string | null> {
  if (path.includes('\0')) throw new EditorFailure('The `path` has a NUL character, which no path can have.')
  let folder: string
  try {
    folder = await realpath(resolve(root, path))
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
  const below = folder === root ? '' : folder.startsWith(root + sep) ? folder.slice(root.length + 1) : null
  if (below === null || below.split(sep).some(isJournalName)) {
    throw new EditorFailure(`The path ${path} is outside of the workspace ${root}.`)
  }
  try {
    await readdir(folder)
    return folder
  } catch (error) {
    if (hasSystemCode(error, 'ENOTDIR')) return null
    throw error
  }
}

/** What is in a folder, two levels deep, without what is hidden. */
export async function listingOf(folder: string, named: string): Promise<string> {
  const names: string[] = []
  const told = named.replace(/\/+$/, '') || '/'
  await list(folder, told, LEVELS, names)
  const more = names.length > MOST ? `\n... and ${names.length - MOST} more` : ''
  const shownNames = [told, ...names.slice(0, MOST)].join('\n')
  return `Here're the files and directories up to 2 levels deep in ${named}, excluding hidden items and node_modules:\n${shownNames}${more}\n`
}

async function list(folder: string, named: string, levels: number, names: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort(({ name: one }, { name: other }) => (one < other ? -1 : 1))
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    const name = `${named === '/' ? '' : named}/${entry.name}`
    names.push(entry.isDirectory() ? `${name}/` : name)
    if (entry.isDirectory() && levels > 1) await list(`${folder}${sep}${entry.name}`, name, levels - 1, names)
  }
}

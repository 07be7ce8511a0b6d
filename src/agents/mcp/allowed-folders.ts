import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isJournalName } from '../../entry/path.ts'
import { hasSystemCode } from '../../errors.ts'

/** Is `path` the folder, or below it? Both absolute. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

/**
 * Which folders a client may use, and where the paths that it names really lead. The rules and the refusals are those of the reference filesystem server;
 * besides, nobody reaches into a journal.
 */
export class AllowedFolders {
  /** As they were named, and where that is a symbolic link also what it leads to. */
  #folders: readonly string[] = []

  get list(): readonly string[] {
    return this.#folders
  }

  /** The real folders, each once. */
  async roots(): Promise<readonly string[]> {
    const real = await Promise.all(this.#folders.map((folder) => realpath(folder).catch(() => null)))
    return [...new Set(real.filter((folder) => folder !== null))]
  }

  /** Takes the folders of a command line; says which of them are none. */
  async name(given: readonly string[]): Promise<readonly string[]> {
    const warnings: string[] = []
    const found: string[] = []
    for (const folder of given) {
      const absolute = resolve(expandHome(folder))
      const real = await realpath(absolute).catch(() => null)
      if (real === null) warnings.push(`Warning: Cannot access directory ${absolute}, skipping`)
      else if (!(await stat(real)).isDirectory()) warnings.push(`Warning: ${absolute} is not a directory, skipping`)
      else found.push(...(real === absolute ? [real] : [absolute, real]))
    }
    this.#folders = found
    return warnings
  }

  /** Takes the roots of a client instead, unless none of them is a folder; says which are none. */
  async replace(roots: readonly { readonly uri: string }[]): Promise<readonly string[]> {
    const warnings: string[] = []
    const found: string[] = []
    for (const { uri } of roots) {
      const real = await folderOf(uri).catch(() => null)
      if (real === null) warnings.push(`Skipping a root that is no folder: ${uri}`)
      else found.push(real)
    }
    if (found.length > 0) this.#folders = found
    return warnings
  }

  /**
   * Where a path leads, with symbolic links followed; a path at which there is nothing yet is taken too.
   * @throws Error `Access denied …` for what is outside
   */
  async resolve(given: string): Promise<string> {
    const real = await this.#resolve(given)
    if (this.#isInJournal(real)) throw new Error(`Access denied - path inside a journal: ${given}`)
    return real
  }

  async #resolve(given: string): Promise<string> {
    const expanded = expandHome(given)
    if (process.platform !== 'win32' && /^[A-Za-z]:(?:[\\/]|$)/.test(expanded))
      throw new Error(`Access denied - Windows-style path received on a POSIX host: ${given}`)
    const absolute = isAbsolute(expanded) ? resolve(expanded) : this.#resolveRelative(expanded)
    if (absolute.includes('\0') || !this.#allows(absolute)) {
      throw new Error(`Access denied - path outside allowed directories: ${absolute} not in ${this.#said()}`)
    }
    try {
      const real = await realpath(absolute)
      this.#checkTarget(real)
      return real
    } catch (error) {
      if (!hasSystemCode(error, 'ENOENT')) throw error
    }
    try {
      return await this.#resolveMissing(absolute)
    } catch (error) {
      if (!hasSystemCode(error, 'ENOENT')) throw error
      throw new Error(`Parent directory does not exist: ${dirname(absolute)}`)
    }
  }

  #resolveRelative(path: string): string {
    const [first = process.cwd()] = this.#folders
    const inside = this.#folders.map((folder) => resolve(folder, path)).find((candidate) => this.#allows(candidate))
    return inside ?? resolve(first, path)
  }

  /** Name by name, so that a name is found in whatever form of Unicode the disk has it, and no link on the way leads out. */
  async #resolveMissing(absolute: string): Promise<string> {
    const folder = [...this.#folders]
      .sort((left, right) => right.length - left.length)
      .find((candidate) => isWithin(candidate, absolute))
    if (folder === undefined) return absolute
    let current = await realpath(folder)
    const names = relative(folder, absolute).split(sep).filter(Boolean)
    for (const [index, name] of names.entries()) {
      const entries = await readdir(current)
      const same = entries.includes(name)
        ? [name]
        : entries.filter((entry) => entry.normalize('NFC') === name.normalize('NFC'))
      if (same.length > 1) throw new Error(`Ambiguous Unicode path component: ${name}`)
      if (same.length === 0) return join(current, ...names.slice(index))
      current = await realpath(join(current, same[0] as string))
      this.#checkTarget(current)
    }
    return current
  }

  /** May an entry of a folder that was resolved be shown? Symbolic links must stay inside. */
  async admits(path: string): Promise<boolean> {
    try {
      if ((await lstat(path)).isSymbolicLink()) await this.resolve(path)
      return true
    } catch (error) {
      // Made by a transaction that is open, or gone by now.
      return hasSystemCode(error, 'ENOENT')
    }
  }

  #checkTarget(real: string): void {
    if (this.#allows(real)) return
    throw new Error(`Access denied - symlink target outside allowed directories: ${real} not in ${this.#said()}`)
  }

  #allows(path: string): boolean {
    return this.#folders.some((folder) => isWithin(folder, path))
  }

  #isInJournal(real: string): boolean {
    const folder = this.#folders.find((candidate) => isWithin(candidate, real))
    return folder !== undefined && relative(folder, real).split(sep).some(isJournalName)
  }

  #said(): string {
    return this.#folders.join(', ')
  }
}

async function folderOf(uri: string): Promise<string | null> {
  const path = uri.startsWith('file://') ? fileURLToPath(uri) : expandHome(uri)
  const real = await realpath(resolve(path))
  return (await stat(real)).isDirectory() ? real : null
}

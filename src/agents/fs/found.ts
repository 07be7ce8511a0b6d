/** What stands at paths, asked the way Node's own functions find it. */
import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { FsRefusal } from './node-error.ts'

/** The state at a path, or the code of why there is none. */
export function stateAt(path: string, follow: boolean): Stats | string {
  try {
    return follow ? statSync(path) : lstatSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return code
  }
}

/** @throws FsRefusal with the code for which nothing is there */
export function standing(path: string, syscall: string, follow = true): Stats {
  const state = stateAt(path, follow)
  if (typeof state === 'string') throw new FsRefusal(state, syscall)
  return state
}

/** @throws FsRefusal unless the folder of a path is one */
export function checkParent(path: string, syscall: string): void {
  if (!standing(dirname(path), syscall).isDirectory()) throw new FsRefusal('ENOTDIR', syscall)
}

/** @throws FsRefusal unless a file can be written */
export function checkWritable(path: string, syscall: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw new FsRefusal((error as NodeJS.ErrnoException).code ?? 'EACCES', syscall)
  }
}

export function isEmptyFolder(path: string): boolean {
  return readdirSync(path).length === 0
}

/** A path with no symbolic link above its last name, as far as it is there. */
export function canonical(path: string): string {
  const missing: string[] = []
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      return join(realpathSync.native(folder), ...missing, basename(path))
    } catch {
      if (dirname(folder) === folder) return path
      missing.unshift(basename(folder))
    }
  }
}

/** Where a path leads whose last names may be symbolic links to what is not there yet. */
export function linkedTo(path: string): string {
  const link = stateAt(path, false)
  if (typeof link === 'string' || !link.isSymbolicLink() || stateAt(path, true) !== 'ENOENT') return path
  return linkedTo(resolve(dirname(path), readlinkSync(path)))
}

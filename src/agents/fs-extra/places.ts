import { lstatSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { stateAt } from '../fs/found.ts'
import { absolute } from '../fs/given.ts'

/** @throws Error in the words of fs-extra for two places between which nothing can be copied or moved */
export function checkPlaces(src: string, dest: string, doing: 'copy' | 'move', dereference: boolean): void {
  const from = dereference ? statSync(src) : lstatSync(src)
  const to = stateAt(dest, dereference)
  if (typeof to !== 'string') {
    if (to.ino === from.ino && to.dev === from.dev) throw new Error('Source and destination must not be the same.')
    if (from.isDirectory() && !to.isDirectory()) {
      throw new Error(`Cannot overwrite non-directory '${dest}' with directory '${src}'.`)
    }
    if (!from.isDirectory() && to.isDirectory()) {
      throw new Error(`Cannot overwrite directory '${dest}' with non-directory '${src}'.`)
    }
  }
  if (from.isDirectory() && absolute(dest).startsWith(absolute(src) + sep)) {
    throw new Error(`Cannot ${doing} '${src}' to a subdirectory of itself, '${dest}'.`)
  }
}

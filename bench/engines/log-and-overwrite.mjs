import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HandLog } from './hand-log.mjs'

const { O_CREAT, O_RDWR } = constants

export const name = 'log + overwrite, by hand'

/** The same log, and the files written over where they are: readers may see half of one. A bound, not a way to do it. */
export async function open(folder) {
  const log = new HandLog(folder)
  async function batch(files) {
    log.append(files)
    for (const { path, content } of files) {
      const handle = openSync(join(folder, path), O_RDWR | O_CREAT)
      writeSync(handle, content, 0, content.byteLength, 0)
      ftruncateSync(handle, content.byteLength)
      closeSync(handle)
    }
  }
  return { batch, one: (file) => batch([file]), close: async () => log.close() }
}

import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HandLog } from './hand-log.mjs'

export const name = 'log + rename, by hand'

/** What the journal's commit comes to with nothing around it: a log with its space ready, then each file written beside and renamed over. */
export async function open(folder) {
  const log = new HandLog(folder)
  async function batch(files) {
    log.append(files)
    for (const { path, content } of files) {
      const beside = join(folder, `${path}.new`)
      const handle = openSync(beside, 'wx')
      writeSync(handle, content)
      closeSync(handle)
      renameSync(beside, join(folder, path))
    }
  }
  return { batch, one: (file) => batch([file]), close: async () => log.close() }
}

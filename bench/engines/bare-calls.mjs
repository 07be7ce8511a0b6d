import { closeSync, fdatasync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import native from 'fs-native-extensions'
import { HandLog } from './hand-log.mjs'

export const name = 'bare calls (no product)'

/** As many as that are staged while the log is being synced; fewer after a sync that blocks. */
const BESIDE = 4

/**
 * What nobody can do with less that replaces whole files under a synced log, so that no reader sees half of one and none is given an inode that was there
 * before: the log as by hand, each file written in a folder beside, exchanged with its predecessor, and that removed. Nothing is hashed, looked at, remembered
 * or recoverable. It says how far a factor against another contender can go.
 */
export async function open(folder) {
  const log = new HandLog(folder)
  const staging = join(folder, '.bare')
  mkdirSync(staging, { recursive: true })
  let count = 0
  const stage = (files) =>
    files.map(({ content }) => {
      count += 1
      const file = join(staging, `${count}`)
      const handle = openSync(file, 'wx')
      writeSync(handle, content)
      closeSync(handle)
      return file
    })
  async function batch(files) {
    let staged
    if (files.length < BESIDE) {
      log.append(files)
      staged = stage(files)
    } else {
      const synced = new Promise((resolve, reject) => {
        fdatasync(log.write(files), (error) => (error === null ? resolve() : reject(error)))
      })
      staged = stage(files)
      await synced
    }
    for (const [index, { path }] of files.entries()) {
      // Where names are not exchanged in one step, a rename over the old one is the least.
      if (process.platform === 'win32') renameSync(staged[index], join(folder, path))
      else {
        native.swapSync(staged[index], join(folder, path))
        unlinkSync(staged[index])
      }
    }
  }
  return { batch, one: (file) => batch([file]), close: async () => log.close() }
}

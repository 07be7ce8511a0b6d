import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import native from 'fs-native-extensions'

const LOG_BYTES = 16 * 1024 * 1024
const RECORD_BYTES = 512

/**
 * What no journal can do with less that keeps the promises of this one and replaces whole files: bare synchronous calls, one after another, and nothing else. A round
 * of edits is one record in a log that is laid out ahead, and one sync of it; then each file is written anew in a folder of its own, exchanged with the one that is
 * there, and the old one removed. Nothing is hashed, compared, locked or remembered, and nobody could undo or recover anything.
 */
export class Floor {
  /** Milliseconds that the sync of each round took. */
  syncs = []
  #folder
  #staging
  #log
  #position = 0
  #count = 0

  constructor(folder) {
    this.#folder = folder
    this.#staging = join(folder, '.staging')
    mkdirSync(this.#staging)
    this.#log = openSync(join(folder, '.log'), 'w')
    writeSync(this.#log, Buffer.alloc(LOG_BYTES), 0, LOG_BYTES, 0)
    fsyncSync(this.#log)
  }

  /** Edits of texts, each `{ path, oldText, newText }`, as one transaction. */
  round(edits) {
    const texts = new Map()
    for (const { path, oldText, newText } of edits) {
      const text = texts.get(path) ?? readFileSync(join(this.#folder, path), 'utf8')
      texts.set(path, text.replace(oldText, newText))
    }
    writeSync(this.#log, Buffer.alloc(RECORD_BYTES, 1), 0, RECORD_BYTES, this.#position)
    this.#position = (this.#position + RECORD_BYTES) % LOG_BYTES
    const begun = performance.now()
    fdatasyncSync(this.#log)
    this.syncs.push(performance.now() - begun)
    for (const [path, text] of texts) this.#replace(join(this.#folder, path), text)
  }

  #replace(file, text) {
    this.#count += 1
    const fresh = join(this.#staging, String(this.#count))
    const handle = openSync(fresh, 'wx')
    writeSync(handle, Buffer.from(text))
    closeSync(handle)
    // Where names are not exchanged in one step, a rename over the old one is the least.
    if (process.platform === 'win32') return renameSync(fresh, file)
    native.swapSync(fresh, file)
    unlinkSync(fresh)
  }

  close() {
    closeSync(this.#log)
  }
}

import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const BYTES = 64 * 1024 * 1024
const HEADER = 64

/** The cheapest log there is: space that is there already and used over and over, one write and one sync a batch. Nothing could be recovered from it. */
export class HandLog {
  #handle
  #at = 0

  constructor(folder) {
    this.#handle = openSync(join(folder, '.log'), 'w')
    const zeros = Buffer.alloc(1024 * 1024)
    for (let at = 0; at < BYTES; at += zeros.byteLength) writeSync(this.#handle, zeros, 0, zeros.byteLength, at)
    fsyncSync(this.#handle)
  }

  append(files) {
    fdatasyncSync(this.write(files))
  }

  /** Not synced yet; gives the handle. */
  write(files) {
    const header = Buffer.alloc(HEADER)
    const bytes = Buffer.concat(files.flatMap(({ content }) => [header, content]))
    if (this.#at + bytes.byteLength > BYTES) this.#at = 0
    writeSync(this.#handle, bytes, 0, bytes.byteLength, this.#at)
    this.#at += bytes.byteLength
    return this.#handle
  }

  close() {
    closeSync(this.#handle)
  }
}

import type { Disk } from '../disk/disk.ts'
import { breathe } from '../disk/file.ts'

/** More files than this do not wait for their removal: then it is waited for. */
const WAITING_LIMIT = 4096
const AT_ONCE = 4

/**
 * Removes files that nobody needs any more, beside the work: freeing a file's blocks can take longer than writing a new one, above all where the
 * file system tells the device at once (mount option `discard`). Until then they lie in `staging`, where recovery finds them.
 */
export class Reaper {
  readonly #disk: Disk
  #files: string[] = []
  #running: Promise<void> | null = null

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Removes `file` soon. A file that cannot be removed is left to recovery. Resolves at once unless too many wait. */
  remove(file: string): Promise<void> {
    if (this.#disk.discard === undefined) {
      this.#disk.unlink(file)
      return Promise.resolve()
    }
    this.#files.push(file)
    this.#running ??= this.#run()
    return this.#files.length > WAITING_LIMIT ? this.#running : Promise.resolve()
  }

  /** Resolves when all that was given to it is gone. */
  async drain(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    // Handing the work over takes time too: the caller goes first.
    await breathe()
    while (this.#files.length > 0) {
      const files = this.#files
      this.#files = []
      for (let at = 0; at < files.length; at += AT_ONCE) {
        await Promise.all(
          files.slice(at, at + AT_ONCE).map((file) => this.#disk.discard?.(file).catch(() => undefined)),
        )
      }
    }
    this.#running = null
  }
}

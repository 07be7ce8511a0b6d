import type { Disk, FileStat } from '../disk/disk.ts'

/** More files than this do not wait for their removal: then it is waited for. */
const WAITING_LIMIT = 4096
/** Fewer than this wait until nothing more has come for a while: a burst of commits is not slowed down by what can be done after it. */
const BURST = 2048
const PAUSE_MS = 50
const AT_ONCE = 4
/**
 * A small file written less than this ago has most likely no blocks yet: the kernel allocates them when it writes the data back. Freeing it costs less
 * than having it freed, and the next new file gets its inode, still warm (docs/performance.md).
 */
const YOUNG_MS = 2000
const SMALL = 256 * 1024

/**
 * Removes files that nobody needs any more, beside the work: freeing a file's blocks can take longer than writing a new one, above all where the
 * file system tells the device at once (mount option `discard`). Until then they lie in `staging`, where recovery finds them.
 */
export class Reaper {
  readonly #disk: Disk
  #files: string[] = []
  #running: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Removes `file`, at once or soon. A file that cannot be removed is left to recovery. A promise only when too many wait. */
  remove(file: string, stat: FileStat | null = null): undefined | Promise<void> {
    if (this.#disk.discard === undefined) {
      this.#disk.unlink(file)
      return undefined
    }
    if (stat !== null && this.#isCheap(stat)) {
      try {
        this.#disk.unlink(file)
        return undefined
      } catch {
        // Somebody may have it open; by and by it goes.
      }
    }
    this.#files.push(file)
    if (this.#files.length >= BURST) this.#start()
    else if (this.#timer === null) this.#timer = setTimeout(() => this.#start(), PAUSE_MS).unref()
    else this.#timer.refresh()
    return this.#files.length > WAITING_LIMIT && this.#running !== null ? this.#running : undefined
  }

  #isCheap({ kind, size, nlink, mtimeNs }: FileStat): boolean {
    const age = this.#disk.now() - Number(mtimeNs / 1_000_000n)
    return kind !== 'file' || nlink > 1 || (size <= SMALL && age < YOUNG_MS)
  }

  /** Removes all that was given to it; resolves when it is gone. */
  async drain(): Promise<void> {
    do {
      this.#start()
      await this.#running
    } while (this.#files.length > 0)
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#files.length > 0) this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
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

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
/** Young ones that wait for a moment in which the log is being synced anyway: with more, nobody waits for one. */
const YOUNG_LIMIT = 1024
const SMALL = 256 * 1024

/**
 * Removes files that nobody needs any more, beside the work: freeing a file's blocks can take longer than writing a new one, above all where the
 * file system tells the device at once (mount option `discard`). Until then they lie in `staging`, where recovery finds them.
 */
export class Reaper {
  readonly #disk: Disk
  #files: string[] = []
  #young: string[] = []
  #sweeping: NodeJS.Immediate | null = null
  #running: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /**
   * Removes `file`, at once or soon. A file that cannot be removed is left to recovery. A promise only when too many wait. `soon`: a cheap one too may wait
   * for the next `sweep`, or turn of the event loop.
   */
  remove(file: string, stat: FileStat | null = null, soon = false): undefined | Promise<void> {
    if (this.#disk.discard === undefined) {
      this.#disk.unlink(file)
      return undefined
    }
    if (stat !== null && this.#isCheap(stat)) {
      if (!soon) return this.#removeNow(file)
      this.#young.push(file)
      if (this.#young.length >= YOUNG_LIMIT) this.sweep()
      else this.#sweeping ??= setImmediate(() => this.sweep())
      return undefined
    }
    return this.#removeLater(file)
  }

  /** Removes the cheap ones that wait: called while something else is waited for. */
  sweep(): void {
    if (this.#sweeping !== null) clearImmediate(this.#sweeping)
    this.#sweeping = null
    const young = this.#young
    if (young.length === 0) return
    this.#young = []
    for (const file of young) void this.#removeNow(file)
  }

  #removeNow(file: string): undefined | Promise<void> {
    try {
      this.#disk.unlink(file)
      return undefined
    } catch {
      // Somebody may have it open; by and by it goes.
      return this.#removeLater(file)
    }
  }

  #removeLater(file: string): undefined | Promise<void> {
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
    this.sweep()
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

import type { Writer } from './writer.ts'

/** Log bytes after which a checkpoint is made in the background, and idle time after which one is made anyway. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINT_IDLE_MS = 1000

/** When the writer of an open journal makes a checkpoint without being asked. */
export class CheckpointSchedule {
  readonly #writer: () => Writer | null
  #idle: NodeJS.Timeout | null = null
  #running = false
  #stopped = false

  constructor(writer: () => Writer | null) {
    this.#writer = writer
  }

  /** Something has been committed. */
  committed(): void {
    const writer = this.#writer()
    if (writer === null || this.#running || this.#stopped) return
    if (writer.checkpointer.behind > CHECKPOINT_BYTES) this.#run()
    else if (this.#idle === null) {
      this.#idle = setTimeout(() => {
        this.#idle = null
        this.#run()
      }, CHECKPOINT_IDLE_MS).unref()
    } else this.#idle.refresh()
  }

  stop(): void {
    this.#stopped = true
    if (this.#idle !== null) clearTimeout(this.#idle)
  }

  #run(): void {
    const writer = this.#writer()
    // Another process has become it meanwhile.
    if (writer === null) return
    this.#running = true
    // A failure has poisoned the journal: the next commit reports it.
    writer.checkpointer
      .run()
      .catch(() => undefined)
      .finally(() => {
        this.#running = false
      })
  }
}

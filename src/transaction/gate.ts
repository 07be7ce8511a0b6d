/** Lets any amount of work in at a time, or one piece of work that needs everything else to stand still. */
export class Gate {
  #inside = 0
  #closed: Promise<void> | null = null
  #emptied: (() => void) | null = null

  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== null) await this.#closed
    this.#inside += 1
    try {
      return await work()
    } finally {
      this.#inside -= 1
      if (this.#inside === 0) this.#emptied?.()
    }
  }

  /** Waits for what is inside to end; what comes meanwhile waits for `work`. Must not be called from inside. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== null) await this.#closed
    let open = (): void => undefined
    this.#closed = new Promise((resolve) => {
      open = resolve
    })
    try {
      if (this.#inside > 0) {
        await new Promise<void>((resolve) => {
          this.#emptied = resolve
        })
      }
      return await work()
    } finally {
      this.#closed = null
      this.#emptied = null
      open()
    }
  }
}

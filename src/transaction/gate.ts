/** What came in between two looks. */
interface Generation {
  inside: number
  left: (() => void) | null
}

/** Lets any amount of work in at a time, or one piece of work that needs everything else to stand still. */
export class Gate {
  #inside = 0
  #closed: Promise<void> | null = null
  #emptied: (() => void) | null = null
  #generation: Generation = { inside: 0, left: null }

  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== null) await this.#closed
    this.#inside += 1
    const generation = this.#generation
    generation.inside += 1
    try {
      return await work()
    } finally {
      this.#inside -= 1
      generation.inside -= 1
      if (generation.inside === 0) generation.left?.()
      if (this.#inside === 0) this.#emptied?.()
    }
  }

  /** Resolves when all that is inside now has ended. Keeps nothing out. To be called by one at a time. */
  async passed(): Promise<void> {
    const generation = this.#generation
    if (generation.inside === 0) return
    this.#generation = { inside: 0, left: null }
    await new Promise<void>((resolve) => {
      generation.left = resolve
    })
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

/** How to take back what has been done, step by step. */
export class InverseSteps {
  #steps: (() => void)[] = []

  push(step: () => void): void {
    this.#steps.push(step)
  }

  /** Takes back all of it, the last step first; returns the first failure, or null. */
  undo(): unknown {
    let failure: unknown = null
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        step()
      } catch (error) {
        failure ??= error
      }
    }
    return failure
  }
}

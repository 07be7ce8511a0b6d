import type { Findings } from './findings.ts'

/** What is held of a finding besides its parts, in parts. */
const OWN = 4

/**
 * Answers by key, in two generations: when the young one holds half of what may be held it becomes the old one, and what nobody asked for meanwhile goes.
 * Counted are flaws, references and anchors, each of some hundred bytes.
 */
export class Remembered {
  readonly #half: number
  #young = new Map<string, Findings>()
  #old = new Map<string, Findings>()
  #weight = 0

  constructor(parts: number) {
    this.#half = parts / 2
  }

  get(key: string): Findings | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, findings: Findings): void {
    const weight = OWN + findings.flaws.length + findings.references.length + (findings.anchors?.length ?? 0)
    if (weight > this.#half) return
    if (this.#weight + weight > this.#half) {
      this.#old = this.#young
      this.#young = new Map()
      this.#weight = 0
    }
    this.#young.set(key, findings)
    this.#weight += weight
  }
}

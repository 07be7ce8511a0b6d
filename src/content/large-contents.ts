import type { ContentHash } from '../entry/state.ts'
import type { HashTrail } from './hash-trail.ts'
import type { HeldText } from './held-text.ts'

/** How many contents are remembered. */
const MOST = 16
/** Bytes of texts that are kept in memory, all together. */
const TEXT_BYTES = 32 * 1024 * 1024

/** What is known of a large content that this journal wrote: enough to change it without reading it again. */
export interface LargeContent {
  readonly trail: HashTrail
  /** All of it, when it is text that was edited: UTF-8 without NUL. */
  readonly text: HeldText | null
}

/** The large contents that were written last. */
export class LargeContents {
  readonly #known = new Map<ContentHash, LargeContent>()
  #bytes = 0

  get(hash: ContentHash): LargeContent | null {
    return this.#known.get(hash) ?? null
  }

  set(content: LargeContent): void {
    const { hash } = content.trail
    this.delete(hash)
    const size = content.text?.capacity ?? 0
    const kept = size > TEXT_BYTES ? { ...content, text: null } : content
    this.#known.set(hash, kept)
    this.#bytes += kept.text?.capacity ?? 0
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST && this.#bytes <= TEXT_BYTES) return
      this.delete(oldest)
    }
  }

  delete(hash: ContentHash): void {
    this.#bytes -= this.#known.get(hash)?.text?.capacity ?? 0
    this.#known.delete(hash)
  }
}

/** May a text of so many bytes be kept? */
export function mayHold(size: number): boolean {
  return size <= TEXT_BYTES
}

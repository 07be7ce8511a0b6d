import { hasSystemCode } from '../errors.ts'
import type { Anchors } from './anchors.ts'
import type { Observer } from './observer.ts'

/** A name: in `staging`, or in the workspace, where it is reached through its pinned folder each time. */
export type Spot = { readonly staged: string } | { readonly path: string }

/** Where names are. */
export class Spots {
  readonly #observer: Observer
  readonly #anchors: Anchors

  constructor(observer: Observer, anchors: Anchors) {
    this.#observer = observer
    this.#anchors = anchors
  }

  /** To be used at once. */
  at(spot: Spot): string {
    return 'staged' in spot ? spot.staged : this.#anchors.at(spot.path)
  }

  absolute(spot: Spot): string {
    return 'staged' in spot ? spot.staged : this.#observer.absolute(spot.path)
  }

  isThere(spot: Spot): boolean {
    try {
      return this.#observer.disk.lstat(this.at(spot)) !== null
    } catch (error) {
      // Its folder is gone.
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
  }
}

import type { Store } from '../store/opening.ts'
import type { Pace } from './pace.ts'

/** How large a journal is: log, blobs, and what repairs kept. The index, and files on their way into the workspace, come and go, and are not counted. */
export class JournalSize {
  readonly #store: Store
  #blobs: number | null = null
  /** What the finished segments take, while the log has the same ones. */
  #finished = { key: '', bytes: 0 }

  constructor(store: Store) {
    this.#store = store
  }

  /** Looks at every blob once; from then on it is known how they grow. To be called while nothing is committed. */
  async measure(pace: Pace): Promise<void> {
    const { blobs } = this.#store.contents
    let bytes = -blobs.grown
    for (const { size } of blobs.list()) {
      bytes += size
      await pace.rest()
    }
    this.#blobs = bytes
  }

  get isMeasured(): boolean {
    return this.#blobs !== null
  }

  /** Bytes, as the files say. `current`: count the last segment as so many at least. */
  bytes(current = 0): number {
    const { disk, layout, segments, contents } = this.#store
    const { base, segments: numbers } = segments.survey()
    const last = numbers.at(-1) ?? 0
    const key = `${base} ${last}`
    if (this.#finished.key !== key) {
      const finished = numbers.slice(0, -1).reduce((sum, segment) => sum + segments.size(segment), 0)
      const own = base === 0 ? 0 : (disk.lstat(segments.basePath(base))?.size ?? 0)
      this.#finished = { key, bytes: finished + own }
    }
    const open = Math.max(current, last === 0 ? 0 : segments.size(last))
    let broken = 0
    for (const { name } of disk.lstat(layout.broken) === null ? [] : disk.readDirectory(layout.broken))
      broken += disk.lstat(`${layout.broken}/${name}`)?.size ?? 0
    return this.#finished.bytes + open + (this.#blobs ?? 0) + contents.blobs.grown + broken
  }
}

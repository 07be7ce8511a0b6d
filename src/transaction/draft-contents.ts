import { readChunks } from '../content/hash.ts'
import { type ContentHash, type FileState, hashOf } from '../entry/state.ts'
import type { ContentSource, StagedContent } from './operation.ts'
import type { View } from './view.ts'

/** Where the bytes of the contents are that a transaction has seen or brought. */
export class DraftContents {
  readonly #view: View
  readonly #sources = new Map<ContentHash, ContentSource>()

  constructor(view: View) {
    this.#view = view
  }

  /** Where the bytes of a content are; `stored` when this transaction did not bring them. */
  source(hash: ContentHash): ContentSource {
    return this.#sources.get(hash) ?? { at: 'stored' }
  }

  note(content: StagedContent): void {
    this.#sources.set(content.hash, content.source)
  }

  /** All bytes of a content that an operation brought. */
  async all(hash: ContentHash, source: ContentSource): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const chunk of this.chunksOf(hash, source)) parts.push(Uint8Array.prototype.slice.call(chunk))
    return Buffer.concat(parts)
  }

  async bytes(path: string, state: FileState): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const chunk of this.chunks(path, state)) parts.push(Uint8Array.prototype.slice.call(chunk))
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  async *chunks(path: string, state: FileState): AsyncGenerator<Uint8Array> {
    const source = this.#sources.get(state.hash)
    if (source !== undefined) {
      yield* this.chunksOf(state.hash, source)
      return
    }
    // The file that was observed, wherever this transaction moved it meanwhile.
    const origin = hashOf(this.#view.base.get(path)?.state ?? null) === state.hash ? path : this.#originOf(state.hash)
    if (origin === undefined) {
      yield* this.#view.site.contents.stream(state.hash)
      return
    }
    const { disk } = this.#view.site.observer
    const handle = disk.open(this.#view.site.observer.absolute(origin), 'read')
    try {
      yield* readChunks(disk, handle)
    } finally {
      disk.close(handle)
    }
  }

  #originOf(hash: ContentHash): string | undefined {
    for (const [path, { state }] of this.#view.base) if (hashOf(state) === hash) return path
    return undefined
  }

  async *chunksOf(hash: ContentHash, source: ContentSource): AsyncGenerator<Uint8Array> {
    if (source.at === 'memory') yield source.bytes
    else if (source.at === 'stored') yield* this.#view.site.contents.stream(hash)
    else {
      const { disk } = this.#view.site.observer
      const handle = disk.open(source.file, 'read')
      try {
        yield* readChunks(disk, handle)
      } finally {
        disk.close(handle)
      }
    }
  }
}

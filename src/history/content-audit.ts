import { CHANGED, decodeContents, PURGED } from '../content/content-frame.ts'
import { ContentOutline } from '../content/content-outline.ts'
import type { ContentResolver } from '../content/content-resolver.ts'
import { hashesTo } from '../entry/digest.ts'
import type { Frame } from '../log/log-reader.ts'
import type { ContentCensus } from './content-census.ts'
import type { Findings } from './findings.ts'

/** Checks what content frames hold, each content by its hash. */
export class ContentAudit {
  readonly #census: ContentCensus
  readonly #findings: Findings
  readonly #resolver: ContentResolver
  readonly #outline = new ContentOutline()

  constructor(census: ContentCensus, findings: Findings, resolver: ContentResolver) {
    this.#census = census
    this.#findings = findings
    this.#resolver = resolver
  }

  /** Null when done. */
  frame(frame: Frame): Promise<void> | null {
    return this.#isRight(frame.payload)
      ? null
      : this.#decoded(frame).catch((error) => this.#findings.addError('record', error, frame.position))
  }

  /** Has it contents that are kept whole, nothing else, and all of them right? */
  #isRight(payload: Uint8Array): boolean {
    const outline = this.#outline
    if (!outline.read(payload)) return false
    const { count } = outline
    for (let index = 0; index < count; index += 1)
      if (!hashesTo(payload.subarray(outline.from(index), outline.to(index)), payload, outline.hashAt(index)))
        return false
    for (let index = 0; index < count; index += 1) this.#census.foundAt(payload, outline.hashAt(index))
    return true
  }

  async #decoded({ position, payload }: Frame): Promise<void> {
    const { tx, contents } = decodeContents(payload)
    for (const [index, record] of contents.entries()) {
      const why =
        record.encoding === PURGED
          ? 'it was erased, and no purge in the history tells of it'
          : await this.#resolver.check({ record, location: { position, index }, beside: contents })
      const replaceable = record.encoding === PURGED || record.encoding === CHANGED
      if (why === null) this.#census.found(record.hash)
      else this.#census.bad(record.hash, { tx, position, why, replaceable })
    }
  }
}

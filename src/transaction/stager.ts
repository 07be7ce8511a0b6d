import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { hashBytes } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { createFile, dropFile, writeFully } from '../disk/file.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { StagedContent } from './operation.ts'

/** What a caller may hand over as content. Text is UTF-8. */
export type ContentInput = string | Uint8Array | Readable | AsyncIterable<Uint8Array | string>

/** Contents up to this many bytes go into the log; larger ones become blobs. */
export const INLINE_LIMIT = 1024 * 1024
/** All open transactions together hold no more than this in memory; beyond it contents wait on disk. */
export const MEMORY_LIMIT = 32 * 1024 * 1024

/** What the contents of open transactions may take, all transactions of a journal together. */
export class StagingLimits {
  #used = 0
  readonly memory: number
  /** Contents up to this many bytes go into the log. */
  readonly inline: number

  constructor(limits: { readonly memory?: number; readonly inline?: number } = {}) {
    this.memory = limits.memory ?? MEMORY_LIMIT
    this.inline = limits.inline ?? INLINE_LIMIT
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.memory) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/** Keeps the contents of one transaction until it commits: small ones in memory, the rest as files in `staging`. */
export class Stager {
  readonly #disk: Disk
  readonly #prefix: string
  readonly #limits: StagingLimits
  #taken = 0
  #count = 0
  readonly #files = new Set<string>()

  /** `prefix`: absolute beginning of the names of its files. */
  constructor(disk: Disk, prefix: string, limits: StagingLimits) {
    this.#disk = disk
    this.#prefix = prefix
    this.#limits = limits
  }

  /** Takes whole contents. The bytes are the stager's from now on. */
  keep(bytes: Uint8Array): StagedContent {
    const hash = hashBytes(bytes)
    const size = bytes.byteLength
    if (size <= this.#limits.inline && this.#limits.take(size)) {
      this.#taken += size
      return { hash, size, source: { at: 'memory', bytes } }
    }
    const file = this.#name()
    createFile(this.#disk, file, bytes, 0o600)
    return { hash, size, source: { at: 'staged', file } }
  }

  /**
   * Takes any content; a promise only for a stream, which is read to its end and never held in memory beyond one chunk and the inline limit.
   * @throws JournalError `INVALID` for what is no content, `ABORTED`, or the stream's own error wrapped
   */
  take(input: ContentInput, signal?: AbortSignal): StagedContent | Promise<StagedContent> {
    if (typeof input === 'string') return this.keep(Buffer.from(input, 'utf8'))
    // A copy: the caller may change its buffer before the commit.
    if (input instanceof Uint8Array) return this.keep(Uint8Array.prototype.slice.call(input))
    if (typeof input !== 'object' || input === null || !(Symbol.asyncIterator in input)) {
      throw new JournalError('INVALID', 'a content must be a string, a Uint8Array, a Readable or an AsyncIterable', {
        hint: 'Convert it first.',
      })
    }
    return this.#stream(input, signal)
  }

  /** Gives the memory back and removes its files, but for those already taken elsewhere. */
  release(): void {
    this.#limits.give(this.#taken)
    this.#taken = 0
    for (const file of this.#files) dropFile(this.#disk, file)
    this.#files.clear()
  }

  #name(): string {
    const file = `${this.#prefix}.c${this.#count}`
    this.#count += 1
    this.#files.add(file)
    return file
  }

  async #stream(input: AsyncIterable<Uint8Array | string>, signal?: AbortSignal): Promise<StagedContent> {
    const held: Uint8Array[] = []
    const hash = createHash('sha256')
    let size = 0
    let file: { readonly path: string; readonly handle: number } | null = null
    try {
      for await (const piece of input) {
        if (signal?.aborted) throw aborted(signal)
        const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece
        if (!(bytes instanceof Uint8Array)) {
          throw new JournalError('INVALID', 'a stream of contents must give bytes or text', {
            hint: 'Convert its chunks first.',
          })
        }
        hash.update(bytes)
        if (file === null && size + bytes.byteLength > this.#limits.inline) {
          const path = this.#name()
          file = { path, handle: this.#disk.open(path, 'create', 0o600) }
          let position = 0
          for (const part of held.splice(0)) {
            writeFully(this.#disk, file.handle, part, position)
            position += part.byteLength
          }
        }
        if (file === null) held.push(Uint8Array.prototype.slice.call(bytes))
        else writeFully(this.#disk, file.handle, bytes, size)
        size += bytes.byteLength
      }
    } catch (error) {
      throw asJournalError(error, 'reading a stream of contents')
    } finally {
      if (file !== null) this.#disk.close(file.handle)
    }
    if (file === null) return this.keep(Buffer.concat(held))
    return { hash: hash.digest('hex'), size, source: { at: 'staged', file: file.path } }
  }
}

export function aborted(signal: AbortSignal): JournalError {
  return new JournalError('ABORTED', 'the operation was cancelled', {
    hint: 'Nothing was changed.',
    cause: signal.reason,
  })
}

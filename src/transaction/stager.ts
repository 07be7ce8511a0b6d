import type { Readable } from 'node:stream'
import { hashBytes } from '../content/hash.ts'
import { RunningHash } from '../content/hash-trail.ts'
import { HeldText } from '../content/held-text.ts'
import { mayHold } from '../content/large-contents.ts'
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
  /** Small changes of files of more bytes than this are made in place. */
  readonly inPlaceFrom: number

  constructor(limits: { readonly memory?: number; readonly inline?: number; readonly inPlaceFrom?: number } = {}) {
    this.memory = limits.memory ?? MEMORY_LIMIT
    this.inline = limits.inline ?? INLINE_LIMIT
    // A content that stands in the log whole is a small one.
    this.inPlaceFrom = Math.max(this.inline, limits.inPlaceFrom ?? 0)
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

  /** Takes whole contents. The bytes are the stager's from now on. `edited`: they are a text that is likely to be edited again. */
  keep(bytes: Uint8Array, edited = false): StagedContent {
    const size = bytes.byteLength
    if (size > this.#limits.inline) return this.#keepLarge(bytes, edited)
    const hash = hashBytes(bytes)
    if (this.#take(size)) return { hash, size, source: { at: 'memory', bytes } }
    const file = this.#name()
    createFile(this.#disk, file, bytes, 0o600)
    return { hash, size, source: { at: 'staged', file } }
  }

  #keepLarge(bytes: Uint8Array, edited: boolean): StagedContent {
    const size = bytes.byteLength
    const running = new RunningHash()
    running.update(bytes)
    const trail = running.finish()
    const file = this.#name()
    createFile(this.#disk, file, bytes, 0o600)
    const held = edited && mayHold(size) && !bytes.includes(0) && this.#take(size)
    const known = { trail, text: held ? new HeldText(bytes) : null }
    return { hash: trail.hash, size, source: { at: 'staged', file, known } }
  }

  /** False when there is no room in memory. */
  #take(size: number): boolean {
    if (!this.#limits.take(size)) return false
    this.#taken += size
    return true
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
    const hash = new RunningHash()
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
    const known = { trail: hash.finish(), text: null }
    return { hash: known.trail.hash, size, source: { at: 'staged', file: file.path, known } }
  }
}

export function aborted(signal: AbortSignal): JournalError {
  return new JournalError('ABORTED', 'the operation was cancelled', {
    hint: 'Nothing was changed.',
    cause: signal.reason,
  })
}

import nodeFs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Descriptors } from './descriptors.ts'
import type { Mutator } from './mutation.ts'
import { runAsync, type Steps } from './steps.ts'

/** What Node's handle of an open file has no door to: it is a handle's own business what it closes. */
interface Writing {
  readonly fd: number
  readonly descriptors: Descriptors
  readonly mutator: Mutator
}

type Piece = string | NodeJS.ArrayBufferView
type Source = Piece | Iterable<Piece> | AsyncIterable<Piece>

/** A file open for writing, as `fs.promises.open` gives it. What was written is in the workspace when it is closed, or synced. */
export class WritingHandle {
  readonly fd: number
  readonly #writing: Writing
  #closed: Promise<void> | null = null

  constructor(writing: Writing) {
    this.fd = writing.fd
    this.#writing = writing
  }

  close(): Promise<void> {
    this.#closed ??= this.#run(this.#writing.descriptors.close(this.fd))
    return this.#closed
  }

  sync(): Promise<void> {
    return this.#run(this.#writing.descriptors.fsync(this.fd))
  }

  datasync(): Promise<void> {
    return this.sync()
  }

  chmod(mode: number): Promise<void> {
    return this.#run(this.#writing.descriptors.fchmod(this.fd, mode))
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#run(this.#writing.descriptors.fchown(this.fd, uid, gid))
  }

  utimes(atime: number | string | Date, mtime: number | string | Date): Promise<void> {
    return this.#run(this.#writing.descriptors.futimes(this.fd, atime, mtime))
  }

  truncate(length = 0): Promise<void> {
    return this.#run(this.#writing.descriptors.ftruncate(this.fd, length))
  }

  stat(options?: { readonly bigint?: false }): Promise<nodeFs.Stats> {
    return this.#now(() => this.#writing.descriptors.described(this.fd, nodeFs.fstatSync(this.fd, options)))
  }

  read(buffer?: unknown, offset?: unknown, length?: unknown, position?: unknown) {
    return this.#now(() => {
      const { buffer: into, ...where } = readingOf(buffer, offset, length, position)
      const bytesRead = nodeFs.readSync(this.fd, into, where.offset, where.length, where.position)
      return { bytesRead, buffer: into }
    })
  }

  readv(buffers: NodeJS.ArrayBufferView[], position?: number) {
    return this.#now(() => ({ bytesRead: nodeFs.readvSync(this.fd, buffers, position), buffers }))
  }

  readFile(options?: BufferEncoding | { readonly encoding?: BufferEncoding | null }): Promise<string | Buffer> {
    return this.#now(() => nodeFs.readFileSync(this.fd, options))
  }

  write(data: Piece, ...where: unknown[]): Promise<{ bytesWritten: number; buffer: Piece }> {
    return this.#now(() => {
      const write = nodeFs.writeSync as (fd: number, data: Piece, ...where: unknown[]) => number
      const bytesWritten = write(this.fd, data, ...where)
      this.#writing.descriptors.wrote(this.fd)
      return { bytesWritten, buffer: data }
    })
  }

  writev(buffers: NodeJS.ArrayBufferView[], position?: number) {
    return this.#now(() => {
      const bytesWritten = nodeFs.writevSync(this.fd, buffers, position)
      this.#writing.descriptors.wrote(this.fd)
      return { bytesWritten, buffers }
    })
  }

  async writeFile(data: Source, options?: unknown): Promise<void> {
    const pieces = typeof data === 'string' || ArrayBuffer.isView(data) ? [data] : data
    for await (const piece of pieces) await this.#run(this.#writing.descriptors.writeAll(this.fd, piece, options))
  }

  appendFile(data: Source, options?: unknown): Promise<void> {
    return this.writeFile(data, options)
  }

  createReadStream(options: { readonly autoClose?: boolean } = {}): nodeFs.ReadStream {
    const stream = nodeFs.createReadStream('', { ...options, fd: this.fd, autoClose: false })
    if (options.autoClose !== false) stream.on('close', () => void this.close().catch(() => undefined))
    return stream
  }

  createWriteStream(options: { readonly autoClose?: boolean; readonly start?: number } = {}): Writable {
    let position = options.start
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.write(chunk, 0, chunk.length, position).then(() => {
          if (position !== undefined) position += chunk.length
          done()
        }, done)
      },
      final: (done) => {
        const ended = options.autoClose === false ? this.sync() : this.close()
        ended.then(() => done(), done)
      },
    })
  }

  readLines(options: { readonly autoClose?: boolean } = {}) {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Number.POSITIVE_INFINITY })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #now<T>(call: () => T): Promise<T> {
    return call()
  }

  #run<T>(steps: Steps<T>): Promise<T> {
    return runAsync(steps, this.#writing.mutator)
  }
}

interface Reading {
  readonly buffer: NodeJS.ArrayBufferView
  readonly offset: number
  readonly length: number
  readonly position: number | bigint | null
}

function readingOf(first: unknown, offset: unknown, length: unknown, position: unknown): Reading {
  const given = (
    ArrayBuffer.isView(first) ? { buffer: first, offset, length, position } : (first ?? {})
  ) as Partial<Reading>
  const settings = typeof offset === 'object' && offset !== null ? { ...given, ...(offset as Partial<Reading>) } : given
  const buffer = settings.buffer ?? Buffer.alloc(16_384)
  const from = settings.offset ?? 0
  return {
    buffer,
    offset: from,
    length: settings.length ?? buffer.byteLength - from,
    position: settings.position ?? null,
  }
}

/** It has all that is documented of a handle but what only Node's own can have (`readableWebStream`, `EventEmitter`). */
export function asFileHandle(handle: WritingHandle): FileHandle {
  return handle as unknown as FileHandle
}

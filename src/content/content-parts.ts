import type { Disk } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import type { BlobStore } from './blob-store.ts'
import { partsOf, type Resolved } from './content-resolver.ts'

/** A content of which parts are read, without going through the rest of it. */
export class ContentParts {
  readonly #disk: Disk
  readonly #blobs: BlobStore
  readonly #resolved: Resolved

  constructor(disk: Disk, blobs: BlobStore, resolved: Resolved) {
    this.#disk = disk
    this.#blobs = blobs
    this.#resolved = resolved
  }

  /** `length` bytes from `from` on, with zeros for what lies beyond the end. */
  read(from: number, length: number): Uint8Array {
    const { whole, delta } = this.#resolved
    const target = new Uint8Array(length)
    if (whole.at === 'memory') {
      if (delta === null) target.set(whole.bytes.subarray(from, from + length))
      else this.#changed(from, target, (at, room) => room.set(whole.bytes.subarray(at, at + room.byteLength)))
      return target
    }
    const handle = this.#disk.open(this.#blobs.path(whole.hash), 'read')
    try {
      if (delta === null) readFully(this.#disk, handle, target, from)
      else this.#changed(from, target, (at, room) => readFully(this.#disk, handle, room, at))
      return target
    } finally {
      this.#disk.close(handle)
    }
  }

  /** `fill` puts bytes of the base into a part of the target. */
  #changed(from: number, target: Uint8Array, fill: (at: number, room: Uint8Array) => void): void {
    const { delta } = this.#resolved
    if (delta === null) return
    const end = from + target.byteLength
    let at = 0
    for (const part of partsOf(delta)) {
      const begin = Math.max(at, from)
      const stop = Math.min(at + part.length, end)
      if (begin < stop) {
        const room = target.subarray(begin - from, stop - from)
        if (part.bytes === null) fill(part.from + begin - at, room)
        else room.set(part.bytes.subarray(begin - at, stop - at))
      }
      at += part.length
      if (at >= end) return
    }
  }
}
